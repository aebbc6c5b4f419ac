"""Caches of what models heard."""
