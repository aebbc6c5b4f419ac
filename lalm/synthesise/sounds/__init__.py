"""Sounds: real recordings cut and mixed, physical models, and the effects that change them."""
