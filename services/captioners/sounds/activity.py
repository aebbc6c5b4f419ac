"""Sound activity detection: RMS level over time, and the spans that stand out of silence or background."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.captioners.frames import Floats
from services.types import SAMPLE_RATE

FRAME_S = 0.01
SILENCE_DB = -60.0  # dBFS; below it is silence
QUIETEST_DB = -100.0  # dBFS of digital silence
RANGE_DB = 40.0  # below the loudest frame, what counts as sound
STEP_DB = 8.0  # above the background, what counts as an event
SHORTEST_S = 0.03
BRIDGED_S = 0.15  # shorter gaps belong to the sound


class ActiveSpan(NamedTuple):
    """A span of time in which something sounds."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    def measure_overlap_s(self, other: "ActiveSpan") -> float:
        """Return the seconds that two spans have in common."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def cut(self, samples: Floats) -> Floats:
        """Return the samples of this span, shape (num_samples,)."""
        return samples[round(self.start_s * SAMPLE_RATE) : round(self.end_s * SAMPLE_RATE)]


ActiveSpans: TypeAlias = tuple[ActiveSpan, ...]


def measure_levels_db(samples: Floats) -> Floats:
    """Return the RMS level in dBFS of each 10 ms of samples at 16 kHz, shape (num_frames,); at least one frame."""
    size = round(FRAME_S * SAMPLE_RATE)
    padded = np.pad(samples, (0, -len(samples) % size if len(samples) else size))
    power = (padded.reshape(-1, size).astype(np.float64) ** 2).mean(axis=1)
    return np.asarray(10 * np.log10(power + 10 ** (QUIETEST_DB / 10)), np.float32)


def detect_activity(samples: Floats) -> ActiveSpans:
    """Detect the spans of samples at 16 kHz with sound, in order; empty where all is silence.

    A span rises above the background (the 10th percentile of the level) or, where the background itself is loud, above
    silence.
    """
    levels = measure_levels_db(samples)
    peak, background = float(levels.max()), float(np.percentile(levels, 10))
    if peak < SILENCE_DB:
        return ()
    floor = max(SILENCE_DB, peak - RANGE_DB)
    if background < peak - 20.0:
        floor = max(floor, min(background + STEP_DB, peak - 12.0))
    return find_runs(levels > floor, len(samples) / SAMPLE_RATE)


def find_runs(is_on: NDArray[np.bool_], duration_s: float) -> ActiveSpans:
    """Turn a flag for each 10 ms, shape (num_frames,), into spans; short gaps are bridged, then short spans dropped."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_on, [False])).astype(np.int8)))
    spans: list[ActiveSpan] = []
    for start, end in zip(edges[::2] * FRAME_S, edges[1::2] * FRAME_S, strict=True):
        if spans and start - spans[-1].end_s < BRIDGED_S:
            spans[-1] = ActiveSpan(spans[-1].start_s, min(float(end), duration_s))
        else:
            spans.append(ActiveSpan(float(start), min(float(end), duration_s)))
    return tuple(span for span in spans if span.duration_s >= SHORTEST_S)
