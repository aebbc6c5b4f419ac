"""`earwitness eval fit-router`: every way to choose between two arms, measured on held-out recordings, with its cost.

What is fitted (the better arm of each task, temperatures, the router) was fitted without the fold that holds the
recording in question, the same folds for all. The modality switch is given the benchmark's own task; the router sees
the question's words only. Only "oracle" knows the answers: it takes whichever arm is right. Where the cascade's run had
a budget for follow-up questions, the cascade that hears once, which is the paper's, stands in a row of its own, and
every way is tested against it as well.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agents.reading.confidence import measure_confidence
from agents.routing.router import Reconciled, Router, pool_answers
from eval.routing.arms import Arm, ArmPair, Arms, Cost
from eval.routing.fit_router import CERTAINTIES, Decision, Tested, choose_letter, cross_validate, fit_router
from eval.scoring.intervals import Interval, compute_wilson_interval
from eval.scoring.statistics import compute_mcnemar_p
from services.types import Route, Value

ROUTER = "fitted router"
ONCE = "cascade, heard once"


class RoutingRow(Value):
    """One way to choose, over all questions."""

    name: str
    n: int
    correct: int
    wilson_95: Interval
    only_this: int
    """Questions that this way gets right and the better arm does not."""
    only_better_arm: int
    mcnemar_p: float | None
    """Exact, against the better arm; None for that arm itself."""
    mcnemar_p_once: float | None
    """Exact, against the cascade that hears once; None for that one itself, and where there were no follow-ups."""
    seconds: float | None
    """Mean per question: of both arms where both are asked, as if one after the other; None where not measured."""
    tokens: float | None
    headroom: float | None
    """Share of the distance from the better arm to the oracle; None where there is none."""
    by_task: dict[str, float]


class Point(Value):
    """The fitted router at one certainty."""

    certainty: float
    correct: int
    seconds: float
    asked_both: float
    """Share of the questions."""


class RoutingTable(Value):
    """Ways to choose between a cascade and a LALM."""

    n: int
    discordant: int
    failed: int
    """Questions left out because an arm failed at them."""
    cached: int
    """Captions, transcripts and readings of the cascade whose seconds are in no figure, as they were there already."""
    better_arm: Arm
    rows: tuple[RoutingRow, ...]
    curve: tuple[Point, ...]
    """From never both to always both."""


class _RouteOutcome(NamedTuple):
    """Result of one way on one question."""

    is_right: bool
    way: Route | None
    """None: an earlier answer of the cascade's run, whose cost was not measured."""


class FittedRouting(NamedTuple):
    """The router fitted on everything, and what its like did on clips they had not seen."""

    router: Router
    table: RoutingTable


def evaluate_routing(arms: Arms) -> FittedRouting:
    """Fit the router, and measure every way to choose."""
    tested = cross_validate(arms)
    ways = _try_ways(arms.pairs, tested)
    totals = {name: sum(one.is_right for one in ways[f"{name} only"]) for name in ("cascade", "lalm")}
    better: Arm = "lalm" if totals["lalm"] > totals["cascade"] else "cascade"
    table = RoutingTable(
        n=len(arms.pairs),
        discordant=sum(pair.is_discordant for pair in arms.pairs),
        failed=arms.num_failed,
        cached=arms.num_cached,
        better_arm=better,
        rows=tuple(_make_row(name, outcomes, ways[f"{better} only"], arms, ways) for name, outcomes in ways.items()),
        curve=tuple(_make_point(arms, [one.decision for one in tested], certainty) for certainty in CERTAINTIES),
    )
    return FittedRouting(fit_router(arms), table)


def _try_ways(pairs: Sequence[ArmPair], tested: Sequence[Tested]) -> dict[str, list[_RouteOutcome]]:
    together = list(zip(pairs, tested, strict=True))
    asked_again = any(pair.cascade.drafts for pair in pairs)
    once = {ONCE: [_RouteOutcome(pair.once_right, None) for pair in pairs]} if asked_again else {}
    return {
        **once,
        "cascade only": [_RouteOutcome(pair.cascade_right, "cascade") for pair in pairs],
        "lalm only": [_RouteOutcome(pair.lalm_right, "lalm") for pair in pairs],
        "modality switch": [
            _ask_one_arm(pair, _pick_better_in_task(pair.task, one.fold, together)) for pair, one in together
        ],
        "confidence switch": [_pick_surer(pair, one.router) for pair, one in together],
        ROUTER: [
            _RouteOutcome(
                one.decision.is_right(pair, one.router.certainty), one.decision.choose_way(one.router.certainty)
            )
            for pair, one in together
        ],
        "always both": [
            _RouteOutcome(pair.is_right(choose_letter(pair, _pool_equally(pair, one.router))), "both")
            for pair, one in together
        ],
        "oracle": [_RouteOutcome(pair.cascade_right or pair.lalm_right, "both") for pair in pairs],
    }


