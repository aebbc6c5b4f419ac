"""Row schema of AKB-open: a question with four options, and where its answer comes from."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from eval.akb_open.lexicon import read_source
from services.errors import BadConfig, word_problem
from services.files import write_atomic
from services.types import Value

FILE = Path(__file__).parents[1] / "benchmarks" / "akb-open.json"
CATEGORIES = ("Sound", "Paralinguistic", "Phonetic", "Music", "Audio Quality", "Technical")
NUM_PER_SUB_CATEGORY = 30
COMPUTED = "computed"

Parameters: TypeAlias = Mapping[str, str | Mapping[str, str]]


class Derivation(Value):
    """How an answer is computed: the name of the calculation, and its inputs in the question's own words."""

    name: str
    parameters: dict[str, str | dict[str, str]]

    def get_text(self, name: str) -> str:
        """Return a parameter that is one piece of text."""
        value = self.parameters[name]
        assert isinstance(value, str), name
        return value

    def get_table(self, name: str) -> Mapping[str, str]:
        """Return a parameter that maps words to what is known of them."""
        value = self.parameters[name]
        assert isinstance(value, dict), name
        return value


class AkbOpenRow(Value):
    """One question with four options; `source` names what was opened for it, or says that it is computed."""

    id: str
    question: str
    choices: tuple[str, str, str, str]
    answer: str
    category: str
    sub_category: str
    source: str
    derivation: Derivation | None = None


def read_rows(file: Path = FILE) -> tuple[AkbOpenRow, ...]:
    """Read AKB-open; raises `BadConfig` that names the row and field that cannot be used."""
    try:
        return tuple(TypeAdapter(list[AkbOpenRow]).validate_json(read_source(file)))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        row, *fields = problem["loc"] or (-1,)
        place = f"row {int(row) + 1}, field {'.'.join(map(str, fields))!r}"
        raise BadConfig(
            f"{str(file)!r}, {place}: {word_problem(problem)}; a list written by akb_open.generate works."
        ) from error


def write_rows(file: Path, rows: Iterable[AkbOpenRow]) -> None:
    """Write rows as a JSON list, one row a line, the same bytes for the same rows."""
    lines = (json.dumps(row.model_dump(mode="json", exclude_none=True), ensure_ascii=False) for row in rows)
    write_atomic(file, "[\n" + ",\n".join(lines) + "\n]\n")
