"""Places of a recording in words, such as near its end: for readers that compare them with options worded so."""

THROUGHOUT = 0.8  # share of the recording
NEAR = 0.2  # share of the recording from either end
CENTRAL = 0.1  # share of it before and behind its middle


def describe_place(start_s: float, end_s: float, duration_s: float) -> str:
    """Describe where in a recording a span lies, by its length and its middle."""
    if end_s - start_s >= THROUGHOUT * duration_s:
        return "throughout"
    middle = (start_s + end_s) / 2 / duration_s
    if middle <= NEAR:
        return "near the beginning"
    if middle >= 1 - NEAR:
        return "near the end"
    if abs(middle - 0.5) <= CENTRAL:
        return "in the middle"
    return "in the first half" if middle < 0.5 else "in the second half"
