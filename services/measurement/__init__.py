"""Measurements: exact questions to the signal, which tools put to a span, to two spans, or to two recordings."""
