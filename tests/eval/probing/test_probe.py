"""Probing all stages: a class that only later layers hold is found there, and what is lost has its interval."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from eval.display import probing
from eval.probing.labelled import LabelledClip, LabelledSet
from eval.probing.probe import ProbeReport, StageProbe, probe_lalm
from lalm.probing.activations import ProbedStage, Vector
from services.types import SAMPLE_RATE, AudioClip

CLASSES = ("bell", "dog", "rain", "violin")
PER_CLASS = 14
Probe = Callable[..., ProbeReport]
STAGES = (
    ProbedStage("encoder", "mean", 0),
    ProbedStage("encoder", "mean", 1),
    ProbedStage("encoder", "all"),
    ProbedStage("connector", "mean"),
    ProbedStage("connector", "all"),
    *(ProbedStage("backbone", "mean", number) for number in range(1, 4)),
    *(ProbedStage("backbone", "last", number) for number in range(1, 4)),
)


class PlantedReader:
    """Activations in which the class, given as the pitch of a tone, stands at some stages only."""

    name, revision, question = "planted", "1", "What is heard?"
    stages: Sequence[ProbedStage] = STAGES

    def __init__(self, holding: Sequence[ProbedStage]) -> None:
        self.holding = holding

    def describe(self, stage: ProbedStage) -> str:
        return stage.key

    def read(self, clip: AudioClip) -> Mapping[ProbedStage, Vector]:
        number = round(float(np.abs(clip.samples).max()) * 10) - 1  # loudness names the class
        rng = np.random.default_rng(int(clip.sha256[:8], 16))
        return {stage: rng.normal(size=24).astype(np.float32) + self._plant(stage, number) for stage in STAGES}

    def _plant(self, stage: ProbedStage, number: int) -> Vector:
        return (4.0 if stage in self.holding else 0.0) * np.eye(24, dtype=np.float32)[number]


class Kept(NamedTuple):
    """A labelled set on disk, and the verdicts of a model that is right on the first half."""

    labelled: LabelledSet
    is_right: Mapping[str, bool]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("clips")

    def clips() -> Iterator[LabelledClip]:
        for number in range(len(CLASSES) * PER_CLASS):
            place = number % len(CLASSES)
            samples = np.random.default_rng(number).uniform(-1, 1, 800)
            soundfile.write(folder / f"{number}.wav", samples / abs(samples).max() * (place + 1) / 10, SAMPLE_RATE)
            options = (CLASSES[place], CLASSES[place - 1], "a whale")
            yield LabelledClip(
                str(number), folder / f"{number}.wav", CLASSES[place], f"{CLASSES[place]}, take {number // 8}", options
            )

    labelled = LabelledSet("planted", "0", "answer", tuple(clips()), {"without a label": 3})
    return Kept(labelled, {clip.id: int(clip.id) < len(labelled.clips) // 2 for clip in labelled.clips})


@pytest.fixture(scope="module")
def probe(kept: Kept) -> Probe:
    """Return how a model is probed that holds the class at some stages; once for each."""

    @cache
    def made(*holding: ProbedStage, asked: bool = False) -> ProbeReport:
        reader = PlantedReader(holding)
        return probe_lalm(reader, kept.labelled, num_folds=4, seed=1, is_right=kept.is_right if asked else None)

    return made


def find(found: ProbeReport, stage: ProbedStage) -> StageProbe:
    return next(one for one in found.stages if one.name == stage.key)


@pytest.mark.slow
def test_a_class_that_later_layers_hold_is_found_there_only(probe: Probe) -> None:
    late = [stage for stage in STAGES if stage.part == "backbone" and stage.layer >= 2]
    found = probe(*late)
    for stage in STAGES:
        one = find(found, stage)
        assert (one.accuracy > 0.9) is (stage in late), stage
        assert one.control < 0.5
        assert (one.selectivity_95.low > 0.3) is (stage in late), stage
    step = found.steps[-1]
    assert step.after == ProbedStage("backbone", "last", 3).key
    assert step.ci_95.low > 0.3 and step.p < 1e-4


@pytest.mark.slow
def test_a_sound_that_the_connector_loses_is_lost_at_that_step(probe: Probe) -> None:
    found = probe(*(stage for stage in STAGES if stage.part == "encoder"))
    first, second = found.steps
    assert (first.before, first.after) == ("encoder/000/all", "connector/000/all")
    assert first.ci_95.high < -0.1
    assert second.ci_95.low <= 0 <= second.ci_95.high


@pytest.mark.slow
def test_the_model_s_own_answers_are_compared_among_the_options(probe: Probe) -> None:
    found = probe(*STAGES, asked=True)
    assert found.chance == pytest.approx(1 / 4)
    assert found.chance_among_options == pytest.approx(1 / 3)
    assert found.answers is not None and found.answers.accuracy == pytest.approx(0.5)
    last = find(found, ProbedStage("backbone", "last", 3))
    assert last.among_options is not None and last.among_options.accuracy > 0.95
    assert found.steps[-1].after == "its own answers"
    assert found.steps[-1].difference == pytest.approx(0.5 - last.among_options.accuracy)


@pytest.mark.slow
def test_without_answers_the_way_ends_at_the_last_layer(probe: Probe) -> None:
    found = probe(*STAGES)
    assert found.answers is None
    assert sum(found.classes.values()) == found.n
    assert len(found.steps) == 2
    assert (found.n, found.num_sources) == (56, 28)
    assert ProbeReport.model_validate_json(found.model_dump_json()) == found


@pytest.mark.slow
@pytest.mark.parametrize("asked", [False, True])
def test_the_plot_names_its_parts_and_draws_again_alike(probe: Probe, tmp_path: Path, *, asked: bool) -> None:
    found = probe(*STAGES, asked=asked)
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for file in files:
        probing.draw_probe(found, file)
    svg = files[0].read_text()
    assert svg == files[1].read_text()
    for words in ("encoder tap", "connector", "backbone layer", "control: labels at random", "most frequent class"):
        assert words in svg
    assert ("own answers" in svg) is asked
