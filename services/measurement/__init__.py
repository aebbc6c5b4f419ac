"""Measurements and effects that tools put to a span, to two spans, or to two recordings."""
