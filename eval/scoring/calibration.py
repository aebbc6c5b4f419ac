"""Calibration of probabilities (ECE, Brier score, temperature scaling) and selective prediction (risk-coverage, AURC).

The confidence of an answer is its top probability. Expected calibration error and temperature scaling: Guo et al. 2017
(arXiv:1706.04599); Brier score: Brier 1950; risk-coverage curve: Geifman & El-Yaniv 2017 (arXiv:1705.08500).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from math import exp, log
from typing import NamedTuple

from agents.reading.confidence import TINY, apply_temperature
from eval.scoring.intervals import compute_wilson_interval
from eval.scoring.scoring import Calibration, ForecastQuality, RiskPoint, SelectiveAccuracy, Verdict

NUM_BINS = 10
LOG_TEMPERATURES = (-3.5, 3.5)  # beyond this a distribution is flat, or certain
COVERAGES = tuple(tenth / 10 for tenth in range(1, 11))


class Forecast(NamedTuple):
    """Predicted distribution over the options of one question, with the right option."""

    probabilities: dict[str, float]
    right: str
    """Key of the right option."""
    is_right: bool
    """Whether the answer that was given is right."""

    @property
    def confidence(self) -> float:
        """Probability of the likeliest option."""
        return max(self.probabilities.values())

    def temper(self, temperature: float) -> "Forecast":
        """Return the forecast at another temperature."""
        return self._replace(probabilities=apply_temperature(self.probabilities, temperature))


def calibrate(verdicts: Collection[Verdict], abstain: float | None = None) -> Calibration | None:
    """Measure a run's probabilities; None where it has none, or the answers are withheld."""
    halves = split_halves(verdicts, forecast_answer)
    raw = [*halves[0], *halves[1]]
    if not raw:
        return None
    corrected = [*_temper(halves[0], halves[1]), *_temper(halves[1], halves[0])]
    curve = list(compute_risk_coverage(raw))  # the halves' temperatures would put their answers in another order
    return Calibration(
        n=len(raw),
        raw=measure_quality(raw),
        tempered=measure_quality(corrected),
        temperature=round(fit_temperature(raw), 4),
        aurc=compute_aurc(raw),
        risk_coverage=tuple(curve[max(0, round(share * len(curve)) - 1)] for share in COVERAGES),
        abstention=None if abstain is None else measure_abstention(corrected, abstain, len(verdicts)),
    )


def split_halves(
    verdicts: Collection[Verdict], forecast: Callable[[Verdict], Forecast | None]
) -> tuple[list[Forecast], list[Forecast]]:
    """Split the forecasts of a run into two halves, for cross-fitting; those that share a source stay together."""
    halves: tuple[list[Forecast], list[Forecast]] = ([], [])
    for verdict in verdicts:
        if one := forecast(verdict):
            halves[_pick_half(verdict.cluster or verdict.id)].append(one)
    return halves


def forecast_answer(verdict: Verdict) -> Forecast | None:
    """Return what the answer said; None without probabilities or where the right option is withheld."""
    if not verdict.probabilities or verdict.right is None:
        return None
    named = {str(place): p for place, p in enumerate(verdict.probabilities)}
    return Forecast(named, str(verdict.right), verdict.correct_strict)


def forecast_raw(verdict: Verdict) -> Forecast | None:
    """Return what the model itself said, before temperature and findings; None where it gave no probabilities."""
    if not verdict.raw_probabilities or verdict.right is None:
        return None
    named = {str(place): p for place, p in enumerate(verdict.raw_probabilities)}
    return Forecast(named, str(verdict.right), max(named, key=named.__getitem__) == str(verdict.right))


def _pick_half(cluster: str) -> int:
    """Return 0 or 1: what shares a source is in the same half, in every run."""
    return sha256(cluster.encode()).digest()[0] % 2


def _temper(forecasts: Sequence[Forecast], fitted_on: Sequence[Forecast]) -> list[Forecast]:
    temperature = fit_temperature(fitted_on)
    return [forecast.temper(temperature) for forecast in forecasts]


