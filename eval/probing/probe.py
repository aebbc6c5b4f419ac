"""Linear probes over all stages of a LALM: where on its way to the reply is a sound lost?

The question is AudioLens's (arXiv:2506.05140), who project hidden states onto the vocabulary; here a linear probe asks
each stage, so that encoder and connector can be asked as well. The stages are compared without choosing the best
layer by its result: all taps of the encoder together, all tokens of the connector, the last token of the last layer.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from eval.probing.labelled import LabelledClip, LabelledSet
from eval.probing.linear import (
    STRENGTH,
    Classes,
    Floats,
    Fold,
    predict_held_out,
    predict_majority,
    shuffle_labels,
    split_folds,
)
from eval.scoring.intervals import Interval, compute_clustered_interval
from eval.scoring.statistics import compute_clustered_p, compute_paired_difference
from services.audio.load import load
from services.progress import report_stage
from services.types import Value

if TYPE_CHECKING:
    from lalm.probing.activations import ActivationReader, ProbedStage


class ProbeScore(Value):
    """Accuracy over all clips, with the interval that clips of one source leave."""

    accuracy: float
    ci_95: Interval


class StageProbe(ProbeScore):
    """What a linear probe reads from one stage."""

    part: str
    """encoder, connector or backbone."""
    reading: str
    """mean, all or last: how the stage became one vector."""
    layer: int
    """Of the encoder: number of the tap, from 0; of the backbone: layer, from 1."""
    name: str
    width: int
    """Features."""
    control: float
    """Accuracy of a probe for labels that were given to the recordings at random."""
    selectivity: float
    """Accuracy minus that of the control task."""
    selectivity_95: Interval
    among_options: ProbeScore | None = None
    """Of choosing among the options of each clip's question; None where the label is not its answer."""


class ProbeStep(Value):
    """What is lost, or won, from one stage to a later one, clip by clip."""

    before: str
    after: str
    difference: float
    ci_95: Interval
    p: float
    """Clustered t-test, two-sided."""


class ProbeReport(Value):
    """A probed LALM."""

    lalm: str
    revision: str
    benchmark: str
    benchmark_sha256: str
    label: str
    question: str
    """Asked about every clip."""
    classes: dict[str, int]
    """Class -> clips."""
    n: int
    num_sources: int
    left_out: dict[str, int]
    num_folds: int
    seed: int
    strength: float
    """Inverse of the regularisation."""
    chance: float
    """One over the number of classes."""
    majority: float
    """Accuracy of always saying the most frequent class of the recordings that a fold has seen."""
    chance_among_options: float | None = None
    stages: tuple[StageProbe, ...]
    answers: ProbeScore | None = None
    """Of the LALM itself, asked the questions with their options; None where RUN is not such a run."""
    steps: tuple[ProbeStep, ...]


class _ProbeTask(NamedTuple):
    """Labels, folds and sources that all stages are probed with."""

    clips: tuple[LabelledClip, ...]
    classes: tuple[str, ...]
    labels: Classes
    control: Classes
    sources: list[str]
    folds: tuple[Fold, ...]
    has_options: bool


class _Probed(NamedTuple):
    """A stage with what its probe got right, clip by clip."""

    score: StageProbe
    compared: Floats
    """Among the options where there are some, else among all classes."""


def probe_lalm(
    reader: "ActivationReader",
    labelled: LabelledSet,
    *,
    num_folds: int,
    seed: int,
    is_right: Mapping[str, bool] | None = None,
) -> ProbeReport:
    """Probe every stage of a LALM for the classes of a labelled set.

    Args:
        reader: of its activations.
        labelled: at least two classes.
        num_folds: of recordings.
        seed: of the folds and of the control task.
        is_right: item -> whether the LALM itself answered right; None: it was not asked.
    """
    activations = read_activations(reader, labelled.clips)
    task = _make_task(labelled, num_folds, seed)
    probed = dict(_probe_stages(reader, activations, task))
    answered = None
    if task.has_options and is_right is not None:
        answered = np.array([is_right.get(clip.id, False) for clip in labelled.clips], float)
    return ProbeReport(
        lalm=reader.name,
        revision=reader.revision,
        benchmark=labelled.name,
        benchmark_sha256=labelled.sha256,
        label=labelled.label,
        question=reader.question,
        classes={name: int((task.labels == number).sum()) for number, name in enumerate(task.classes)},
        n=len(labelled.clips),
        num_sources=len(set(task.sources)),
        left_out=dict(labelled.left_out),
        num_folds=num_folds,
        seed=seed,
        strength=STRENGTH,
        chance=1 / len(task.classes),
        majority=float((predict_majority(task.labels, task.folds) == task.labels).mean()),
        chance_among_options=float(np.mean([1 / len(c.choices) for c in task.clips])) if task.has_options else None,
        stages=tuple(one.score for one in probed.values()),
        answers=None if answered is None else _score(answered, task.sources),
        steps=tuple(_compare_stages(probed, answered, task.sources)),
    )


