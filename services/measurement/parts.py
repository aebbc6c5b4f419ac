"""Two parts of a recording, on either side of its longest pause: what "the second time" and "the other half" mean."""

from itertools import pairwise
from typing import NamedTuple

from services.captioners.sounds.activity import ActiveSpan, detect_activity
from services.types import AudioClip

LEAST_PAUSE_S = 0.25
LEAST_SHARE = 0.1  # of the recording, on either side of the pause


class ClipParts(NamedTuple):
    """The two parts of a recording, each from its first sound to its last."""

    first: ActiveSpan
    second: ActiveSpan
    are_apart: bool
    """Whether a pause divides them; else they are the two halves."""


def split_in_two(clip: AudioClip) -> ClipParts | None:
    """Split a clip at its longest pause, or where there is none in its middle; None on silence."""
    active = detect_activity(clip.samples)
    if not active:
        return None
    start_s, end_s = active[0].start_s, active[-1].end_s
    least_s = LEAST_SHARE * (end_s - start_s)
    pauses = [
        (after.start_s - before.end_s, before.end_s, after.start_s)
        for before, after in pairwise(active)
        if before.end_s - start_s >= least_s and end_s - after.start_s >= least_s
    ]
    longest_s, stops_s, resumes_s = max(pauses, default=(0.0, 0.0, 0.0))
    if longest_s >= LEAST_PAUSE_S:
        return ClipParts(ActiveSpan(start_s, stops_s), ActiveSpan(resumes_s, end_s), are_apart=True)
    middle_s = (start_s + end_s) / 2
    return ClipParts(ActiveSpan(start_s, middle_s), ActiveSpan(middle_s, end_s), are_apart=False)
