"""Segmentation of long-form audio: parts of about a minute, cut where the voice detector hears a pause.

A cut within a word would cost the word on both sides. The same samples are always cut at the same places, so that a
part that was heard before is found in the perception cache.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from services.cancellation import raise_if_cancelled, run_in_thread
from services.captioners.frames import Floats
from services.captioners.sounds.activity import FRAME_S, measure_levels_db
from services.captioners.voices.segments import detect_speech
from services.longform.clock import WHOLE_S, format_clock
from services.types import SAMPLE_RATE, AudioClip

PART_S = 60.0  # the longest part
SEARCHED_S = 20.0  # before the latest place of a cut; people pause more often than that
LEAST_PAUSE_S = 0.1  # a shorter one may lie within a word


class ClipPart(NamedTuple):
    """A part of a recording, and when it begins and ends in the whole."""

    start_s: float
    end_s: float
    clip: AudioClip
    recording: int | None = None
    """Number of the recording, from 1; None: there is but one."""

    def __str__(self) -> str:
        """Return the span as a reader has it, such as `12:00-13:00`."""
        return f"{format_clock(self.start_s)}-{format_clock(self.end_s)}"


def split_at_pauses(clip: AudioClip) -> tuple[ClipPart, ...]:
    """Return consecutive parts that together are the clip; a clip of at most `WHOLE_S` is one part.

    Takes 0.06 s of processor time for a minute of audio.
    """
    if clip.duration_s <= WHOLE_S:
        return (ClipPart(0.0, clip.duration_s, clip),)
    edges = [0, *_find_cuts(clip.samples), len(clip.samples)]
    return tuple(_cut(clip, start, end) for start, end in pairwise(edges))


async def split(clip: AudioClip) -> tuple[ClipPart, ...]:
    """Split a clip as `split_at_pauses` does, a long one in a thread."""
    return await run_in_thread(split_at_pauses, clip) if clip.duration_s > WHOLE_S else split_at_pauses(clip)


async def split_each(clips: Sequence[AudioClip]) -> tuple[ClipPart, ...]:
    """Split the recordings of a question one after the other; the parts of several know which they are of."""
    if len(clips) == 1:
        return await split(clips[0])
    numbered = enumerate(clips, start=1)
    return tuple([part._replace(recording=number) for number, clip in numbered for part in await split(clip)])


def _cut(clip: AudioClip, start: int, end: int) -> ClipPart:
    part = AudioClip(clip.samples[start:end], clip.source_rate, clip.num_channels)
    return ClipPart(start / SAMPLE_RATE, end / SAMPLE_RATE, part)


def _find_cuts(samples: Floats) -> Iterator[int]:
    longest, searched = round(PART_S * SAMPLE_RATE), round(SEARCHED_S * SAMPLE_RATE)
    start = 0
    while (left := len(samples) - start) > longest:
        raise_if_cancelled()
        latest = start + min(longest, left - searched)  # so that the last part is no shorter than what is searched
        start = latest - searched + _find_pause(samples[latest - searched : latest])
        yield start


def _find_pause(samples: Floats) -> int:
    """Return the sample in the middle of the longest pause, of equal ones the last.

    Where a voice is heard throughout, it is the quietest sample.
    """
    edges_s = [edge for span in detect_speech(samples) for edge in (span.start_s, span.end_s)]
    edges_s = [0.0, *edges_s, len(samples) / SAMPLE_RATE]
    pauses = zip(edges_s[::2], edges_s[1::2], strict=True)
    start_s, end_s = max(pauses, key=lambda pause: (round(pause[1] - pause[0], 1), pause[0]))
    if end_s - start_s < LEAST_PAUSE_S:
        levels_db = np.convolve(measure_levels_db(samples), np.ones(10) / 10, mode="valid")
        start_s = end_s = (int(levels_db.argmin()) + 5) * FRAME_S
    return max(1, round((start_s + end_s) / 2 * SAMPLE_RATE))
