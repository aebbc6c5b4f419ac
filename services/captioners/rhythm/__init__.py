"""Onsets of strokes, the pulse, tempo and metre, and how the tempo develops."""
