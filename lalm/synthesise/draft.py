"""Draft of a clip: samples, facts and sources, and the randomness that it is drawn with."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from lalm.distill.facts import DOMAINS, Fact, make_worded_choice, make_yes_no
from services.types import SAMPLE_RATE

Floats: TypeAlias = NDArray[np.float32]
SplitSide: TypeAlias = Literal["train", "validation"]
"""Which side of the split a source, and every clip made of it, belongs to."""
AnyT = TypeVar("AnyT")
QUIET = 0.01  # of the peak, below which both ends of a sound are trimmed
EDGE_S = 0.05  # kept at both ends
HELD_BACK = 0.12  # share of recordings, presets and voices that only validation clips are made of


class NoSource(Exception):
    """No source on this side of the split can make a clip of this kind."""


def hold_back(key: str, share: float = HELD_BACK) -> SplitSide:
    """Assign a source to a side of the split by the hash of its key."""
    position = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 16**8
    return "validation" if position < share else "train"


class Draw:
    """Randomness of one clip, and the side of the split that its sources come from.

    Args:
        seed: of the clip; the same seed draws the same clip.
        side: which sources may be used.
    """

    def __init__(self, seed: str, side: SplitSide) -> None:
        self.side = side
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        self.noise = np.random.default_rng(self.rng.getrandbits(64))

    def decide(self, share: float) -> bool:
        """Return True with this probability."""
        return self.rng.random() < share

    def shuffle(self, items: Sequence[AnyT]) -> list[AnyT]:
        """Return the items in a random order."""
        return self.rng.sample(items, len(items))


@dataclass(frozen=True, slots=True)
class ClipDraft:
    """A clip before it is written."""

    samples: Floats
    """Shape (num_samples,), 16 kHz."""
    task: Literal["speech", "music", "sound"]
    caption: str
    """One sentence about all that is heard."""
    facts: tuple[Fact, ...]
    sources: tuple[str, ...]
    """Ids of the recordings, presets and voices that it was made of."""
    transcript: str = ""
    language: str | None = None
    labels: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def state_domain_facts(task: str, *, speech: bool, music: bool) -> list[Fact]:
    """Make the facts that every clip has: its domain, and whether speech and music are heard."""
    return [
        make_worded_choice("domain", task, DOMAINS),
        make_yes_no("speech_present", is_true=speech),
        make_yes_no("music_present", is_true=music),
    ]


def make_silence(seconds: float) -> Floats:
    """Make silence at 16 kHz, shape (num_samples,)."""
    return np.zeros(max(0, round(seconds * SAMPLE_RATE)), np.float32)


def trim_silence(samples: Floats) -> Floats:
    """Cut off what is silent before and after a sound, so that it begins when it is said to; silence stays as it is."""
    loud = np.flatnonzero(np.abs(samples) > QUIET * np.abs(samples).max(initial=0))
    if not len(loud):
        return samples
    edge = round(EDGE_S * SAMPLE_RATE)
    return samples[max(0, loud[0] - edge) : loud[-1] + edge]


def scale_to_peak(samples: Floats, peak_db: float) -> Floats:
    """Scale samples to a peak in dBFS; silence stays silent."""
    peak = float(np.abs(samples).max(initial=0))
    return samples * np.float32(10 ** (peak_db / 20) / peak) if peak > 0 else samples


def overlay(parts: Sequence[tuple[float, Floats]]) -> Floats:
    """Mix parts at 16 kHz, each from its start in seconds."""
    starts = [round(start_s * SAMPLE_RATE) for start_s, _ in parts]
    total = np.zeros(max(start + len(part) for start, (_, part) in zip(starts, parts, strict=True)), np.float32)
    for start, (_, part) in zip(starts, parts, strict=True):
        total[start : start + len(part)] += part
    return total
