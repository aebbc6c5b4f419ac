"""Calibration of probabilities: a temperature per model, path and number of options (temperature scaling).

Guo et al. 2017, arXiv:1706.04599. `calibration.json` beside this file ships those of the embedded models;
`earwitness eval run` writes `calibration.json` into its run folder, which `--calibration` takes.
"""

from bisect import bisect_left
from functools import cache
from hashlib import sha256
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from agents.reading.confidence import Probabilities, apply_temperature, measure_confidence
from services.json_lines import read_record
from services.protocols import ReadingModel
from services.types import AppliedCalibration, PathName, Value

PACKAGED = Path(__file__).with_name("calibration.json")
FILE_NAME = "calibration.json"
UNKNOWN_ERROR = 0.05  # calibration error that is assumed where none was measured

Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=2)]


class FittedTemperature(Value):
    """The temperature of least negative log-likelihood over questions with one number of options."""

    num_options: Annotated[int, Field(ge=2)]
    temperature: Positive
    num_questions: Annotated[int, Field(gt=0)]
    """That it was fitted on."""


class HeldOutQuality(Value):
    """Quality of the probabilities: by `eval run`, on halves that the temperatures were not fitted on."""

    num_questions: int
    ece_raw: Share
    """Expected calibration error as the model gives its probabilities."""
    ece: Share
    """And at the temperatures."""
    brier_raw: Share
    """Brier score, summed over the options."""
    brier: Share


class ModelCalibration(Value):
    """Temperatures of one model on one path."""

    model: str
    revision: str
    """Of the weights: other weights have other temperatures."""
    path: PathName
    """`text`: read without evidence, `cascade`: with it, `lalm`: heard."""
    temperatures: Annotated[tuple[FittedTemperature, ...], Field(min_length=1)]
    """By number of options, ascending."""
    findings_temperature: Positive = 1.0
    """Of an answer after listening again: votes and second reading are not independent of the first reading."""
    shortlist_temperature: Positive = 1.0
    """Of the likelihoods of the texts of many options, before the likeliest of them are lettered."""
    held_out: HeldOutQuality
    fitted_on: str
    """Questions, and how the held-out figures were made."""

    @model_validator(mode="after")
    def _require_ascending(self) -> Self:
        if any(a.num_options >= b.num_options for a, b in pairwise(self.temperatures)):
            raise ValueError("temperatures have to be in ascending order of num_options")
        return self

    def find_temperature(self, num_options: int) -> float:
        """Return the temperature for a number of options: between two fitted ones linear in both logarithms."""
        fitted = self.temperatures
        place = bisect_left([one.num_options for one in fitted], num_options)
        if place == 0 or place == len(fitted):
            return fitted[min(place, len(fitted) - 1)].temperature
        low, high = fitted[place - 1], fitted[place]
        share = log(num_options / low.num_options) / log(high.num_options / low.num_options)
        return exp((1 - share) * log(low.temperature) + share * log(high.temperature))

    def apply(self, probabilities: Probabilities) -> dict[str, float]:
        """Return calibrated probabilities; empty for an empty distribution."""
        return apply_temperature(probabilities, self.find_temperature(len(probabilities))) if probabilities else {}

    def apply_after_findings(self, probabilities: Probabilities) -> dict[str, float]:
        """Return calibrated probabilities of a product of calibrated ones with what listening again found."""
        return apply_temperature(probabilities, self.findings_temperature)

    def describe(self, num_options: int) -> AppliedCalibration:
        """Return what an answer says about its scale."""
        return AppliedCalibration(
            temperature=self.find_temperature(num_options),
            ece=self.held_out.ece,
            num_questions=self.held_out.num_questions,
        )


class CalibrationFile(Value):
    """Calibrations of several models, as a JSON file has them."""

    format: Literal[1] = 1
    models: tuple[ModelCalibration, ...]


class Calibrations:
    """Finds the calibration of a model: in the file that the user names, else among those that ship."""

    def __init__(self, own: CalibrationFile | None = None) -> None:
        self._known = (*(own.models if own else ()), *_read_packaged().models)

    def find(self, model: ReadingModel, path: PathName) -> ModelCalibration | None:
        """Find the calibration of a model on a path; None where none was fitted on its weights."""
        return next(
            (one for one in self._known if (one.model, one.revision, one.path) == (model.name, model.revision, path)),
            None,
        )


def hash_calibrations(file: Path) -> str:
    """Return the sha256 of what a file of calibrations says, however it is laid out."""
    return sha256(read_calibrations(file).model_dump_json().encode()).hexdigest()


def read_calibrations(file: Path) -> CalibrationFile:
    """Read a file of calibrations, or that of a run folder; `BadConfig` where it is not one."""
    file = file / FILE_NAME if file.is_dir() else file
    cure = "`earwitness eval run` writes one into its run folder"
    return read_record(CalibrationFile, file, name="a calibration", cure=cure)


@cache
def _read_packaged() -> CalibrationFile:
    return read_calibrations(PACKAGED)


def apply_calibration(calibration: ModelCalibration | None, raw: Probabilities) -> dict[str, float]:
    """Return calibrated probabilities; as they are where the model has no calibration."""
    return dict(raw) if calibration is None else calibration.apply(raw)


def apply_after_findings(calibration: ModelCalibration | None, product: Probabilities) -> dict[str, float]:
    """Return calibrated probabilities after listening again; as they are where the model has no calibration."""
    return dict(product) if calibration is None else calibration.apply_after_findings(product)


def is_within_chance(probabilities: Probabilities, calibration: ModelCalibration | None = None) -> bool:
    """Say whether the best two options are no further apart than the error of the probabilities themselves."""
    error = UNKNOWN_ERROR if calibration is None else calibration.held_out.ece
    return len(probabilities) > 1 and measure_confidence(probabilities).margin <= error
