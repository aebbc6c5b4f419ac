"""Genre and mood classification of music by classes of YAMNet and tags of musicnn with the same meaning.

Each score is standardised by its mean and deviation over music at large (`usual` in styles.json, fitted without labels
by `benchmarks/ears/fit_styles.py`), because the base rate of a class is not evidence for it.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from scipy.special import expit

from services.captioners.frames import Floats
from services.captioners.music.musicnn import MusicTagger
from services.captioners.naming import NameMatcher, OptionScale
from services.captioners.sounds.yamnet import ClassScores
from services.types import Value

StyleKind: TypeAlias = Literal["genre", "mood"]

YAMNET = "yamnet"
MIN_SCORE: Mapping[StyleKind, float] = {"genre": 1.0, "mood": 0.8}
"""Standard deviations above the mean, from which a style is stated."""
NEAR = 1.0  # standard deviations by which a further style may score below the best
MAX_STYLES: Mapping[StyleKind, int] = {"genre": 3, "mood": 2}
STYLE_SCALE = OptionScale(0.7, 0.0)
"""0.60 fits best where YAMNet is sure of a genre and musicnn chooses among four: `benchmarks/ears/fit_styles.py`."""


class MusicStyle(Value):
    """A genre or mood, and the classes of each model that stand for it."""

    label: str
    kind: StyleKind
    also: tuple[str, ...] = ()
    """Other names of it, and of its parts."""
    yamnet: tuple[str, ...] = ()
    msd: tuple[str, ...] = ()
    """Tags of musicnn's network for the Million Song Dataset."""
    mtt: tuple[str, ...] = ()
    """Tags of musicnn's network for MagnaTagATune."""

    def list_sources(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """List the models that know the style, each with its classes."""
        known = ((YAMNET, self.yamnet), ("msd", self.msd), ("mtt", self.mtt))
        return tuple((source, classes) for source, classes in known if classes)


class UsualScore(NamedTuple):
    """Mean and standard deviation of the scores of a class over music at large."""

    mean: float
    deviation: float


Scored = TypeVar("Scored")
ClassTable: TypeAlias = Mapping[str, Mapping[str, Scored]]
"""Model -> class -> score or statistics."""


class StyleTable(Value):
    """The styles, and the usual scores of all classes: model -> class -> score."""

    styles: tuple[MusicStyle, ...]
    usual: ClassTable[UsualScore]


@cache
def read_styles() -> StyleTable:
    """Read the table of styles."""
    return StyleTable.model_validate(json.loads(files(__package__).joinpath("styles.json").read_text("utf-8")))


@cache
def name_styles() -> NameMatcher:
    """Return the matcher of words to styles."""
    return NameMatcher({style.label: style.also for style in read_styles().styles}, {})


class StyleClassifier:
    """Scores the styles of a clip.

    Args:
        tagger: musicnn.
        names: of YAMNet's classes.
    """

    def __init__(self, tagger: MusicTagger, names: tuple[str, ...]) -> None:
        self._tagger, self._names = tagger, names

    def __call__(self, samples: Floats, scores: ClassScores) -> Mapping[str, float]:
        """Return style -> score (`score_style`), from samples at 16 kHz and their YAMNet scores."""
        found = {YAMNET: average_classes(scores, self._names)}
        found |= {one.network: one.logits for one in self._tagger(samples)}
        table = read_styles()
        return {style.label: score_style(style, found, table.usual) for style in table.styles}


def average_classes(scores: ClassScores, names: tuple[str, ...]) -> Mapping[str, float]:
    """Return class -> logarithm of its mean probability over the patches, to which silent ones add nothing."""
    return dict(zip(names, np.log(expit(scores.logits).mean(axis=0) + 1e-6).tolist(), strict=True))


def score_style(style: MusicStyle, found: ClassTable[float], usual: ClassTable[UsualScore]) -> float:
    """Return the standard score (z-score) of a style of a clip, averaged over the models that know it.

    Args:
        style: known to one model at least.
        found: model -> class -> logarithm of the odds, or of a small probability.
        usual: mean and deviation of each over music at large.
    """
    by_source = [
        np.mean([(found[source][name] - usual[source][name].mean) / usual[source][name].deviation for name in classes])
        for source, classes in style.list_sources()
    ]
    return float(np.mean(by_source))


def rank_styles(scores: Mapping[str, float], kind: StyleKind) -> list[MusicStyle]:
    """Return the styles of a kind that score high enough, the highest first."""
    ranked = sorted((one for one in read_styles().styles if one.kind == kind), key=lambda one: -scores[one.label])
    least = max(MIN_SCORE[kind], scores[ranked[0].label] - NEAR)
    return [one for one in ranked[: MAX_STYLES[kind]] if scores[one.label] >= least]