def _ask_one_arm(pair: ArmPair, arm: Arm) -> _RouteOutcome:
    return _RouteOutcome(pair.lalm_right if arm == "lalm" else pair.cascade_right, arm)


def _pick_better_in_task(task: str, fold: int, together: Sequence[tuple[ArmPair, Tested]]) -> Arm:
    """Return the arm that is better on a task's questions in the other folds."""
    others = [pair for pair, one in together if pair.task == task and one.fold != fold]
    return "lalm" if sum(pair.lalm_right - pair.cascade_right for pair in others) > 0 else "cascade"


def _pick_surer(pair: ArmPair, router: Router) -> _RouteOutcome:
    cascade, lalm = (measure_confidence(one.probabilities) for one in router.calibrate_both(pair.cascade, pair.lalm))
    return _ask_one_arm(pair, "lalm" if lalm.top > cascade.top else "cascade")._replace(way="both")


def _pool_equally(pair: ArmPair, router: Router) -> Reconciled:
    """Pool both arms with equal weights."""
    return Reconciled(
        pool_answers(*router.calibrate_both(pair.cascade, pair.lalm), 0.5), 0.5, "product of probabilities"
    )


def _measure_cost(arms: Arms, ways: Sequence[Route]) -> Cost:
    costs: dict[Route, Cost] = {
        "cascade": arms.cascade_cost,
        "lalm": arms.lalm_cost,
        "both": Cost(*(sum(two) for two in zip(arms.cascade_cost, arms.lalm_cost, strict=True))),
    }
    return Cost(sum(costs[way].seconds for way in ways) / len(ways), sum(costs[way].tokens for way in ways) / len(ways))


def _make_row(
    name: str,
    outcomes: Sequence[_RouteOutcome],
    better: Sequence[_RouteOutcome],
    arms: Arms,
    ways: dict[str, list[_RouteOutcome]],
) -> RoutingRow:
    n, correct = len(outcomes), sum(one.is_right for one in outcomes)
    at_least, at_most = (sum(one.is_right for one in side) for side in (better, ways["oracle"]))
    only_this, only_better = _count_apart(outcomes, better)
    once = ways.get(ONCE)
    asked = [one.way for one in outcomes if one.way is not None]
    cost = _measure_cost(arms, asked) if asked else None
    return RoutingRow(
        name=name,
        n=n,
        correct=correct,
        wilson_95=compute_wilson_interval(correct, n),
        only_this=only_this,
        only_better_arm=only_better,
        mcnemar_p=None if outcomes is better else compute_mcnemar_p(only_this, only_better),
        mcnemar_p_once=None if once is None or outcomes is once else compute_mcnemar_p(*_count_apart(outcomes, once)),
        seconds=cost.seconds if cost else None,
        tokens=cost.tokens if cost else None,
        headroom=(correct - at_least) / (at_most - at_least) if at_most > at_least else None,
        by_task=_score_by_task(outcomes, arms.pairs),
    )


def _count_apart(these: Sequence[_RouteOutcome], those: Sequence[_RouteOutcome]) -> tuple[int, int]:
    """Return how many questions only these and only those get right."""
    pairs = [(this.is_right, that.is_right) for this, that in zip(these, those, strict=True)]
    return pairs.count((True, False)), pairs.count((False, True))


def _score_by_task(outcomes: Sequence[_RouteOutcome], pairs: Sequence[ArmPair]) -> dict[str, float]:
    shares = {}
    for task in sorted({pair.task for pair in pairs}):
        right = [one.is_right for one, pair in zip(outcomes, pairs, strict=True) if pair.task == task]
        shares[task] = sum(right) / len(right)
    return shares


def _make_point(arms: Arms, decisions: Sequence[Decision], certainty: float) -> Point:
    ways = [decision.choose_way(certainty) for decision in decisions]
    return Point(
        certainty=certainty,
        correct=sum(one.is_right(pair, certainty) for one, pair in zip(decisions, arms.pairs, strict=True)),
        seconds=_measure_cost(arms, ways).seconds,
        asked_both=ways.count("both") / len(ways),
    )
