"""Temporal reasoning: which option is first, last, next to another sound or longest, from a timeline of sounds."""
