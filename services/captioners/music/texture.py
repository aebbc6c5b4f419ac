"""Texture: whether one line of notes is heard or several notes sound together, and whether it grows or thins out."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.captioners.music.pitches import FRAMES_PER_S, Pitches
from services.captioners.statement import Statement, make_labels

AUDIBLE = 0.3  # probability above which a pitch sounds
NUM_PARTS = 3  # of the sound, of which the first and the last are compared
SHORTEST_S = 3.0  # of the sound whose texture is told
CHANGE = 1.5  # ratio of the densities of the last and the first part, from which they differ
LINE_SHARE, LINE_DENSITY = (
    0.8,
    2.2,
)  # share that one line explains at least, and pitches at once at most, of a solo line
SEVERAL_SHARE = 0.7  # share that one line explains at most, where several notes sound together
PRECISION = 0.9  # share of the stated textures and courses that are right (docs/ears.md)

Course: TypeAlias = Literal["denser", "thinner", "constant"]


class Texture(NamedTuple):
    """How many notes sound together."""

    is_line: bool | None
    """Whether it is one note at a time; None where that cannot be told."""
    before: float
    """Pitches that sound at once in the first part, on average while any does; overtones count."""
    after: float
    """The same in the last part."""

    @property
    def course(self) -> Course:
        """Whether the texture grows denser, thins out, or neither."""
        ratio = self.after / self.before
        return "denser" if ratio >= CHANGE else "thinner" if ratio <= 1 / CHANGE else "constant"


def analyse_texture(pitches: Pitches, solo_share: float) -> Texture | None:
    """Measure the texture; None where pitches are heard too shortly.

    Args:
        pitches: transcription.
        solo_share: of the sound, that one line explains, in [0, 1].
    """
    counts = (pitches.sounding > AUDIBLE).sum(axis=1)
    (heard,) = np.nonzero(counts)
    if not len(heard) or heard[-1] - heard[0] < SHORTEST_S * FRAMES_PER_S:
        return None
    first, *_, last = np.array_split(counts[heard[0] : heard[-1] + 1], NUM_PARTS)
    density = float(counts[heard].mean())
    is_line = solo_share >= LINE_SHARE and density <= LINE_DENSITY
    is_several = solo_share <= SEVERAL_SHARE
    return Texture(is_line if is_line or is_several else None, _average(first), _average(last))


def _average(counts: NDArray[np.int64]) -> float:
    """Return the mean of the counts above 0, of which there is one at least: a part begins or ends with a pitch."""
    return float(counts[counts > 0].mean())


def describe_texture(texture: Texture) -> list[Statement]:
    """State the texture, and how it develops; nothing where neither can be told."""
    course = texture.course
    if texture.is_line and course == "constant":
        return [_state("one line, one note at a time (monophonic)")]
    several = "several notes sound together" if texture.is_line is False else ""
    develops = {
        "denser": "it grows denser: more notes sound together at the end than at the beginning",
        "thinner": "it thins out: fewer notes sound together at the end than at the beginning",
        "constant": "",
    }[course]
    told = "; ".join(part for part in (several, develops) if part)
    return [_state(told)] if told else []


def _state(told: str) -> Statement:
    return Statement("music", f"Texture: {told}.", PRECISION, labels=make_labels([told]))
