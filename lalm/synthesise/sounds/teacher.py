"""Teacher for recordings (pseudo-labels): the AudioSet classes that YAMNet is confident of, beside the known labels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lalm.synthesise.draft import Floats
from services.captioners.sounds.tags import name_sounds
from services.captioners.sounds.yamnet import YamNet
from services.weights import store as weights

MIN_PROBABILITY = 0.7  # in the clearest patch
MAX_TAGS = 4


class TeacherTags(NamedTuple):
    """Classes that a teacher gives a recording."""

    heard: tuple[str, ...] = ()
    """Those that it is confident of, the most probable first; it may be wrong about them."""
    right: tuple[str, ...] = ()
    """Those of them that agree with a known label of the recording, and so may be an answer."""
    akin: tuple[str, ...] = ()
    """All classes that agree with a known label, heard or not: none is a wrong answer."""


NO_TAGS = TeacherTags()


class YamNetTeacher:
    """Tags sounds by YAMNet, which is fetched once."""

    def __init__(self) -> None:
        self._yamnet = YamNet(weights.ensure_folder("yamnet"))
        self._matcher = name_sounds(self._yamnet.names)

    def tag(self, samples: Floats, labels: Sequence[str]) -> TeacherTags:
        """Tag samples at 16 kHz whose known labels are given.

        A class agrees with a label if the names of both stand for a sound in common: "Vehicle" with a helicopter.
        """
        probabilities = np.exp(-np.logaddexp(0, -self._yamnet(samples).logits.max(0)))
        order = np.argsort(-probabilities)[:MAX_TAGS]
        heard = tuple(self._yamnet.names[number] for number in order if probabilities[number] > MIN_PROBABILITY)
        known = frozenset[str]().union(*map(self._matcher.match, labels))
        akin = tuple(name for name in self._yamnet.names if known & self._matcher.match(name))
        return TeacherTags(heard, tuple(name for name in heard if name in akin), akin)
