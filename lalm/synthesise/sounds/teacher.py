"""Teacher for recordings: the AudioSet classes that YAMNet is sure of."""

import numpy as np

from lalm.synthesise.draft import Floats
from services.captioners.sounds.yamnet import YamNet
from services.weights import store as weights

SURE = 0.7  # probability, in the clearest patch
MOST = 4


class YamNetTeacher:
    """Names what is heard; YAMNet is fetched once."""

    def __init__(self) -> None:
        self._yamnet = YamNet(weights.ensure_folder("yamnet"))

    def tag(self, samples: Floats) -> tuple[str, ...]:
        """Return the class names that YAMNet is sure of, the surest first."""
        probabilities = 1 / (1 + np.exp(-self._yamnet(samples).logits.max(0)))
        order = np.argsort(-probabilities)[:MOST]
        return tuple(self._yamnet.names[number] for number in order if probabilities[number] > SURE)
