"""Temperatures of a model by number of options, fitted on its raw probabilities in a run (temperature scaling)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from agents.reading.calibration import FittedTemperature, HeldOutQuality, ModelCalibration
from eval.scoring.calibration import (
    Forecast,
    compute_brier_score,
    compute_ece,
    fit_temperature,
    forecast_answer,
    forecast_raw,
    split_halves,
)
from eval.scoring.scoring import Verdict
from services.types import PathName

MIN_QUESTIONS = 20  # with one number of options, to have a temperature of their own


class Subject(NamedTuple):
    """What is calibrated."""

    model: str
    revision: str
    path: PathName
    fitted_on: str
    """The questions, in words."""


def fit_calibration(verdicts: Collection[Verdict], subject: Subject) -> ModelCalibration | None:
    """Fit a model's temperatures, and measure them on held-out halves; None without enough probabilities.

    Numbers of options that have too few questions share the temperature of all together. That of answers after
    listening again is fitted where the run had a calibration already: it comes on top of the others.
    """
    halves = split_halves(verdicts, forecast_raw)
    everything = [*halves[0], *halves[1]]
    if len(everything) < MIN_QUESTIONS or not all(halves):
        return None
    fits = [_build(subject, _fit_all(half)) for half in halves]
    swapped = [
        forecast.temper(fitted.find_temperature(len(forecast.probabilities)))
        for half, fitted in zip(halves, reversed(fits), strict=True)
        for forecast in half
    ]
    held_out = HeldOutQuality(
        num_questions=len(swapped),
        ece_raw=round(compute_ece(everything), 4),
        ece=round(compute_ece(swapped), 4),
        brier_raw=round(compute_brier_score(everything), 4),
        brier=round(compute_brier_score(swapped), 4),
    )
    after = [one for verdict in verdicts if (one := _forecast_findings(verdict))]
    findings = round(fit_temperature(after), 4) if len(after) >= MIN_QUESTIONS else 1.0
    update = {"held_out": held_out, "findings_temperature": findings}
    return _build(subject, _fit_all(everything)).model_copy(update=update)


def _forecast_findings(verdict: Verdict) -> Forecast | None:
    """Return what an answer after listening again said before its last temperature; None for any other answer."""
    forecast = forecast_answer(verdict)
    if forecast is None or verdict.findings_temperature is None:
        return None
    return forecast.temper(1 / verdict.findings_temperature)


def _fit_all(forecasts: Sequence[Forecast]) -> tuple[FittedTemperature, ...]:
    """Fit a temperature for each number of options."""
    by_number: dict[int, list[Forecast]] = defaultdict(list)
    for forecast in forecasts:
        by_number[len(forecast.probabilities)].append(forecast)
    enough = {number: some for number, some in by_number.items() if len(some) >= MIN_QUESTIONS}
    if not enough:
        usual = max(by_number, key=lambda number: len(by_number[number]))
        enough = {usual: list(forecasts)}
    return tuple(
        FittedTemperature(num_options=number, temperature=round(fit_temperature(some), 4), num_questions=len(some))
        for number, some in sorted(enough.items())
    )


def _build(subject: Subject, temperatures: tuple[FittedTemperature, ...]) -> ModelCalibration:
    unmeasured = HeldOutQuality(num_questions=0, ece_raw=0, ece=0, brier_raw=0, brier=0)
    return ModelCalibration(**subject._asdict(), temperatures=temperatures, held_out=unmeasured)
