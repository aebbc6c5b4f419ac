"""Zero-shot classification among options: free text is matched to the labels that a classifier knows.

A tagger is seldom wrong among four sounds that it knows (docs/ears.md); most errors come from matching the words of the
options to the names of the classes. Words are compared by the information (inverse document frequency) that they share.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import exp, log
from typing import NamedTuple, TypeAlias

from services.sentences.meaning import WeighedOption

Words: TypeAlias = Mapping[str, str]
"""Stem -> the word that it was taken from."""

SPLIT = re.compile(r", |/| and | or ")
BRACKETED = re.compile(r" \(.*?\)")
WORD = re.compile(r"[a-z][a-z']+")
STOP_WORDS = frozenset(("the", "an", "of", "in", "on", "at", "is", "being", "with", "from", "sound", "sounds", "noise"))
SUFFIXES = ("ing", "ed", "s")
MIN_LIKENESS = 0.2  # of an option and a name; below it they mean different things
OTHER_FORM_WEIGHT = 0.65  # of a stem whose words differ: a crow is not the crowing of a rooster
UNKNOWN_WORD_WEIGHT = 0.3  # information of a word that no label has, as a share of that of the rarest word
NEAR_MATCH = 0.7  # share of the best likeness from which a further label is meant too


class OptionScale(NamedTuple):
    """Softmax calibration from scores of labels to probabilities of options (`benchmarks/ears/options_fit.py`)."""

    temperature: float
    unnamed: float
    """Score of an option that names no label."""

    def weigh(self, options: Sequence[str], scores: Sequence[float | None]) -> tuple[WeighedOption, ...]:
        """Return the options with their probabilities, the likeliest first; empty where there are no scores."""
        if not scores:
            return ()
        best = [self.unnamed if score is None else score for score in scores]
        powers = [exp((score - max(best)) / self.temperature) for score in best]
        shares = (power / sum(powers) for power in powers)
        found = (WeighedOption(*one) for one in zip(options, shares, best, strict=True))
        return tuple(sorted(found, key=lambda one: -one.probability))


class NameMatcher:
    """Matches free text to labels by the words that they share.

    Args:
        names: label -> its names; alternatives within a name, as in "cattle, bovinae", are names as well.
        wider: label -> the labels that say more precisely what it means.
    """

    def __init__(self, names: Mapping[str, Iterable[str]], wider: Mapping[str, Iterable[str]]) -> None:
        self._names = {label: _list_alternatives((label, *also)) for label, also in names.items()}
        self._wider = {label: tuple(one for one in narrower if one in names) for label, narrower in wider.items()}
        counts = Counter(stem for also in self._names.values() for stem in {stem for name in also for stem in name})
        self._information = {stem: log(len(self._names) / count) for stem, count in counts.items()}
        self._most = log(len(self._names))
        self._labels: dict[str, set[str]] = {}
        for label, also in self._names.items():
            for stem in {stem for name in also for stem in name}:
                self._labels.setdefault(stem, set()).add(label)

    def match(self, text: str) -> frozenset[str]:
        """Return the labels that a text stands for, with all that a wider one comprises; empty where it names none."""
        return frozenset(self._find_meant(text))

    def measure_likeness(self, text: str) -> float:
        """Measure how alike a text and the name that is most like it are, in [0, 1]."""
        return max(self._find_meant(text).values(), default=0.0)

    def weigh(
        self, options: Sequence[str], scores: Mapping[str, float], scale: OptionScale
    ) -> tuple[WeighedOption, ...]:
        """Return the options with their probabilities, the likeliest first, by label -> score.

        Empty where the options name fewer than two things.
        """
        return scale.weigh(options, self.score_options(options, scores))

    def score_options(self, options: Sequence[str], scores: Mapping[str, float]) -> tuple[float | None, ...]:
        """Return the score of the label that speaks for each option most, None where it names none.

        Empty where the options name fewer than two things. A label that several of them stand for belongs to the one
        that is most like it.
        """
        meant = [self._find_meant(option) for option in options]
        nearest = {label: max(one.get(label, 0.0) for one in meant) for one in meant for label in one}
        own = [frozenset(label for label, likeness in one.items() if likeness == nearest[label]) for one in meant]
        if len({labels for labels in own if labels}) < 2:
            return ()
        return tuple(max((scores[label] for label in labels), default=None) for labels in own)

    def _find_meant(self, text: str) -> Mapping[str, float]:
        """Return label -> likeness, of the labels that a text stands for."""
        wanted = _list_alternatives((text,))
        near = {label for one in wanted for stem in one for label in self._labels.get(stem, ())}
        alike = {
            label: max(self._compare(one, name) for one in wanted for name in names)
            for label, names in self._names.items()
            if label in near  # others share no word with it
        }
        best = max(alike.values(), default=0.0)
        if best < MIN_LIKENESS:
            return {}
        meant = {label: likeness for label, likeness in alike.items() if likeness >= NEAR_MATCH * best}
        comprised = {one: best for label in meant if alike[label] == best for one in self._wider.get(label, ())}
        return comprised | meant

    def _compare(self, option: Words, name: Words) -> float:
        """Return the information that an option shares with a name, as a share of that of all their words."""
        shared = [stem for stem in name if stem in option]
        known = sum(self._weigh(stem) for stem in dict.fromkeys((*name, *option)))  # a set has no order to add in
        same = sum(self._weigh(stem) * (1.0 if option[stem] == name[stem] else OTHER_FORM_WEIGHT) for stem in shared)
        return same / max(known, 1e-6)

    def _weigh(self, stem: str) -> float:
        return self._information.get(stem, UNKNOWN_WORD_WEIGHT * self._most)


def _list_alternatives(names: Iterable[str]) -> tuple[Words, ...]:
    whole = [BRACKETED.sub("", name) for name in names]
    found = [_find_words(name) for name in (*whole, *(part for one in whole for part in SPLIT.split(one)))]
    return tuple(words for words in found if words)


def _find_words(text: str) -> Words:
    return {_strip_ending(word): word for word in WORD.findall(text.lower()) if word not in STOP_WORDS}


def _strip_ending(word: str) -> str:
    """Return the word without an English ending: barking, barks and barked are bark."""
    ending = next((one for one in SUFFIXES if word.endswith(one) and len(word) - len(one) >= 3), "")
    stem = word if word.endswith("ss") else word.removesuffix(ending)
    stem = stem.removesuffix("e") if len(stem) > 3 else stem
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem
