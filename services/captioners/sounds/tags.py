"""Which sounds are heard, in plain words, and which wider word each belongs under.

`sounds.json` turns the 521 classes of AudioSet into phrases; classes that mean the same to a listener share one.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from services.captioners.naming import NameMatcher
from services.captioners.sounds.activity import Floats
from services.captioners.sounds.vocabulary import read_vocabulary
from services.types import Label

SHARE_POOLED = 4  # a class is as sure as in its best quarter of the patches: events are rarely there all the time
NARROWER_SURE = 0.5  # logit at which a narrower class speaks for itself
MIDDLE_LOGIT, LOGITS_PER_STEP = -1.5, 1.3  # where a tag is right as often as not, and how fast that changes
NARROWER_BY = 2.5  # logits by which a wider class may lead before its narrower ones no longer speak for it


class Tag(NamedTuple):
    """A sound and how sure it is."""

    sound: str
    logit: float

    @property
    def confidence(self) -> float:
        """Probability in [0, 1] that the sound is there."""
        return float(1 / (1 + np.exp(-(self.logit - MIDDLE_LOGIT) / LOGITS_PER_STEP)))

    @property
    def label(self) -> Label:
        """The sound as a statement names it."""
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
    """Return what matches words to phrases, by what we and AudioSet call them."""
    names = {phrase: [class_names[index] for index in found] for phrase, found in map_phrases(class_names).items()}
    return NameMatcher(names, read_vocabulary().wider)


def pool_logits(logits: Floats) -> Floats:
    """Return the mean over the best quarter of the patches for each class, shape (num_classes,)."""
    count = -(-len(logits) // SHARE_POOLED)
    return np.asarray(np.sort(logits, axis=0)[-count:].mean(axis=0), np.float32)


def score_sounds(logits: Floats, class_names: tuple[str, ...], second: Mapping[str, float]) -> Mapping[str, float]:
    """Return phrase -> logit over the clip, from logits of shape (num_patches, num_classes).

    Where there is a `second` opinion (phrase -> logit) the two are averaged.
    """
    sure = pool_logits(logits)
    tags = {phrase: float(sure[list(indices)].max()) for phrase, indices in map_phrases(class_names).items()}
    return tags | {phrase: (tags[phrase] + logit) / 2 for phrase, logit in second.items()}


def rank_sounds(tags: Mapping[str, float]) -> tuple[Tag, ...]:
    """Return the sounds of phrase -> logit, surest first.

    A wider sound (animal) is left out where a narrower one (dog barking) is about as sure.
    """
    spoken_for = {
        wider
        for wider, narrower in read_vocabulary().wider.items()
        if max(tags[phrase] for phrase in narrower) >= min(tags[wider] - NARROWER_BY, NARROWER_SURE)
    }
    said = (Tag(phrase, logit) for phrase, logit in tags.items() if phrase not in spoken_for)
    return tuple(sorted(said, key=lambda tag: -tag.logit))
