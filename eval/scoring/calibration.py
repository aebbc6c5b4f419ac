"""Do probabilities mean what they say: calibration, and what answering only the surest questions would give.

The top probability of an answer is its confidence. Guo et al. 2017 (arXiv:1706.04599) for the calibration error and
the temperature, Brier 1950 for his score, Geifman & El-Yaniv 2017 (arXiv:1705.08500) for risk and coverage.
"""

from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from math import exp, log
from typing import NamedTuple

from agents.reading.confidence import TINY, tempered
from eval.scoring.scoring import Calibration, ForecastQuality, RiskPoint, SelectiveAccuracy, Verdict, wilson_95

NUM_BINS = 10
LOG_TEMPERATURES = (-3.5, 3.5)  # beyond this a distribution is flat, or certain
COVERAGES = tuple(tenth / 10 for tenth in range(1, 11))


class Forecast(NamedTuple):
    """A distribution over the options of one question, and what became of it."""

    probabilities: dict[str, float]
    right: str
    """Key of the right option."""
    is_right: bool
    """Whether the answer that was given is right."""

    @property
    def confidence(self) -> float:
        """Probability of the likeliest option."""
        return max(self.probabilities.values())

    def tempered(self, temperature: float) -> "Forecast":
        """Return the guess at another temperature."""
        return self._replace(probabilities=tempered(self.probabilities, temperature))


def calibrate(verdicts: Collection[Verdict], abstain: float | None = None) -> Calibration | None:
    """Measure a run's probabilities; None where there are none, or nobody may know what is right."""
    halves: tuple[list[Forecast], list[Forecast]] = ([], [])
    for verdict in verdicts:
        if guess := _guess(verdict):
            halves[_half(verdict.cluster or verdict.id)].append(guess)
    raw = [*halves[0], *halves[1]]
    if not raw:
        return None
    mended = [*_tempered(halves[0], halves[1]), *_tempered(halves[1], halves[0])]
    curve = list(risk_coverage(raw))  # the halves' temperatures would put their answers in another order
    return Calibration(
        n=len(raw),
        raw=quality(raw),
        tempered=quality(mended),
        temperature=round(fit_temperature(raw), 4),
        aurc=aurc(raw),
        risk_coverage=tuple(curve[max(0, round(share * len(curve)) - 1)] for share in COVERAGES),
        abstention=None if abstain is None else selective(mended, abstain, len(verdicts)),
    )


def _guess(verdict: Verdict) -> Forecast | None:
    if not verdict.probabilities or verdict.right is None:
        return None
    named = {str(place): p for place, p in enumerate(verdict.probabilities)}
    return Forecast(named, str(verdict.right), verdict.correct_strict)


def _half(cluster: str) -> int:
    """Return 0 or 1: what shares a source is in the same half, in every run."""
    return sha256(cluster.encode()).digest()[0] % 2


def _tempered(guesses: Sequence[Forecast], fitted_on: Sequence[Forecast]) -> list[Forecast]:
    temperature = fit_temperature(fitted_on)
    return [guess.tempered(temperature) for guess in guesses]


def fit_temperature(guesses: Sequence[Forecast]) -> float:
    """Return the temperature that makes the right options likeliest; 1 for no guesses."""
    if not guesses:
        return 1.0
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(lambda t: nll([one.tempered(exp(t)) for one in guesses]), bounds=LOG_TEMPERATURES)
    return exp(float(found.x))


def quality(guesses: Sequence[Forecast]) -> ForecastQuality:
    """Measure at least one guess."""
    return ForecastQuality(ece=ece(guesses), brier=brier(guesses), nll=nll(guesses))


def nll(guesses: Sequence[Forecast]) -> float:
    """Return the mean negative log-likelihood of the right option, in nats."""
    return -sum(log(max(guess.probabilities[guess.right], TINY)) for guess in guesses) / len(guesses)


def brier(guesses: Sequence[Forecast]) -> float:
    """Return the mean squared error of the probabilities, summed over the options."""
    return sum(_squared(guess) for guess in guesses) / len(guesses)


def _squared(guess: Forecast) -> float:
    return sum((p - (option == guess.right)) ** 2 for option, p in guess.probabilities.items())


def ece(guesses: Sequence[Forecast], num_bins: int = NUM_BINS) -> float:
    """Return the mean distance of confidence and accuracy over bins of equal width, weighted by their items."""

    def bin_of(guess: Forecast) -> int:
        return min(num_bins - 1, int(guess.confidence * num_bins))

    binned = groupby(sorted(guesses, key=bin_of), key=bin_of)
    return sum(abs(sum(one.confidence - one.is_right for one in bin_)) for _, bin_ in binned) / len(guesses)


def risk_coverage(guesses: Sequence[Forecast]) -> Iterator[RiskPoint]:
    """Yield the error rate of the 1, 2, … surest answers; equally sure ones share their errors."""
    errors, num_seen = 0.0, 0
    ranked = sorted(guesses, key=lambda guess: -guess.confidence)
    for _, tied in groupby(ranked, key=lambda guess: guess.confidence):
        same = list(tied)
        rate = sum(not guess.is_right for guess in same) / len(same)
        for _ in same:
            num_seen += 1
            errors += rate
            yield RiskPoint(num_seen / len(guesses), errors / num_seen)


def aurc(guesses: Sequence[Forecast]) -> float:
    """Return the area under the risk-coverage curve: the mean risk over all coverages."""
    return sum(point.risk for point in risk_coverage(guesses)) / len(guesses)


def selective(guesses: Sequence[Forecast], threshold: float, n: int) -> SelectiveAccuracy:
    """Return what remains of `n` items when only guesses of at least this confidence are answered."""
    kept = [guess for guess in guesses if guess.confidence >= threshold]
    correct = sum(guess.is_right for guess in kept)
    return SelectiveAccuracy(
        threshold=threshold,
        n=n,
        answered=len(kept),
        correct=correct,
        accuracy=correct / len(kept) if kept else None,
        wilson_95=wilson_95(correct, len(kept)),
    )
