"""Fit a router on two runs by nested cross-validation with folds over recordings (or videos).

A logistic regression on what the question says, fitted on the questions that exactly one arm got right, predicts which
arm to ask; a conditional logit over the options (`eval.routing.stacking`), fitted on all, combines two
answers. Inner folds choose the regularisation of both and the certainty threshold of the first; outer folds, which no
fit has seen, give the figures.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agents.routing.features import compute_features, compute_question_features
from agents.routing.router import ArmWeight, Logistic, Reconciled, Router, Stack, choose_arm, choose_route
from eval.routing.arms import ArmPair, Arms
from eval.routing.stacking import FoldSplit, Stacked, StackingExample, fit_stack
from eval.scoring.calibration import Forecast, fit_temperature
from services.progress import report_stage
from services.types import Answer, Route

Floats: TypeAlias = NDArray[np.float64]

NUM_FOLDS = 5
NUM_INNER_FOLDS = 4
STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # scikit-learn's C: the smaller, the closer to no feature
CERTAINTIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.01)  # from never both to always both
MAX_ITERATIONS = 2000
NO_STACK = Stack(
    names=(), means=(), scales=(), cascade=ArmWeight(weights=(), bias=1.0), lalm=ArmWeight(weights=(), bias=1.0)
)


class Decision(NamedTuple):
    """A router's decision on one question."""

    likely_before: float
    """Probability that the LALM is the better one, from the question alone."""
    if_both: str | None
    """Letter that both arms together come to."""

    def choose_way(self, certainty: float) -> Route:
        """Return which arms it asks."""
        return choose_route(self.likely_before, certainty)

    def is_right(self, pair: ArmPair, certainty: float) -> bool:
        """Tell whether it is right when it asks both arms below this certainty."""
        way = self.choose_way(certainty)
        if way == "both":
            return pair.is_right(self.if_both)
        return pair.lalm_right if way == "lalm" else pair.cascade_right


class Tested(NamedTuple):
    """A pair's held-out result."""

    router: Router
    """Fitted without the pair's fold."""
    decision: Decision
    fold: int


class _Learnt(NamedTuple):
    """A regression, and what it says about each row when fitted without that row's source."""

    model: Logistic
    held_out: Floats


def fit_router(arms: Arms) -> Router:
    """Fit on all pairs."""
    with report_stage("fit on all"):
        return _fit(arms, arms.pairs)


def cross_validate(arms: Arms) -> tuple[Tested, ...]:
    """Cross-validate: for each pair, return a router fitted without its source, and that router's decision."""
    from sklearn.model_selection import GroupKFold

    found: dict[int, Tested] = {}
    sources = [pair.source for pair in arms.pairs]
    num_folds = _count_folds(sources, NUM_FOLDS)
    with report_stage("cross-validate", num_folds, "parts") as running:
        for fold, (seen, unseen) in enumerate(GroupKFold(num_folds).split(sources, groups=sources)):
            router = _fit(arms, [arms.pairs[place] for place in seen])
            found |= {int(place): Tested(router, _decide(router, arms.pairs[place]), fold) for place in unseen}
            running.advance()
    return tuple(found[place] for place in range(len(sources)))


def _count_folds(sources: Sequence[str], wanted: int) -> int:
    return min(wanted, len(set(sources)))


def _decide(router: Router, pair: ArmPair) -> Decision:
    likely = router.before.predict(compute_question_features(pair.question))
    return Decision(likely, choose_letter(pair, router.reconcile(pair.question, pair.cascade, pair.lalm)))


def choose_letter(pair: ArmPair, found: Reconciled) -> str | None:
    """Return the letter chosen from two reconciled answers, as `agents.auto` does."""
    if found.probabilities:
        return max(found.probabilities, key=found.probabilities.__getitem__)
    choice = choose_arm(pair.cascade, pair.lalm, found.weight).choice
    return choice.letter if choice else None


