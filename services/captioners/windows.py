"""Windows of a long clip: consecutive parts that are analysed one by one, so that memory and work stay bounded."""

from collections.abc import Iterator
from typing import NamedTuple

from services.types import SAMPLE_RATE, AudioClip


class ClipWindow(NamedTuple):
    """A part of a clip, and where it begins."""

    start_s: float
    """Seconds from the beginning of the whole clip."""
    clip: AudioClip


def split_clip(clip: AudioClip, window_s: float) -> Iterator[ClipWindow]:
    """Yield consecutive windows of at most `window_s` seconds that together cover the clip.

    A last window of under a tenth of that is joined to the one before it.
    """
    size = round(window_s * SAMPLE_RATE)
    starts = list(range(0, len(clip.samples), size))
    if len(starts) > 1 and len(clip.samples) - starts[-1] < size // 10:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(clip.samples)], strict=True):
        part = AudioClip(clip.samples[start:end], source_rate=clip.source_rate, num_channels=clip.num_channels)
        yield ClipWindow(start / SAMPLE_RATE, part)