def read_activations(reader: "ActivationReader", clips: Sequence[LabelledClip]) -> dict["ProbedStage", Floats]:
    """Read the activations of all clips: stage -> vectors of shape (num_clips, width)."""
    with report_stage("read activations", total=len(clips), unit="clips") as running:
        read: list[Mapping[ProbedStage, Floats]] = []
        for clip in clips:
            read.append(reader.read(load(clip.path)))
            running.advance()
    return {stage: np.stack([one[stage] for one in read]) for stage in reader.stages}


def _make_task(labelled: LabelledSet, num_folds: int, seed: int) -> _ProbeTask:
    classes = labelled.classes
    labels = np.array([classes.index(clip.label) for clip in labelled.clips], np.int64)
    sources = [clip.source for clip in labelled.clips]
    return _ProbeTask(
        labelled.clips,
        classes,
        labels,
        shuffle_labels(labels, sources, seed),
        sources,
        split_folds(labels, sources, num_folds, seed),
        labelled.has_options,
    )


def _probe_stages(
    reader: "ActivationReader", activations: Mapping["ProbedStage", Floats], task: _ProbeTask
) -> Iterator[tuple["ProbedStage", _Probed]]:
    with report_stage("probe stages", total=len(activations), unit="steps") as running:
        for stage, vectors in activations.items():
            yield stage, _probe_stage(stage, vectors, task, reader.describe(stage))
            running.advance()


def _probe_stage(stage: "ProbedStage", vectors: Floats, task: _ProbeTask, name: str) -> _Probed:
    likely, by_control = predict_held_out(vectors, (task.labels, task.control), task.folds)
    is_right = (likely.argmax(1) == task.labels).astype(float)
    is_control_right = (by_control.argmax(1) == task.control).astype(float)
    compared = _choose_among_options(likely, task) if task.has_options else is_right
    selectivity = compute_paired_difference((is_right - is_control_right).tolist(), task.sources)
    score = StageProbe(
        **_score(is_right, task.sources).model_dump(),
        part=stage.part,
        reading=stage.reading,
        layer=stage.layer,
        name=name,
        width=vectors.shape[1],
        control=float(is_control_right.mean()),
        selectivity=selectivity.value,
        selectivity_95=selectivity.ci_95,
        among_options=_score(compared, task.sources) if task.has_options else None,
    )
    return _Probed(score, compared)


def _choose_among_options(likely: Floats, task: _ProbeTask) -> Floats:
    """Return 1 for each clip whose right class is the likeliest of its options; no class at all, and it is last."""
    places = {name: number for number, name in enumerate(task.classes)}
    chosen = [
        max((option for option in clip.choices if option in places), key=lambda option: row[places[option]])
        for clip, row in zip(task.clips, likely, strict=True)
    ]
    return np.array([option == clip.label for option, clip in zip(chosen, task.clips, strict=True)], float)


def _score(is_right: Floats, sources: Sequence[str]) -> ProbeScore:
    return ProbeScore(accuracy=float(is_right.mean()), ci_95=compute_clustered_interval(is_right.tolist(), sources))


def _compare_stages(
    probed: Mapping["ProbedStage", _Probed], answered: Floats | None, sources: Sequence[str]
) -> Iterator[ProbeStep]:
    """Yield what becomes of the sound from encoder to connector, to the reply's first token, and to the reply."""
    last = [one for stage, one in probed.items() if stage.reading == "last"][-1]
    whole = [one for stage, one in probed.items() if stage.reading == "all"]
    way = [(one.score.name, one.compared) for one in (*whole, last)]
    if answered is not None:
        way.append(("its own answers", answered))
    for (before, a), (after, b) in pairwise(way):
        found = compute_paired_difference((b - a).tolist(), sources)
        p = compute_clustered_p(found, len(set(sources)))
        yield ProbeStep(before=before, after=after, difference=found.value, ci_95=found.ci_95, p=p)
