"""Zero-shot classification among options by meaning, in the space of a sentence encoder (after ConSE, arXiv:1312.5650).

The words of an option need not be those of a label: "a locomotive" lies near "train". An option's score is that of the
labels near it, lowered by their distance.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import logsumexp, softmax

from services.sentences.encoder import Vectors

LOGITS_PER_DISTANCE = 9.0  # logits that a label loses for each unit of cosine between it and the option
SMOOTHING = 1.5  # logits by which labels that are near each other add up: log-sum-exp at this temperature
LEAST_LIKENESS = 0.4  # cosine of an option and the name that is most like it; below it the option names no label
UNLIKE = 0.45  # cosine to every label of what none of the options names: it is as unlike them all
FURTHEST = 6.0  # logits by which an option that no label is like scores below the surest label: it may be any sound
TEMPERATURE = 0.6  # of the softmax over the scores of options that are names of labels
ADDED_TEMPERATURE = 3.0  # for a unit of cosine by which their mean likeness is below NEAR
NEAR = 0.7  # likeness of an option and a name, from which their meaning is the same
DESCRIBED, AS_WELL = 0.6, 0.08  # least likeness of a label that a text describes; and how far below the best another is


class WeighedOption(NamedTuple):
    """An option and the probability that it is what is heard."""

    text: str
    probability: float
    score: float
    """Of the label that speaks for it most."""


class OptionScore(NamedTuple):
    """How much speaks for an option."""

    option: str
    score: float
    """In logits: those of the labels near the option, lowered by their distance from it."""
    label_score: float
    """Logit of the label that speaks for it most."""
    likeness: float
    """Cosine of the option and the name that is most like it."""


class TextEncoder(Protocol):
    """Embeds texts as vectors of length 1."""

    def __call__(self, texts: Sequence[str], /) -> Vectors:
        """Embed texts; shape (num_texts, width)."""
        ...


class MeaningMatcher:
    """Matches free text to labels by the cosine of their sentence embeddings.

    Args:
        names: label -> its names.
        vectors: name -> its embedding, of length 1.
        encode: encoder of the options, the one of the names.
    """

    def __init__(self, names: Mapping[str, Sequence[str]], vectors: Mapping[str, Vectors], encode: TextEncoder) -> None:
        self._encode = encode
        self._labels = tuple(names)
        rows = [(number, vectors[name]) for number, label in enumerate(self._labels) for name in names[label]]
        self._label_of_row = np.array([number for number, _ in rows])
        self._vectors = np.stack([vector for _, vector in rows])

    def measure_likeness(self, options: Sequence[str]) -> Vectors:
        """Measure the cosine of each option and the nearest name of each label; shape (num_options, num_labels)."""
        by_name = self._encode(options) @ self._vectors.T
        likeness = np.full((len(options), len(self._labels)), -1.0, np.float32)
        np.maximum.at(likeness.T, self._label_of_row, by_name.T)
        return likeness

    def weigh(self, options: Sequence[str], scores: Mapping[str, float]) -> tuple[WeighedOption, ...]:
        """Return the options with their probabilities, the likeliest first, each with the logit of its label.

        Empty where fewer than two of them name a label.
        """
        return weigh_scores(self.score_options(options, scores))

    def weigh_beside_none(self, options: Sequence[str], scores: Mapping[str, float]) -> tuple[float, ...]:
        """Return the probability of each option, in their order; what is missing to 1 is that none of them is heard.

        Empty where fewer than two of them name a label.
        """
        found = self.score_options(options, scores)
        none = _sum_lowered(self._list_logits(scores) - LOGITS_PER_DISTANCE * (1 - UNLIKE))
        shares = softmax([*(one.score / TEMPERATURE for one in found), none / TEMPERATURE])
        return tuple(map(float, shares[:-1]))

    def find_described(self, text: str) -> tuple[str, ...]:
        """Find the labels that a text describes, the nearest first; empty where none is near."""
        (likeness,) = self.measure_likeness([text])
        least = max(DESCRIBED, float(likeness.max()) - AS_WELL)
        return tuple(self._labels[i] for i in np.argsort(-likeness, kind="stable") if likeness[i] >= least)

    def score_options(self, options: Sequence[str], scores: Mapping[str, float]) -> tuple[OptionScore, ...]:
        """Score each option, in their order, by label -> logit; empty where fewer than two of them name a label."""
        if len(options) < 2:
            return ()
        likeness = self.measure_likeness(options)
        if (likeness.max(axis=1) >= LEAST_LIKENESS).sum() < 2:
            return ()
        logits = self._list_logits(scores)
        least = float(logits.max()) - FURTHEST
        return tuple(
            OptionScore(option, max(least, _sum_lowered(lowered)), float(logits[lowered.argmax()]), float(alike.max()))
            for option, alike in zip(options, likeness, strict=True)
            for lowered in (logits - LOGITS_PER_DISTANCE * (1 - alike),)
        )

    def _list_logits(self, scores: Mapping[str, float]) -> Vectors:
        return np.array([scores[label] for label in self._labels], np.float32)


def weigh_scores(found: Sequence[OptionScore], temperature: float = TEMPERATURE) -> tuple[WeighedOption, ...]:
    """Return the options with their probabilities, the likeliest first, each with the logit of its label."""
    if not found:
        return ()
    shares = softmax(np.array([one.score for one in found]) / _adapt_temperature(found, temperature))
    pairs = zip(found, shares, strict=True)
    weighed = (WeighedOption(one.option, float(share), one.label_score) for one, share in pairs)
    return tuple(sorted(weighed, key=lambda one: -one.probability))


def _adapt_temperature(found: Sequence[OptionScore], temperature: float) -> float:
    """Raise the temperature of the softmax where options and names are less alike: their scores then tell less."""
    far = max(0.0, NEAR - float(np.mean([one.likeness for one in found])))
    return temperature + ADDED_TEMPERATURE * far


def _sum_lowered(logits: Vectors) -> float:
    return float(SMOOTHING * logsumexp(logits / SMOOTHING))
