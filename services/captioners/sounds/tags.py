"""Sound event tags in plain words: the 521 AudioSet classes, merged into phrases and ordered under wider ones.

`sounds.json` gives the phrases; classes that mean the same to a listener share one.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.naming import NameMatcher
from services.captioners.sounds.vocabulary import read_vocabulary
from services.types import Label

POOLED_SHARE = 4  # one in so many patches is pooled, the highest logits: an event rarely lasts throughout the clip
NARROWER_LOGIT = 0.5  # from which a narrower class replaces its wider one
MIDDLE_LOGIT, LOGIT_SCALE = -1.5, 1.3  # logistic calibration of a logit to a confidence: midpoint and scale
NARROWER_MARGIN = 2.5  # logits by which a wider class may exceed a narrower one that still replaces it


class Tag(NamedTuple):
    """A sound and its logit."""

    sound: str
    logit: float

    @property
    def confidence(self) -> float:
        """Probability in [0, 1] that the sound is there."""
        return float(1 / (1 + np.exp(-(self.logit - MIDDLE_LOGIT) / LOGIT_SCALE)))

    @property
    def label(self) -> Label:
        """The sound with its confidence, as a statement names it."""
        return Label.round_to_label(self.sound, self.confidence)


@cache
def map_phrases(class_names: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    """Return phrase -> indices of its classes."""
    words = {name: phrase for phrase, names in read_vocabulary().plain.items() for name in names}
    found: dict[str, tuple[int, ...]] = {}
    for index, name in enumerate(class_names):
        if name not in read_vocabulary().unsaid:
            phrase = words.get(name, name.split(",")[0].split(" (")[0].lower())
            found[phrase] = (*found.get(phrase, ()), index)
    return found


def name_sounds(class_names: tuple[str, ...]) -> NameMatcher:
    """Return the matcher of words to phrases, by our names and AudioSet's."""
    names = {phrase: [class_names[index] for index in found] for phrase, found in map_phrases(class_names).items()}
    return NameMatcher(names, read_vocabulary().wider)


def pool_logits(logits: Floats) -> Floats:
    """Return the mean of the highest quarter of the patches for each class, shape (num_classes,).

    Args:
        logits: shape (num_patches, num_classes).
    """
    count = -(-len(logits) // POOLED_SHARE)
    return np.asarray(np.sort(logits, axis=0)[-count:].mean(axis=0), np.float32)


def score_sounds(logits: Floats, class_names: tuple[str, ...], second: Mapping[str, float]) -> Mapping[str, float]:
    """Return phrase -> logit over the clip.

    Args:
        logits: YAMNet's, shape (num_patches, num_classes).
        class_names: in the order of the columns.
        second: phrase -> logit of a second classifier; the two are averaged.
    """
    pooled = pool_logits(logits)
    tags = {phrase: float(pooled[list(indices)].max()) for phrase, indices in map_phrases(class_names).items()}
    return tags | {phrase: (tags[phrase] + logit) / 2 for phrase, logit in second.items()}


def rank_sounds(tags: Mapping[str, float]) -> tuple[Tag, ...]:
    """Return the sounds of phrase -> logit, the most confident first.

    A wider sound (animal) is left out where a narrower one (dog barking) is about as likely.
    """
    replaced = {
        wider
        for wider, narrower in read_vocabulary().wider.items()
        if max(tags[phrase] for phrase in narrower) >= min(tags[wider] - NARROWER_MARGIN, NARROWER_LOGIT)
    }
    kept = (Tag(phrase, logit) for phrase, logit in tags.items() if phrase not in replaced)
    return tuple(sorted(kept, key=lambda tag: -tag.logit))
