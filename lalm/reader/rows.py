"""Training rows of a reader: a prompt that lists options, and the target probability of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.errors import BadConfig
from services.json_lines import RowId, parse_row, read_lines
from services.types import Message

NEEDED = '{"messages": [{"role", "content"}], "letters": ["A", "B"], "target": {"A": 1.0}}'


Occasion: TypeAlias = Literal["", "heard", "heard again", "unheard"]
"""heard: the evidence of the clip; heard again: what a follow-up found; unheard: no evidence, or another clip's."""


class ReaderRow(BaseModel):
    """One training row: a multiple-choice prompt and its target distribution; unknown columns are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    messages: tuple[Message, ...]
    letters: tuple[str, ...] = Field(min_length=2)
    """Letters of the options, in the order of the prompt."""
    target: dict[str, float]
    """Letter -> probability; missing letters have probability 0. The sum is 1."""
    id: RowId = ""
    """Of the clip."""
    recordings: tuple[str, ...] = ()
    """Recordings that the clip was made of; no validation row may share one with a training row."""
    dataset: str = ""
    kind: str = ""
    """Kind of question."""
    occasion: Occasion = ""
    """Origin of the evidence in the prompt."""

    @model_validator(mode="after")
    def _require_a_distribution(self) -> Self:
        if unknown := sorted(set(self.target) - set(self.letters)):
            raise ValueError(f"target names {unknown[0]!r}, which is not one of the letters")
        if not all(p >= 0 for p in self.target.values()) or abs(sum(self.target.values()) - 1) > 1e-3:
            raise ValueError("the probabilities of target have to sum to 1")
        return self

    @property
    def probabilities(self) -> tuple[float, ...]:
        """The target in the order of the letters."""
        return tuple(self.target.get(letter, 0.0) for letter in self.letters)


def read_reader_rows(path: Path) -> Iterator[ReaderRow]:
    """Yield the rows of a JSON lines file; raise `BadConfig` with the number of an invalid line."""
    try:
        for number, line in read_lines(path):
            yield parse_row(ReaderRow, line, place=f"{path}:{number}", name="a row for a reader", needed=NEEDED)
    except OSError as error:
        raise BadConfig(
            f"'{path}' cannot be read ({error.strerror}); `python -m agents.rows CONFIG` writes one."
        ) from error
