"""Listening again: tools that ask the captioner and the ASR a narrower question."""