def _fit(arms: Arms, pairs: Sequence[ArmPair]) -> Router:
    splits = _make_inner_splits(pairs)
    before = _learn(pairs, splits)
    cascade_temperature = fit_temperature(
        [_make_forecast(pair, pair.cascade) for pair in pairs if pair.cascade.probabilities]
    )
    lalm_temperature = fit_temperature([_make_forecast(pair, pair.lalm) for pair in pairs if pair.lalm.probabilities])
    draft = Router(
        models=arms.models,
        cascade_temperature=cascade_temperature,
        lalm_temperature=lalm_temperature,
        before=before.model,
        after=NO_STACK,
        certainty=CERTAINTIES[-1],
        provenance=arms.describe_provenance(_count_folds([pair.source for pair in arms.pairs], NUM_FOLDS)),
    )
    after = fit_stack([_make_example(draft, pair) for pair in pairs], splits)
    return draft.model_copy(update={"after": after.stack, "certainty": _find_certainty(draft, pairs, before, after)})


def _find_certainty(draft: Router, pairs: Sequence[ArmPair], before: "_Learnt", after: Stacked) -> float:
    """Return the certainty threshold of `before`, by the fits that have not seen each question's source."""
    unseen = [draft.model_copy(update={"after": stack}) for stack in after.held_out]
    decisions = [
        Decision(float(likely), choose_letter(pair, router.reconcile(pair.question, pair.cascade, pair.lalm)))
        for pair, likely, router in zip(pairs, before.held_out, unseen, strict=True)
    ]
    # The first of equals asks both the least.
    return max(CERTAINTIES, key=lambda t: sum(d.is_right(p, t) for d, p in zip(decisions, pairs, strict=True)))


def _make_inner_splits(pairs: Sequence[ArmPair]) -> list[FoldSplit]:
    from sklearn.model_selection import GroupKFold

    sources = [pair.source for pair in pairs]
    return list(GroupKFold(_count_folds(sources, NUM_INNER_FOLDS)).split(sources, groups=sources))


def _make_forecast(pair: ArmPair, answer: Answer) -> Forecast:
    assert pair.right is not None
    return Forecast(answer.probabilities, pair.right, pair.is_right(answer.choice.letter if answer.choice else None))


def _make_example(router: Router, pair: ArmPair) -> StackingExample:
    assert pair.right is not None
    cascade, lalm = router.calibrate_both(pair.cascade, pair.lalm)
    features = compute_features(pair.question, cascade, lalm)
    letters = tuple(choice.letter for choice in pair.question.choices)
    return StackingExample(features, letters, cascade.probabilities, lalm.probabilities, pair.right)


def _learn(pairs: Sequence[ArmPair], splits: Sequence[FoldSplit]) -> _Learnt:
    """Choose the strength by the splits, then fit on everything."""
    features = [compute_question_features(pair.question) for pair in pairs]
    names = tuple(features[0])
    rows = np.array([[one[name] for name in names] for one in features], np.float64)
    prefers_lalm = np.array([pair.lalm_right for pair in pairs])
    counts = np.array([pair.is_discordant for pair in pairs])
    predicted = {strength: np.zeros(len(rows)) for strength in STRENGTHS}
    for strength, likely in predicted.items():
        for seen, unseen in splits:
            kept = seen[counts[seen]]
            model = _fit_regression(names, rows[kept], prefers_lalm[kept], strength)
            likely[unseen] = [model.predict(features[place]) for place in unseen]
    losses = {strength: _log_loss(likely[counts], prefers_lalm[counts]) for strength, likely in predicted.items()}
    best = min(STRENGTHS, key=losses.__getitem__)
    return _Learnt(_fit_regression(names, rows[counts], prefers_lalm[counts], best), predicted[best])


def _log_loss(likely: Floats, is_true: NDArray[np.bool_]) -> float:
    return float(-np.log(np.clip(np.where(is_true, likely, 1 - likely), 1e-9, 1)).mean())


def _fit_regression(names: tuple[str, ...], rows: Floats, is_true: NDArray[np.bool_], strength: float) -> Logistic:
    """Fit, features brought to mean 0 and deviation 1; where only one outcome was seen, its share is all there is."""
    from sklearn.linear_model import LogisticRegression

    means, scales = rows.mean(axis=0), rows.std(axis=0)
    scales[scales == 0] = 1.0
    share = (is_true.sum() + 1) / (len(is_true) + 2)
    weights, bias = np.zeros(len(names)), float(np.log(share / (1 - share)))
    if 0 < is_true.sum() < len(is_true):
        model = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS).fit((rows - means) / scales, is_true)
        weights, bias = model.coef_[0], float(model.intercept_[0])
    return Logistic(
        names=names,
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        weights=tuple(weights.tolist()),
        bias=bias,
    )
