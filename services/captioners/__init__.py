"""Captioners: what a clip sounds like, in words; and the analyses that the embedded captioner is made of."""
