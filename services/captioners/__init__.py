"""Captioners, and the analyses that the embedded one is made of."""
