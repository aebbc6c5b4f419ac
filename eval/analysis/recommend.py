"""`earwitness eval recommend`: rank LLMs for fine-tuning by a text-only score, with the expected regret.

The paper's claim is that a cheap text-only score x predicts the score y of the fine-tuned model. Here it becomes
a decision: y is predicted for each backbone from a linear regression over models that have both scores, and they are
ranked by it; a y that was measured counts for itself, within its sampling error. Drawing the regression's parameters
and its residuals many times gives the expected regret: how many points of y the choice falls short of the best
candidate, on average. The sampling error of x decides how sure the ranking by x is; in the regression it is part of
the residuals.

What it assumes: y is linear in x with normal residuals, candidates are like the models of the calibration (their
residuals independent, though models of one family are not), and flat priors. With fewer than five measured scores y,
slope and residuals are the paper's (which takes x for a score like its AKB-2000), and what was measured sets the level.
With the paper's eight models the slope is uncertain, and the regret is dominated by what x does not explain: that is
the honest answer.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from eval.analysis.published import load_published
from eval.analysis.score_table import PercentScore, ScoreTable
from eval.scoring.intervals import Interval, compute_wilson_interval
from services.errors import BadConfig
from services.terminal.counts import format_count
from services.types import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_CALIBRATION = 5  # models with both scores; with fewer the paper's eight are better than nothing
NUM_DRAWS = 20_000
PUBLISHED_X = "akb"  # column of the paper's table that calibrates where there is nothing else


class RankedBackbone(Value):
    """A backbone that could be fine-tuned."""

    model: str
    score: float
    """Text-only accuracy, percent."""
    ci_95: Interval | None
    """Wilson, in percent; None where the number of questions is not known."""
    p_best: float | None
    """Probability that it is the best by x, given the sampling error of x; None without that."""
    at_chance: bool | None
    """Whether x cannot be told from guessing; None where the number of questions or of their options is not known."""
    measured: bool
    """Whether its y was measured: it need not be predicted."""
    predicted: float
    """Expected y, percent; the measured y where there is one."""
    predicted_95: Interval | None
    """Of a measured y by the number of its questions; None where that is not known."""
    tied_with: tuple[str, ...]
    """Others with the same expected y: nothing here tells them apart."""
    regret: float
    """Expected points of y lost by fine-tuning it alone."""


class Recommendation(Value):
    """The ranking, and the expected regret of acting on it."""

    x: str
    y: str
    calibrated_on: str
    num_calibration: int
    slope: float
    """Points of y for a point of x."""
    residual_sd: float
    """Points of y that x leaves unexplained."""
    ranked: tuple[RankedBackbone, ...]
    """By expected y, best first; those that tie by their names."""
    regret_top: tuple[float, ...]
    """Expected regret of fine-tuning the first, the first two, the first three, and keeping the best."""


_Scored: TypeAlias = tuple[str, PercentScore]
"""A model's name and its x."""


class _Regression(NamedTuple):
    """A regression with flat priors: what drawing from its posterior needs."""

    mean_x: float
    mean_y: float
    slope: float
    spread: float
    """Sum of squared deviations of x."""
    variance: float
    """Of the residuals, over `degrees` degrees of freedom."""
    n: int
    """Models that set the level, mean_y at mean_x."""
    degrees: int


def recommend(
    table: ScoreTable, x: str | None = None, y: str | None = None, *, n: int | None = None, seed: int = 0
) -> Recommendation:
    """Rank the models that have x; `n` is the number of questions behind x where the table does not know it.

    Raises `BadConfig` where there are fewer than two candidates or no text-only column.
    """
    x = x or _find_text_column(table)
    y = y or next((name for name in table.columns if name.endswith(":lalm")), None)
    candidates = sorted(table.get_column(x).items(), key=lambda item: -item[1].percent)
    if len(candidates) < 2:
        raise BadConfig(f"{x!r} scores {format_count(len(candidates), 'model')}; a choice takes at least two.")
    known = dict(table.get_column(y)) if y else {}
    both = [model for model in known if model in table.get_column(x)]
    line, source = _calibrate(table.get_values(x, both), [known[model].percent for model in both], _find_published_y(y))
    return _make_recommendation(x, y or _find_published_y(y), candidates, known, _ScoredSource(line, source, n, seed))


class _ScoredSource(NamedTuple):
    line: _Regression
    source: str
    n: int | None
    seed: int


def _find_text_column(table: ScoreTable) -> str:
    found = [name for name in table.columns if name.endswith(":text")] or list(table.columns)[:1]
    if not found:
        raise BadConfig(
            "No text-only scores were given; run `earwitness eval run --path text --bench akb-open` for each LLM."
        )
    return found[0]


def _find_published_y(y: str | None) -> str:
    """Return the paper's column for the benchmark that y is about."""
    return "mmar_a" if y and "mmar" in y.lower() else "mmau_a"


def _calibrate(x: Sequence[float], y: Sequence[float], published_y: str) -> tuple[_Regression, str]:
    """Fit what was measured; where that is too little, take the paper's slope and only the level from here."""
    if len(y) >= MIN_CALIBRATION:
        return _fit(x, y), "the runs given"
    table = load_published().make_table()
    models = table.list_shared(PUBLISHED_X, published_y)
    line = _fit(table.get_values(PUBLISHED_X, models), table.get_values(published_y, models))
    source = f"the paper's eight models (AKB-2000 to {published_y.removesuffix('_a').upper()})"
    if not y:
        return line, source
    return line._replace(mean_x=sum(x) / len(x), mean_y=sum(y) / len(y), n=len(y)), f"{source}, levelled on the runs"


