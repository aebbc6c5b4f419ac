"""Routing: which path answers a question."""
