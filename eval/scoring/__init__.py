"""Scoring: strict and official scores, calibration, statistics."""
