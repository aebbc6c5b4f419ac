"""Which languages a recording speaks, and where they change: the likeliest sequence over slices of it (Viterbi)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.asr.decoder import Languages
from services.asr.speech import SpeechWindow

SURE = 0.98  # probability of a language from which a window is not looked at in slices
SLICE_S = 1.5  # of speech that a language is told from
WEIGHTY_S = 2.5  # of speech from which a slice counts in full; the language of less is often taken for another one
SWITCH = 0.02  # probability that the next slice is in another language
LEAST = 1e-4  # probability that any language keeps, however sure the model is of another


class LanguageSlice(NamedTuple):
    """A slice of a recording and the languages that it may be in."""

    window: SpeechWindow
    languages: Languages

    @property
    def is_sure(self) -> bool:
        """Whether one language is likely enough to look no further."""
        return max(self.languages.values()) >= SURE


def trace_languages(slices: Sequence[LanguageSlice], before: str | None = None) -> list[str]:
    """Return the ISO 639 code of each slice: the likeliest sequence, in which a change of language is rare.

    Args:
        slices: in order, at least one.
        before: the language that was spoken before them; None: any.
    """
    codes = sorted({code for one in slices for code in one.languages})
    stay, change = math.log(1 - SWITCH), math.log(SWITCH)
    steps = np.where(np.eye(len(codes), dtype=bool), stay, change)
    best = _score(slices[0], codes)
    if before is not None:
        best += np.array([stay if code == before else change for code in codes])
    came_from = []
    for one in slices[1:]:
        reached = best[:, None] + steps
        came_from.append(np.argmax(reached, axis=0))
        best = np.max(reached, axis=0) + _score(one, codes)
    path = [int(np.argmax(best))]
    for origins in reversed(came_from):
        path.append(int(origins[path[-1]]))
    return [codes[number] for number in reversed(path)]


def average_languages(slices: Sequence[LanguageSlice]) -> dict[str, float]:
    """Return the mean probability of each language over slices, by their lengths."""
    mean: dict[str, float] = {}
    total_s = sum(one.window.duration_s for one in slices)
    for one in slices:
        for code, probability in one.languages.items():
            mean[code] = mean.get(code, 0.0) + probability * one.window.duration_s / total_s
    return mean


def _score(one: LanguageSlice, codes: Sequence[str]) -> NDArray[np.float64]:
    """Return the log-probability of each language; a short slice counts for less."""
    weight = min(1.0, sum(span.duration_s for span in one.window.spans) / WEIGHTY_S)
    return np.array([weight * math.log(max(one.languages.get(code, 0.0), LEAST)) for code in codes])
