"""Filtering of distilled replies: faults of the text, and contradictions of what is known."""
