"""Stored results: a run folder, or any prediction file, read as rows with verdicts.

A prediction file is a JSON list or JSON lines. A row needs `id`, `choices`, `answer` and one prediction; all
is taken from the row itself, nothing is joined. The prediction is the first of `model_prediction`,
`model_output` and `answer_prediction` that the file has. A row without one is *failed*, not skipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agents.reading.reply import read_choice
from eval.scoring.scoring import Verdict, string_match
from eval.store.records import Prediction, RunRecord
from eval.store.run_folder import require_record
from services.errors import BadConfig
from services.json_lines import (
    InvalidJson,
    JsonRow,
    RowId,
    drop_nulls,
    make_row_error,
    parse_json_rows,
    read_text,
    refuse_repeated_ids,
    split_lines,
)
from services.questions import find_own_letters
from services.types import Question

KEYS = ("model_prediction", "model_output", "answer_prediction")
EXTRACTED = frozenset({"model_prediction", "answer_prediction"})  # keys that hold an option's text by convention


class StoredRow(NamedTuple):
    """An item with what was predicted and what became of it."""

    verdict: Verdict
    question: str
    choices: tuple[str, ...]
    answer: str | None
    prediction: str


class StoredResult(NamedTuple):
    """A run folder, or a prediction file."""

    name: str
    file: Path
    record: RunRecord | None
    """None: not a run of ours."""
    key: str
    """What the file calls a prediction."""
    rows: tuple[StoredRow, ...]

    @property
    def verdicts(self) -> list[Verdict]:
        """What became of each item."""
        return [row.verdict for row in self.rows]


def open_stored(path: Path, key: str | None = None) -> StoredResult:
    """Read a run folder, or a prediction file; `BadConfig` names file, row and field of what cannot be used."""
    if path.is_dir():
        record = require_record(path)
        rows = tuple(_own(prediction) for prediction in read_predictions(path))
        return StoredResult(path.name, path / "predictions.jsonl", record, "model_prediction", rows)
    found, file_rows = _file_rows(path, key)
    return StoredResult(path.name, path, None, found, tuple(_judge(path, row, found) for row in file_rows))


def read_predictions(folder: Path) -> Iterator[Prediction]:
    """Yield the whole records of a run folder."""
    file = folder / "predictions.jsonl"
    for number, line in split_lines(read_text(file, f"Benchmark {str(file)!r}")):
        try:
            yield Prediction.model_validate_json(line)
        except ValidationError as error:
            raise BadConfig(f"{str(file)!r}, line {number} is not a prediction of this version.") from error


def _own(prediction: Prediction) -> StoredRow:
    return StoredRow(
        prediction.verdict, prediction.question, prediction.choices, prediction.answer, prediction.model_prediction
    )


def _join_list(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _word_number(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class FileRow(BaseModel):
    """A row of a prediction file; what it holds besides is kept, because one of it is the prediction."""

    model_config = ConfigDict(extra="allow")

    number: int = 0
    """Its place in the file, from 1."""
    id: RowId
    choices: tuple[str, ...] = Field(min_length=1, max_length=26)
    answer: str
    question: str = ""
    task: str | None = None
    modality: str | None = None
    category: Annotated[str | None, BeforeValidator(_join_list)] = None
    sub_category: str | None = Field(default=None, validation_alias=AliasChoices("sub-category", "sub_category"))
    difficulty: str | None = None
    url: str | None = None
    audio: str | None = Field(default=None, validation_alias=AliasChoices("audio_id", "audio_path", "audio"))
    failed: Any = None


FILE_ROW_KEYS = frozenset({*FileRow.model_fields, "sub-category", "audio_id", "audio_path"})


def _file_rows(file: Path, key: str | None) -> tuple[str, Sequence[FileRow]]:
    text = read_text(file, f"Predictions {str(file)!r}")
    rows = [_check_row(file, number, row) for number, row in _parse(file, text)]
    if not rows:
        raise BadConfig(f"Predictions {str(file)!r} holds no rows.")
    refuse_repeated_ids(f"Predictions {str(file)!r}", ((row.number, row.id) for row in rows))
    return _find_key(file, rows, key), rows


def _parse(file: Path, text: str) -> list[JsonRow]:
    try:
        return list(parse_json_rows(text, is_lines=text.lstrip()[:1] != "["))
    except InvalidJson as error:
        where = "" if error.line is None else f"line {error.line}, "
        raise BadConfig(f"Predictions {str(file)!r} is neither a JSON list nor JSON lines: {where}{error}.") from error


def _check_row(file: Path, number: int, row: object) -> FileRow:
    where = f"Predictions {str(file)!r}, row {number}"
    if not isinstance(row, dict):
        raise BadConfig(f"{where} is not a JSON object.")
    try:
        others = row.keys() - FILE_ROW_KEYS  # a prediction may be among them: null is a failed item
        checked = FileRow.model_validate(drop_nulls(row | {"number": number}, kept=others))
    except ValidationError as error:
        raise make_row_error(where, error) from error
    if checked.answer not in checked.choices:
        raise BadConfig(f"{where}, field 'answer': {checked.answer!r} is none of the choices {list(checked.choices)}.")
    return checked


def _find_key(file: Path, rows: Sequence[FileRow], wanted: str | None) -> str:
    candidates = KEYS if wanted is None else (wanted,)
    found = next((key for key in candidates if any(key in _read_extra(row) for row in rows)), None)
    if found is None:
        known = ", ".join(sorted({key for row in rows for key in _read_extra(row)})) or "none"
        raise BadConfig(
            f"Predictions {str(file)!r}: no row has {' or '.join(map(repr, candidates))}. "
            f"Name the key with --key; other keys here: {known}."
        )
    return found


def _read_extra(row: FileRow) -> Mapping[str, object]:
    return row.model_extra or {}


def _judge(file: Path, row: FileRow, key: str) -> StoredRow:
    prediction = _word_number(_read_extra(row).get(key))
    if prediction is not None and not isinstance(prediction, str):
        raise BadConfig(f"Predictions {str(file)!r}, row {row.number}, field {key!r}: {prediction!r} is not text.")
    failed = prediction is None or bool(row.failed)
    text = prediction or ""
    read = None if failed else read_strictly(text, row.choices, is_option_text=key in EXTRACTED)
    verdict = Verdict(
        id=row.id,
        task=row.task or row.modality or row.category or "",
        category=row.category or "",
        sub_category=row.sub_category or "",
        difficulty=row.difficulty or "",
        modality=row.modality or row.task or "",
        cluster=row.url or row.audio or row.id,
        num_choices=len(row.choices),
        correct_strict=read == row.answer,
        correct_official=not failed and string_match(text, row.choices, row.answer),
        unread=not failed and read is None,
        failed=failed,
    )
    return StoredRow(verdict, row.question, row.choices, row.answer, text)


def read_strictly(reply: str, choices: tuple[str, ...], *, is_option_text: bool = False) -> str | None:
    """Return the text of the one option that a reply names, or None.

    Text that was extracted already (`is_option_text`) and is an option to the letter is that option: where the
    options are the notes G, A#, D and E, an extracted "D" is no longer a letter.
    """
    if is_option_text and reply in choices:
        return reply
    asked = Question.ask("", choices).choices
    choice = read_choice(reply, asked)
    lettered = find_own_letters(asked)
    # Options whose own letters stand in another order: a bare letter may mean the one or the other.
    if choice and lettered and read_choice(reply, lettered) != lettered[asked.index(choice)]:
        return None
    return None if choice is None else choice.text
