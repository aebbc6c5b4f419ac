"""Fitting a router on finished runs."""
