"""MMAU: massive multi-task audio understanding and reasoning.

Asked:    multiple-choice questions (2 to 8 options) about clips of sound, music and speech.
Size:     test-mini 1,000 items (sound 333, music 334, speech 333), version v05.15.25.
Licence:  questions Apache-2.0; the clips come from 13 corpora, each with its own licence.
Paper:    Sakshi et al., "MMAU: A Massive Multi-Task Audio Understanding and Reasoning Benchmark",
          ICLR 2025, arXiv:2410.19168.
Audio:    not redistributed here; https://github.com/Sakshi113/MMAU says where it is (a Hugging Face dataset).
Score:    ours is strict: the reply is read as exactly one option, and is right when that option's text
          is the answer. The official script compares sets of words instead (`scoring.string_match`),
          so it calls a bare letter wrong and some reordered wrong options right.
"""

import hashlib
from pathlib import Path
from string import ascii_uppercase
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from eval.benchmarks.benchmark import Benchmark, Item
from services.errors import BadConfig
from services.settings import settings

FILE_NAME = "mmau-test-mini.json"

Text: TypeAlias = Annotated[str, Field(min_length=1)]


def _joined(category: object) -> object:
    return ", ".join(map(str, category)) if isinstance(category, list) else category


class _Row(BaseModel):
    """A row as published; fields that we do not use are left alone."""

    id: Text
    audio: Text = Field(alias="audio_id")
    question: Text
    choices: list[str] = Field(min_length=1, max_length=len(ascii_uppercase))
    answer: str
    task: Text
    # The category is a list on 13 rows of test-mini (v05.15.25).
    category: Annotated[str, BeforeValidator(_joined)] = ""
    sub_category: str = Field(default="", alias="sub-category")
    difficulty: str = ""

    @model_validator(mode="after")
    def _answer_is_a_choice(self) -> "_Row":
        if self.answer not in self.choices:
            raise ValueError(f"field 'answer': {self.answer!r} is none of the choices {self.choices!r}")
        return self


def load(audio_root: Path | None = None) -> Benchmark:
    """Load MMAU test-mini from its place in the Earwitness folder; `BadConfig` says where to put it."""
    folder = settings().home / "benchmarks" / "mmau"
    file = folder / FILE_NAME
    if not file.is_file():
        raise BadConfig(
            f"MMAU test-mini is not at {file}. Put {FILE_NAME} and its folder test-mini-audios there "
            "(https://github.com/Sakshi113/MMAU names the download), or name them with "
            "--bench FILE.json --audio-root FOLDER."
        )
    return read(file, audio_root).model_copy(update={"name": "mmau"})


def read(file: Path, audio_root: Path | None = None) -> Benchmark:
    """Read any file in the MMAU schema; clips lie relative to `audio_root`, or else to the file.

    Raises `BadConfig` that names file, row and field of the first row that cannot be used.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadConfig(f"Benchmark {str(file)!r} cannot be read: {error.strerror}.") from error
    items = tuple(Item(**row.model_dump()) for row in _rows(file, content))
    return Benchmark(
        name=file.stem,
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        audio_root=audio_root or file.parent,
        items=items,
    )


def _rows(file: Path, content: bytes) -> list[_Row]:
    try:
        rows = TypeAdapter(list[_Row]).validate_json(content)
    except ValidationError as error:
        raise BadConfig(f"Benchmark {str(file)!r}, {_first_problem(error)}") from error
    if not rows:
        raise BadConfig(f"Benchmark {str(file)!r} holds no items; a JSON list of rows is needed.")
    first_row: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        if first_row.setdefault(row.id, number) != number:
            raise BadConfig(
                f"Benchmark {str(file)!r}, row {number}, field 'id': {row.id!r} is already the id of row "
                f"{first_row[row.id]}; ids must be unique."
            )
    return rows


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    message = problem["msg"].removeprefix("Value error, ")
    match problem["loc"]:
        case ():
            return f"not a JSON list of rows: {message}."
        case (int(index),):
            return f"row {index + 1}, {message}."
        case (int(index), field, *_):
            return f"row {index + 1}, field {field!r}: {message}."
    return f"{message}."
