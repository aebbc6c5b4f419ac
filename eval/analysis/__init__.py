"""Analyses of finished runs: comparison, correlation, recommendation."""
