"""Teacher for recordings: the AudioSet classes that YAMNet is confident of."""

import numpy as np

from lalm.synthesise.draft import Floats
from services.captioners.sounds.yamnet import YamNet
from services.weights import store as weights

MIN_PROBABILITY = 0.7  # in the clearest patch
MAX_TAGS = 4


class YamNetTeacher:
    """Tags sounds by YAMNet, which is fetched once."""

    def __init__(self) -> None:
        self._yamnet = YamNet(weights.ensure_folder("yamnet"))

    def tag(self, samples: Floats) -> tuple[str, ...]:
        """Return the classes that YAMNet is confident of in samples at 16 kHz, the most probable first."""
        probabilities = 1 / (1 + np.exp(-self._yamnet(samples).logits.max(0)))
        order = np.argsort(-probabilities)[:MAX_TAGS]
        return tuple(self._yamnet.names[number] for number in order if probabilities[number] > MIN_PROBABILITY)
