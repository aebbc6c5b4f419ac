"""Text probe: names that are arranged as the sounds are retrieved for unseen classes, and others are not."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.probing.labelled import LabelledClip, LabelledSet
from eval.probing.retrieval import RetrievalReport, Sounds, probe_texts
from services.errors import BadConfig

NUM_CLASSES, PER_CLASS = 30, 6
FACTS = np.random.default_rng(0).normal(size=(NUM_CLASSES, 4))  # what sounds and names have in common
MAPS = [np.random.default_rng(seed).normal(size=(4, width)) for seed, width in ((1, 40), (2, 24))]


class ArrangedTexts:
    """A backbone whose layer holds the facts about each class, and whose embeddings hold nothing."""

    name, revision, num_layers = "arranged", "1", 1

    def read(self, text: str) -> NDArray[np.float32]:
        number = int(text.removeprefix("class "))
        noise = np.random.default_rng(100 + number).normal(size=(2, 24))
        noise[1] = FACTS[number] @ MAPS[1] + 0.1 * noise[1]
        return noise.astype(np.float32)


def make_set(num_classes: int = NUM_CLASSES) -> LabelledSet:
    clips = tuple(
        LabelledClip(f"{label}-{n}", Path("x.wav"), f"class {label}", f"{label}-{n}")
        for label in range(num_classes)
        for n in range(PER_CLASS)
    )
    return LabelledSet("made-up", "0", "name", clips, {})


@pytest.fixture(scope="module")
def found() -> RetrievalReport:
    labelled = make_set()
    places = [int(clip.label.removeprefix("class ")) for clip in labelled.clips]
    rng = np.random.default_rng(3)
    vectors = FACTS[places] @ MAPS[0] + 0.3 * rng.normal(size=(len(places), 40))
    return probe_texts(ArrangedTexts(), Sounds("planted", vectors), labelled, num_folds=3, seed=1)


@pytest.mark.slow
def test_names_that_are_arranged_as_the_sounds_are_found(found: RetrievalReport) -> None:
    scores = {one.layer: one for one in found.layers}
    assert sorted(scores) == [0, 1]
    assert scores[1].at_rank[5] > 0.6
    assert scores[1].difference_95.low > 0.2
    assert scores[0].at_rank[5] < 0.35
    assert scores[0].difference_95.low < 0.1
    assert all(one.control_at_rank[5] < 0.4 for one in found.layers)
    assert found.chance_at_rank[5] == pytest.approx(5 / 30)


@pytest.mark.slow
def test_more_ranks_find_no_fewer(found: RetrievalReport) -> None:
    for one in found.layers:
        assert one.at_rank[1] <= one.at_rank[3] <= one.at_rank[5]
        assert one.ci_95.low <= one.at_rank[1] <= one.ci_95.high


def test_a_few_classes_are_refused() -> None:
    labelled = make_set(7)
    with pytest.raises(BadConfig, match=r"needs at least 8 classes.*--label name of made-up has 7"):
        probe_texts(ArrangedTexts(), Sounds("x", np.zeros((len(labelled.clips), 3))), labelled, num_folds=5, seed=1)
