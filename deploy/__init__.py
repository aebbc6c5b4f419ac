"""Putting Earwitness on machines."""
