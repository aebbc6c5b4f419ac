"""Just-noticeable differences: how far two measurements of sounds have to be apart to count as different."""

SAME_LENGTH = 1.15
"""Ratio of two lengths."""
SAME_LEVEL_DB = 1.0
SAME_SEMITONES = 0.5
SAME_PACE = 0.1
"""Of the ratio of two tempi or rates of speech, logarithm to base 2."""
SAME_BRIGHTNESS = 0.6
"""Ratio of the highest frequencies."""
SURE_KEY = 0.7
"""Confidence from which a musical key counts."""
