"""Linear probes: regularised logistic regression on one stage of a model, measured on recordings that it never saw.

A probe says whether classes can be told apart by a hyperplane, not whether the model does (Alain & Bengio 2016,
arXiv:1610.01644). Features are standardised on the training recordings and divided by the square root of their number,
so that the same strength of regularisation means the same for stages of any width. Where there are more features than
clips, they are rotated onto the training clips' principal axes first, all of them kept: the optimum stays the same
(representer theorem), and a stage of 18,000 features costs as much as one of 500.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating]
Classes: TypeAlias = NDArray[np.int64]

STRENGTH = 100.0  # inverse of the regularisation, as scikit-learn's C; see docs/log
MAX_ITERATIONS = 1000
TINY = 1e-6  # deviation below which a feature counts as constant


class Fold(NamedTuple):
    """Places of the clips of one fold."""

    seen: NDArray[np.intp]
    unseen: NDArray[np.intp]


def split_folds(labels: Classes, sources: Sequence[str], num_folds: int, seed: int) -> tuple[Fold, ...]:
    """Split clips into folds with all classes in each as far as possible, the clips of one source together."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    return tuple(Fold(seen, unseen) for seen, unseen in splitter.split(labels, labels, sources))


def shuffle_labels(labels: Classes, sources: Sequence[str], seed: int) -> Classes:
    """Give each source the label of a clip of another one at random: the control task, which no sound can help with.

    As in Hewitt & Liang (2019, arXiv:1909.03368) every type, here a recording, gets one label at random, and labels
    keep their frequencies. Their types come back in the test; ours do not, so that the control's accuracy is also what
    is left of chance after imbalance and leaks between folds.
    """
    rng = np.random.default_rng(seed)
    places: dict[str, list[int]] = {}
    for place, source in enumerate(sources):
        places.setdefault(source, []).append(place)
    drawn = rng.permutation([labels[rng.choice(those)] for those in places.values()])
    given = dict(zip(places, drawn.tolist(), strict=True))
    return np.array([given[source] for source in sources], np.int64)


def predict_held_out(vectors: Floats, targets: Sequence[Classes], folds: Sequence[Fold]) -> list[Floats]:
    """Return for each target the probabilities of its classes by probes that have not seen the clip's recording.

    Args:
        vectors: of one stage, shape (num_clips, width).
        targets: class of each clip, from 0, shape (num_clips,) each.
        folds: every clip is unseen in exactly one.

    Returns:
        Shape (num_clips, num_classes) each.
    """
    found: list[Floats] = [np.zeros((len(vectors), int(target.max()) + 1)) for target in targets]
    for seen, unseen in folds:
        train, test = _scale(vectors[seen].astype(np.float64), vectors[unseen].astype(np.float64))
        for target, probabilities in zip(targets, found, strict=True):
            classes = np.unique(target[seen])
            probabilities[np.ix_(unseen, classes)] = _fit_and_predict(train, target[seen], test)
    return found


def predict_majority(labels: Classes, folds: Sequence[Fold]) -> Classes:
    """Return for each clip the most frequent class of the recordings that its fold has seen."""
    predicted = np.zeros_like(labels)
    for seen, unseen in folds:
        predicted[unseen] = np.bincount(labels[seen]).argmax()
    return predicted


def _scale(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    mean, deviation = train.mean(0), train.std(0)
    deviation[deviation < TINY] = np.inf  # a constant tells nothing
    scale = deviation * np.sqrt(train.shape[1])
    train, test = (train - mean) / scale, (test - mean) / scale
    if train.shape[1] <= train.shape[0]:
        return train, test
    axes, values, _ = np.linalg.svd(train @ train.T, hermitian=True)
    kept = values > TINY * values[0] if values[0] else values > 0
    rotated = axes[:, kept] * np.sqrt(values[kept])
    return rotated, test @ (train.T @ (axes[:, kept] / np.sqrt(values[kept])))


def _fit_and_predict(train: Floats, labels: Classes, test: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) == 1 or not train.shape[1]:
        shares = np.bincount(labels)[np.unique(labels)] / len(labels)
        return np.tile(shares, (len(test), 1))
    model = LogisticRegression(C=STRENGTH, max_iter=MAX_ITERATIONS).fit(train, labels)
    probabilities: Floats = model.predict_proba(test)
    return probabilities
