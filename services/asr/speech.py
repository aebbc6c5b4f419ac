"""Voice activity detection (VAD) for recognition, by Silero VAD: spans of speech, and the windows to decode."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray

from services.types import SAMPLE_RATE

FRAME = 512  # samples that Silero VAD judges at once
FRAME_S = FRAME / SAMPLE_RATE
BEGINS, ENDS = 0.35, 0.2  # probability of speech from which a span begins, and below which it ends
PAUSE_S = 0.2  # a shorter pause does not end a span
LONG_PAUSE_S = 1.0  # a pause as long as this ends a window: no statement runs over it
SHORTEST_S = 0.1  # less speech than this is a click, not a window
LONGEST_S = 14.0  # of a window: two of them cost less than one of 28 s, and each may have its own language
SMOOTHED = 5  # frames over which the likelihood of speech is added up where a cut is looked for
MARGIN_S = 0.4  # decoded before and behind the speech of a window, as the detector begins late at a soft sound
TARGET_RMS = 0.1  # loud frames are brought to -20 dBFS: the detector misses far-field speech below it
MAX_GAIN = 30.0  # 30 dB


class SpeechSpan(NamedTuple):
    """A span of time in which somebody speaks."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


class SpeechWindow(NamedTuple):
    """A stretch of a recording to decode at once, with the speech in it."""

    start_s: float
    end_s: float
    spans: tuple[SpeechSpan, ...]
    """In order, at least one."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    def cut(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples of this window, of those of the whole recording."""
        return samples[round(self.start_s * SAMPLE_RATE) : round(self.end_s * SAMPLE_RATE)]

    def take(self, start_s: float, end_s: float) -> "SpeechWindow | None":
        """Return the part of the window from one time of the recording to another; None where it holds no speech."""
        limited = (SpeechSpan(max(one.start_s, start_s), min(one.end_s, end_s)) for one in self.spans)
        spans = tuple(one for one in limited if one.duration_s > 0)
        return SpeechWindow(max(start_s, self.start_s), min(end_s, self.end_s), spans) if spans else None

    def slice_at_pauses(self, least_s: float) -> tuple["SpeechWindow", ...]:
        """Split the window in the middle of its pauses into slices of at least this much speech."""
        edges_s, spoken_s = [self.start_s], 0.0
        for one, following in pairwise(self.spans):
            spoken_s += one.duration_s
            if spoken_s >= least_s and self.spans[-1].end_s - following.start_s >= least_s:
                edges_s.append((one.end_s + following.start_s) / 2)
                spoken_s = 0.0
        slices = (self.take(*edges) for edges in pairwise((*edges_s, self.end_s)))
        return tuple(one for one in slices if one)

    def limit_to_speech(self, start_s: float, end_s: float) -> SpeechSpan:
        """Return the part of a span of the recording that is speech: it begins and ends where the detector hears some.

        A span that lies in a pause becomes the nearest span of speech.
        """
        spans = [one for one in self.spans if one.start_s < end_s and one.end_s > start_s]
        if not spans:
            return min(self.spans, key=lambda one: max(one.start_s - end_s, start_s - one.end_s))
        return SpeechSpan(max(start_s, spans[0].start_s), min(end_s, spans[-1].end_s))


class VoiceActivity:
    """Where somebody speaks in a recording.

    Args:
        samples: the recording, mono at 16 kHz.
    """

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._duration_s = len(samples) / SAMPLE_RATE
        whole = np.pad(_normalise_level(samples), (0, -len(samples) % FRAME))
        self._probabilities: NDArray[np.float32] = get_vad_model()(whole).reshape(-1) if len(samples) else whole

    def find_windows(self) -> tuple[SpeechWindow, ...]:
        """Return the windows that hold all speech, in order; none is longer than `LONGEST_S`."""
        groups: list[list[SpeechSpan]] = []
        for span in self._find_spans():
            if groups and span.start_s - groups[-1][-1].end_s < LONG_PAUSE_S:
                groups[-1].append(span)
            else:
                groups.append([span])
        spoken = [group for group in groups if sum(span.duration_s for span in group) > SHORTEST_S]
        windows: list[SpeechWindow] = []
        for number, group in enumerate(spoken):
            before_s = spoken[number - 1][-1].end_s if number else 0.0
            behind_s = spoken[number + 1][0].start_s if number + 1 < len(spoken) else self._duration_s
            start_s, end_s = max(group[0].start_s - MARGIN_S, before_s), min(group[-1].end_s + MARGIN_S, behind_s)
            windows += self.split(SpeechWindow(start_s, end_s, tuple(group)), LONGEST_S)
        return tuple(windows)

    def split(self, window: SpeechWindow, longest_s: float) -> tuple[SpeechWindow, ...]:
        """Split a window where speech is least likely, into parts of at most this length that hold some."""
        if window.duration_s <= longest_s:
            return (window,)
        cut_s = self._find_pause(window.start_s + longest_s / 2, window.start_s + longest_s)
        halves = (window.take(window.start_s, cut_s), window.take(cut_s, window.end_s))
        return tuple(part for half in halves if half for part in self.split(half, longest_s))

    def cut_at_pauses(self, window: SpeechWindow, least_s: float, longest_s: float) -> tuple[SpeechWindow, ...]:
        """Cut a window at its pauses into parts of at least this much speech; without any where speech is least likely.

        The parts of a window without pauses are no longer than `longest_s`.
        """
        parts = window.slice_at_pauses(least_s)
        return parts if len(parts) > 1 else self.split(window, longest_s)

    def _find_pause(self, from_s: float, to_s: float) -> float:
        """Return the time between two others at which speech is least likely."""
        first, last = round(from_s / FRAME_S), max(round(to_s / FRAME_S), round(from_s / FRAME_S) + 1)
        around = np.convolve(self._probabilities, np.ones(SMOOTHED), mode="same")[first:last]
        return (first + int(np.argmin(around)) + 0.5) * FRAME_S if len(around) else (from_s + to_s) / 2

    def _find_spans(self) -> list[SpeechSpan]:
        spans: list[SpeechSpan] = []
        begun: int | None = None
        quiet: int | None = None  # the first frame of a pause that is not yet long enough
        for number, probability in enumerate(self._probabilities):
            if probability >= BEGINS:
                begun, quiet = number if begun is None else begun, None
            elif begun is not None and probability < ENDS:
                quiet = number if quiet is None else quiet
                if (number - quiet) * FRAME_S >= PAUSE_S:
                    spans.append(SpeechSpan(begun * FRAME_S, quiet * FRAME_S))
                    begun = quiet = None
        if begun is not None:
            end = len(self._probabilities) if quiet is None else quiet
            spans.append(SpeechSpan(begun * FRAME_S, min(end * FRAME_S, self._duration_s)))
        return spans


def _normalise_level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise the level (automatic gain): loud frames of 20 ms come to `TARGET_RMS`, however far the speaker is."""
    frames = np.pad(samples, (0, -len(samples) % 320)).reshape(-1, 320)
    loud = float(np.percentile(np.sqrt(np.mean(np.square(frames), axis=1)), 95)) if len(samples) else 0.0
    gain = min(TARGET_RMS / max(loud, 1e-9), MAX_GAIN)
    leveled: NDArray[np.float32] = np.clip(samples * np.float32(gain), -1, 1)
    return leveled