def fit_temperature(forecasts: Sequence[Forecast]) -> float:
    """Fit temperature scaling: the temperature of least negative log-likelihood; 1 without forecasts."""
    if not forecasts:
        return 1.0
    import numpy as np
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    most = max(len(one.probabilities) for one in forecasts)
    logs_NK = np.full((len(forecasts), most), -np.inf)
    for row_K, one in zip(logs_NK, forecasts, strict=True):
        row_K[: len(one.probabilities)] = np.log(np.maximum(list(one.probabilities.values()), TINY))
    rights = np.arange(len(forecasts)), [list(one.probabilities).index(one.right) for one in forecasts]

    def compute_loss(log_temperature: float) -> float:
        """Return the negative log-likelihood of the right options."""
        tempered_NK = log_softmax(logs_NK / exp(log_temperature), axis=1)
        return -float(np.maximum(tempered_NK[rights], log(TINY)).mean())

    return exp(float(minimize_scalar(compute_loss, bounds=LOG_TEMPERATURES).x))


def measure_quality(forecasts: Sequence[Forecast]) -> ForecastQuality:
    """Return calibration error, Brier score and negative log-likelihood of one or more forecasts."""
    return ForecastQuality(ece=compute_ece(forecasts), brier=compute_brier_score(forecasts), nll=compute_nll(forecasts))


def compute_nll(forecasts: Sequence[Forecast]) -> float:
    """Return the mean negative log-likelihood of the right option, in nats."""
    return -sum(log(max(forecast.probabilities[forecast.right], TINY)) for forecast in forecasts) / len(forecasts)


def compute_brier_score(forecasts: Sequence[Forecast]) -> float:
    """Return the Brier score: mean squared error of the probabilities, summed over the options, in [0, 2]."""
    return sum(_compute_squared_error(forecast) for forecast in forecasts) / len(forecasts)


def _compute_squared_error(forecast: Forecast) -> float:
    return sum((p - (option == forecast.right)) ** 2 for option, p in forecast.probabilities.items())


def compute_ece(forecasts: Sequence[Forecast], num_bins: int = NUM_BINS) -> float:
    """Return the expected calibration error: mean gap of confidence and accuracy over bins of equal width."""

    def find_bin(forecast: Forecast) -> int:
        """Return the bin of a forecast; confidence 1 belongs to the last."""
        return min(num_bins - 1, int(forecast.confidence * num_bins))

    binned = groupby(sorted(forecasts, key=find_bin), key=find_bin)
    return sum(abs(sum(one.confidence - one.is_right for one in bin_)) for _, bin_ in binned) / len(forecasts)


def compute_risk_coverage(forecasts: Sequence[Forecast]) -> Iterator[RiskPoint]:
    """Yield the risk-coverage curve: error rate of the 1, 2, … most confident answers; ties share their errors."""
    errors, num_seen = 0.0, 0
    ranked = sorted(forecasts, key=lambda forecast: -forecast.confidence)
    for _, tied in groupby(ranked, key=lambda forecast: forecast.confidence):
        same = list(tied)
        rate = sum(not forecast.is_right for forecast in same) / len(same)
        for _ in same:
            num_seen += 1
            errors += rate
            yield RiskPoint(num_seen / len(forecasts), errors / num_seen)


def compute_aurc(forecasts: Sequence[Forecast]) -> float:
    """Return the area under the risk-coverage curve: the mean risk over all coverages."""
    return sum(point.risk for point in compute_risk_coverage(forecasts)) / len(forecasts)


def measure_abstention(forecasts: Sequence[Forecast], threshold: float, n: int) -> SelectiveAccuracy:
    """Return selective accuracy: what remains of `n` items when less confident answers are withheld."""
    kept = [forecast for forecast in forecasts if forecast.confidence >= threshold]
    correct = sum(forecast.is_right for forecast in kept)
    return SelectiveAccuracy(
        threshold=threshold,
        n=n,
        answered=len(kept),
        correct=correct,
        accuracy=correct / len(kept) if kept else None,
        wilson_95=compute_wilson_interval(correct, len(kept)),
    )
