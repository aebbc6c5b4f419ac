"""Text probe of a backbone: do the names of sounds lie to each other as the sounds do?

A linear map between recordings and the names of their classes is trained on some classes and retrieves the names of
others, which it has never seen, among all names (accuracy at K). As in the paper (arXiv:2402.16998) the loss is
contrastive, classes of training and test are disjoint, and names of both are retrieved. Ours are: the sounds are the
means over time of the encoder's taps, rotated onto their first principal axes; a name is the mean of a layer's states
over its tokens, without a sentence around it; and the control gives every class the name of another.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from eval.probing.labelled import LabelledSet
from eval.probing.linear import TINY, Classes, Floats, Fold
from eval.probing.probe import read_activations
from eval.scoring.intervals import Interval, compute_clustered_interval
from eval.scoring.statistics import compute_paired_difference
from services.errors import BadConfig
from services.progress import report_stage
from services.types import Value

if TYPE_CHECKING:
    from lalm.probing.activations import ActivationReader
    from lalm.probing.text_vectors import TextReader

MIN_CLASSES = 8
NUM_AXES = 128  # principal axes of the sounds that are kept
RANKS = (1, 3, 5)  # K of accuracy at K
MAX_LAYERS = 8  # that are probed, evenly spaced, beside the embeddings


class RetrievalScore(Value):
    """How well the names of unseen classes are retrieved from one layer."""

    layer: int
    """0: the embeddings."""
    at_rank: dict[int, float]
    """K -> share of clips whose class is among the K nearest names."""
    ci_95: Interval
    """Of the accuracy at 1, clustered by class: what other classes would change."""
    control_at_rank: dict[int, float]
    """The same with the names given to other classes at random."""
    difference: float
    """Of the accuracy at the last K to the control's."""
    difference_95: Interval
    """Clustered by class."""


class RetrievalReport(Value):
    """A text probe of a backbone."""

    backbone: str
    revision: str
    encoder: str
    benchmark: str
    benchmark_sha256: str
    label: str
    n: int
    num_classes: int
    num_folds: int
    """Of classes."""
    seed: int
    chance_at_rank: dict[int, float]
    layers: tuple[RetrievalScore, ...]


class Sounds(NamedTuple):
    """Vectors of recordings."""

    encoder: str
    vectors: Floats
    """Shape (num_clips, E)."""


def read_sounds(reader: "ActivationReader", labelled: LabelledSet) -> Sounds:
    """Read the means of all taps of the encoders of a LALM, for each recording."""
    whole = next(one for one in reader.stages if (one.part, one.reading) == ("encoder", "all"))
    return Sounds(reader.name, read_activations(reader, labelled.clips)[whole])


def probe_texts(
    texts: "TextReader", sounds: Sounds, labelled: LabelledSet, *, num_folds: int, seed: int
) -> RetrievalReport:
    """Probe how the names of sounds are arranged in a causal LM.

    Raises:
        BadConfig: there are too few classes.
    """
    classes = labelled.classes
    if len(classes) < max(MIN_CLASSES, num_folds):
        raise BadConfig(
            f"A text probe needs at least {max(MIN_CLASSES, num_folds)} classes, some of which it never sees; "
            f"--label {labelled.label} of {labelled.name} has {len(classes)}."
        )
    labels = np.array([classes.index(clip.label) for clip in labelled.clips], np.int64)
    named = np.stack([texts.read(name) for name in classes])
    layers = sorted(
        {0, *np.linspace(1, texts.num_layers, min(MAX_LAYERS, texts.num_layers)).round().astype(int).tolist()}
    )
    folds = tuple(_split_classes(labels, len(classes), num_folds, seed))
    with report_stage("probe layers", total=len(layers), unit="steps") as running:
        scores = []
        for layer in layers:
            scores.append(_score_layer(layer, named[:, layer], sounds.vectors, labels, folds, seed))
            running.advance()
    return RetrievalReport(
        backbone=texts.name,
        revision=texts.revision,
        encoder=sounds.encoder,
        benchmark=labelled.name,
        benchmark_sha256=labelled.sha256,
        label=labelled.label,
        n=len(labels),
        num_classes=len(classes),
        num_folds=num_folds,
        seed=seed,
        chance_at_rank={rank: rank / len(classes) for rank in RANKS},
        layers=tuple(scores),
    )


def _split_classes(labels: Classes, num_classes: int, num_folds: int, seed: int) -> Iterator[Fold]:
    """Split by class: what is tested is of classes that were not trained on."""
    order = np.random.default_rng(seed).permutation(num_classes)
    for unseen in np.array_split(order, num_folds):
        held = np.isin(labels, unseen)
        yield Fold(np.flatnonzero(~held), np.flatnonzero(held))


def _score_layer(
    layer: int, named: Floats, sounds: Floats, labels: Classes, folds: Sequence[Fold], seed: int
) -> RetrievalScore:
    shuffled = np.random.default_rng(seed).permutation(len(named))
    ranks, control = np.zeros(len(labels), np.int64), np.zeros(len(labels), np.int64)
    for fold in folds:
        ranks[fold.unseen] = _rank_names(named, sounds, labels, fold, seed)
        control[fold.unseen] = _rank_names(named[shuffled], sounds, labels, fold, seed)
    at_rank, control_at_rank = _count_ranks(ranks), _count_ranks(control)
    last = RANKS[-1]
    found, chance = (ranks < last).astype(float), (control < last).astype(float)
    sources = [str(label) for label in labels]
    difference = compute_paired_difference((found - chance).tolist(), sources)
    return RetrievalScore(
        layer=layer,
        at_rank=at_rank,
        ci_95=compute_clustered_interval((ranks < 1).astype(float).tolist(), sources),
        control_at_rank=control_at_rank,
        difference=difference.value,
        difference_95=difference.ci_95,
    )


def _count_ranks(ranks: Classes) -> dict[int, float]:
    return {rank: float((ranks < rank).mean()) for rank in RANKS}


def _rank_names(named: Floats, sounds: Floats, labels: Classes, fold: Fold, seed: int) -> Classes:
    """Return for each unseen clip how many names lie nearer than its own class's, from 0."""
    from lalm.probing.contrast import PairedVectors, fit_and_compare

    seen_classes = np.unique(labels[fold.seen])
    train, test = _rotate(sounds[fold.seen], sounds[fold.unseen])
    mean, deviation = named[seen_classes].mean(0), named[seen_classes].std(0)
    texts = (named - mean) / np.where(deviation < TINY, np.inf, deviation)
    seen = PairedVectors(train, texts[seen_classes], np.searchsorted(seen_classes, labels[fold.seen]))
    similar = fit_and_compare(seen, test, texts, seed)
    own = similar[np.arange(len(test)), labels[fold.unseen]]
    nearer: Classes = (similar > own[:, None]).sum(1).astype(np.int64)
    return nearer


def _rotate(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Standardise on the training clips, and keep their first principal axes."""
    mean, deviation = train.mean(0), train.std(0)
    scale = np.where(deviation < TINY, np.inf, deviation)
    train, test = (train - mean) / scale, (test - mean) / scale
    _, values, axes = np.linalg.svd(train, full_matrices=False)
    kept = min(NUM_AXES, int((values > TINY * values[0]).sum()))
    spread = values[0] / np.sqrt(len(train))
    return train @ axes[:kept].T / spread, test @ axes[:kept].T / spread