def _fit(x: Sequence[float], y: Sequence[float]) -> _Regression:
    n, mean_x, mean_y = len(x), sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - mean_x) ** 2 for a in x)
    if not spread:
        raise BadConfig("All models of the calibration have the same text-only score: it can predict nothing.")
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    residuals = [b - mean_y - slope * (a - mean_x) for a, b in zip(x, y, strict=True)]
    return _Regression(
        mean_x=mean_x,
        mean_y=mean_y,
        slope=slope,
        spread=spread,
        variance=sum(r * r for r in residuals) / (n - 2),
        n=n,
        degrees=n - 2,
    )


def _make_recommendation(
    x: str, y: str, candidates: Sequence[_Scored], known: Mapping[str, PercentScore], given: _ScoredSource
) -> Recommendation:
    import numpy as np

    rng = np.random.default_rng(given.seed)
    expected = [_expect(candidate, known, given.line) for candidate in candidates]
    order = sorted(range(len(candidates)), key=lambda place: (-expected[place], candidates[place][0]))
    candidates, expected = [candidates[place] for place in order], [expected[place] for place in order]
    percents = np.array([scores.percent for _, scores in candidates])
    sizes = [scores.n or given.n for _, scores in candidates]
    drawn_x = _draw_scores(rng, percents, sizes)
    drawn_y = _draw_targets(rng, given.line, percents)
    for index, (model, _) in enumerate(candidates):
        if model in known:
            drawn_y[:, index] = _draw_measured(rng, known[model])
    np.clip(drawn_y, 0, 100, out=drawn_y)
    best = drawn_y.max(axis=1)
    low, high = np.quantile(drawn_y, [0.025, 0.975], axis=0)
    wins = None if drawn_x is None else np.bincount(drawn_x.argmax(axis=1), minlength=len(candidates)) / NUM_DRAWS
    ranked = tuple(
        RankedBackbone(
            model=model,
            score=scores.percent,
            ci_95=_make_interval(scores.percent, sizes[index]),
            p_best=None if wins is None else float(wins[index]),
            at_chance=_is_at_chance(scores, sizes[index]),
            measured=model in known,
            predicted=expected[index],
            predicted_95=None
            if model in known and known[model].n is None
            else Interval(max(0.0, float(low[index])), min(100.0, float(high[index]))),
            tied_with=tuple(
                other
                for place, (other, _) in enumerate(candidates)
                if place != index and expected[place] == expected[index]
            ),
            regret=float((best - drawn_y[:, index]).mean()),
        )
        for index, (model, scores) in enumerate(candidates)
    )
    tops = range(1, min(3, len(candidates)) + 1)
    return Recommendation(
        x=x,
        y=y,
        calibrated_on=given.source,
        num_calibration=given.line.degrees + 2,
        slope=given.line.slope,
        residual_sd=given.line.variance**0.5,
        ranked=ranked,
        regret_top=tuple(float((best - drawn_y[:, :top].max(axis=1)).mean()) for top in tops),
    )


def _expect(candidate: _Scored, known: Mapping[str, PercentScore], line: _Regression) -> float:
    """Return the expected y of a candidate: measured, or on the line."""
    model, scores = candidate
    on_line = line.mean_y + line.slope * (scores.percent - line.mean_x)
    return known[model].percent if model in known else min(100.0, max(0.0, on_line))


def _draw_measured(rng: "np.random.Generator", scores: PercentScore) -> "NDArray[np.float64] | float":
    """Return draws of a measured y within its sampling error, shape (NUM_DRAWS,); itself where that is not known."""
    if scores.n is None:
        return scores.percent
    right = round(scores.percent * scores.n / 100)
    return 100 * rng.beta(right + 0.5, scores.n - right + 0.5, NUM_DRAWS)  # Jeffreys' posterior: never beyond 100 %


def _is_at_chance(scores: PercentScore, n: int | None) -> bool | None:
    interval = _make_interval(scores.percent, n)
    return None if interval is None or scores.chance is None else interval.low <= scores.chance


def _draw_scores(
    rng: "np.random.Generator", percents: "NDArray[np.float64]", sizes: Sequence[int | None]
) -> "NDArray[np.float64] | None":
    """Return draws of the true x, shape (NUM_DRAWS, num_candidates); None where a number of questions is not known."""
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    shares = percents / 100
    return rng.normal(shares, (shares * (1 - shares) / known) ** 0.5, (NUM_DRAWS, len(sizes)))


def _draw_targets(
    rng: "np.random.Generator", line: _Regression, percents: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    """Return draws of y, shape (NUM_DRAWS, num_candidates), from the posterior predictive of the regression."""
    sd = (line.variance * line.degrees / rng.chisquare(line.degrees, (NUM_DRAWS, 1))) ** 0.5
    slope = line.slope + rng.standard_normal((NUM_DRAWS, 1)) * sd / line.spread**0.5
    mean = line.mean_y + rng.standard_normal((NUM_DRAWS, 1)) * sd / line.n**0.5
    drawn: NDArray[np.float64] = (
        mean + slope * (percents - line.mean_x) + rng.standard_normal((NUM_DRAWS, len(percents))) * sd
    )
    return drawn


def _make_interval(percent: float, n: int | None) -> Interval | None:
    if n is None:
        return None
    low, high = compute_wilson_interval(round(percent * n / 100), n)
    return Interval(100 * low, 100 * high)
