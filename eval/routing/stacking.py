"""Stacking of two arms: a conditional logit over the options of a question, with a ridge penalty."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agents.reading.confidence import TINY, Probabilities
from agents.routing.features import Features
from agents.routing.router import ArmWeight, Stack

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]
FoldSplit: TypeAlias = tuple[Places, Places]
"""Rows to fit on, and rows that the fit has not seen."""

RIDGES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e4)  # penalty weights: the larger, the less the features count
NO_OPTION = -1e9


class StackingExample(NamedTuple):
    """One question that both arms answered, their probabilities calibrated."""

    features: Features
    letters: tuple[str, ...]
    """Of the options."""
    cascade: Probabilities
    lalm: Probabilities
    right: str
    """Letter of the right option."""


class Stacked(NamedTuple):
    """A fit on all examples, and for each example a held-out fit without its clip."""

    stack: Stack
    held_out: tuple[Stack, ...]


def fit_stack(examples: Sequence[StackingExample], splits: Sequence[FoldSplit]) -> Stacked:
    """Choose the ridge by cross-validation over the splits, then fit on all examples."""
    problem = _Problem.from_examples(examples)
    everything = np.arange(len(examples))
    tried = {ridge: [problem.fit(seen, ridge) for seen, _ in splits] for ridge in RIDGES}
    losses = {
        ridge: sum(
            problem.compute_loss(fitted, unseen, seen) for fitted, (seen, unseen) in zip(fits, splits, strict=True)
        )
        for ridge, fits in tried.items()
    }
    best = min(RIDGES, key=losses.__getitem__)
    held_out: dict[int, Stack] = {}
    for fitted, (seen, unseen) in zip(tried[best], splits, strict=True):
        held_out |= dict.fromkeys(map(int, unseen), problem.to_stack(fitted, seen))
    return Stacked(
        problem.to_stack(problem.fit(everything, best), everything),
        tuple(held_out[place] for place in range(len(examples))),
    )


class _Problem(NamedTuple):
    """Examples as arrays: n questions, at most k options, f features."""

    names: tuple[str, ...]
    features: Floats
    """[n, f]."""
    logs: Floats
    """[2, n, k]: log-probabilities of the cascade and of the LALM; 0 where an arm has none."""
    absent: NDArray[np.bool_]
    """[n, k]: no such option."""
    right: Places
    """[n]."""

    @classmethod
    def from_examples(cls, examples: Sequence[StackingExample]) -> "_Problem":
        """Stack examples as arrays, with the options that an example lacks masked."""
        names = tuple(examples[0].features)
        most = max(len(one.letters) for one in examples)
        logs, absent = np.zeros((2, len(examples), most)), np.ones((len(examples), most), np.bool_)
        for place, one in enumerate(examples):
            num_options = len(one.letters)
            absent[place, :num_options] = False
            for arm, known in enumerate((one.cascade, one.lalm)):
                if known:
                    logs[arm, place, :num_options] = [np.log(max(known[letter], TINY)) for letter in one.letters]
        return cls(
            names=names,
            features=np.array([[one.features[name] for name in names] for one in examples], np.float64),
            logs=logs,
            absent=absent,
            right=np.array([one.letters.index(one.right) for one in examples]),
        )

    def find_scaling(self, seen: Places) -> tuple[Floats, Floats]:
        """Return means and deviations [f] over the rows fitted on."""
        means, scales = self.features[seen].mean(axis=0), self.features[seen].std(axis=0)
        scales[scales == 0] = 1.0
        return means, scales

    def fit(self, seen: Places, ridge: float) -> Floats:
        """Return the parameters [2 (1 + f)]: bias and weights of the cascade, then of the LALM."""
        from scipy.optimize import minimize

        start = np.zeros(2 * (1 + len(self.names)))
        biases = [0, len(start) // 2]
        start[biases] = 1.0

        rows = self._select(seen, seen)

        def compute_objective(parameters: Floats) -> tuple[float, Floats]:
            """Return loss and gradient, with the ridge on everything but the biases."""
            held = parameters.copy()
            held[biases] = 0.0
            loss, slope = rows.compute_loss_and_slope(parameters)
            return loss + ridge * float(held @ held), slope + 2 * ridge * held

        found: Floats = minimize(compute_objective, start, jac=True, method="L-BFGS-B").x
        return found

    def compute_loss(self, parameters: Floats, rows: Places, scaled_by: Places) -> float:
        """Return the negative log-likelihood of the right options in these rows."""
        return self._select(rows, scaled_by).compute_loss_and_slope(parameters)[0]

    def _select(self, rows: Places, scaled_by: Places) -> "_ScaledRows":
        means, scales = self.find_scaling(scaled_by)
        return _ScaledRows(
            scaled=np.column_stack([np.ones(len(rows)), (self.features[rows] - means) / scales]),
            logs=self.logs[:, rows],
            absent=self.absent[rows],
            right=(np.arange(len(rows)), self.right[rows]),
        )

    def to_stack(self, parameters: Floats, seen: Places) -> Stack:
        """Return what prediction needs."""
        means, scales = self.find_scaling(seen)
        (cascade, *of_cascade), (lalm, *of_lalm) = parameters.reshape(2, -1).tolist()
        return Stack(
            names=self.names,
            means=tuple(means.tolist()),
            scales=tuple(scales.tolist()),
            cascade=ArmWeight(weights=tuple(of_cascade), bias=cascade),
            lalm=ArmWeight(weights=tuple(of_lalm), bias=lalm),
        )


class _ScaledRows(NamedTuple):
    """Some of the questions, r of them, with their features scaled."""

    scaled: Floats
    """[r, 1 + f]: a one for the bias first."""
    logs: Floats
    """[2, r, k]."""
    absent: NDArray[np.bool_]
    """[r, k]."""
    right: tuple[Places, Places]
    """Rows and columns of the right options."""

    def compute_loss_and_slope(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the negative log-likelihood of the right options, and its gradient."""
        says = self.scaled @ parameters.reshape(2, -1).T
        utilities = np.where(self.absent, NO_OPTION, np.einsum("na,ank->nk", says, self.logs))
        utilities -= utilities.max(axis=1, keepdims=True)
        shares = np.exp(utilities)
        shares /= shares.sum(axis=1, keepdims=True)
        loss = -float(np.log(np.maximum(shares[self.right], TINY)).sum())
        shares[self.right] -= 1
        slope = np.einsum("nk,ank->an", shares, self.logs) @ self.scaled
        return loss, slope.reshape(-1)
