"""Stored results: a run folder, or any prediction file, read as rows with verdicts.

A prediction file is a JSON list, JSON lines, CSV or Parquet. A row needs a question's options, its answer and one
prediction, under the names of any benchmark or as `eval.benchmarks.detection` finds them; all is taken from the row
itself, nothing is joined. The prediction is the first of `KEYS` that the file has. A row without one is *failed*, not
skipped.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from eval.benchmarks.benchmark import Item
from eval.benchmarks.fields import FieldNames, merge_fields, read_fields
from eval.benchmarks.tables import Table, find_rows, read_table
from eval.scoring.official import READS_LETTERS, OfficialRule, OfficialVerdict, judge_officially
from eval.scoring.reading import read_strictly
from eval.scoring.rules import score_reply
from eval.scoring.scoring import Verdict
from eval.store.judgements import apply_judgement, read_judgements, read_judges
from eval.store.records import Prediction, RunRecord
from eval.store.run_folder import PREDICTIONS, require_record
from services.errors import BadConfig
from services.json_lines import (
    InvalidJson,
    JsonRow,
    RowId,
    drop_nulls,
    find_suffix,
    make_row_error,
    parse_json,
    parse_json_rows,
    read_text,
    refuse_repeated_ids,
)

KEYS = (
    *("model_prediction", "model_output", "answer_prediction"),  # MMAU, MuChoMusic and MDAR, MMAR
    *("response", "predict_answer", "prediction", "model_response", "output"),  # MMSU and AIR-Bench, SpeechR, others
)
NO_QUESTION = "(no question in the file)"
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
    declared: str = ""
    """Benchmark whose declaration a prediction file was read by; empty: none."""
    unscored: tuple[str, ...] = ()
    """Why rows cannot be scored here, such as open ones that take a judge: they count as failed."""

    @property
    def verdicts(self) -> list[Verdict]:
        """What became of each item."""
        return [row.verdict for row in self.rows]


def open_stored(path: Path, key: str | None = None, bench: str = "", fields: FieldNames | None = None) -> StoredResult:
    """Read a run folder, or a prediction file; `BadConfig` names file, row and field of what cannot be used.

    `bench` names the benchmark whose official rule counts; empty: that whose fields the file has, or MMAU's. `fields`
    names fields of a prediction file, before what `my.fields.json` beside it says; the rest is found.
    """
    if path.is_dir():
        record = require_record(path)
        rows = tuple(_read_own_row(prediction) for prediction in read_predictions(path))
        return StoredResult(
            name=path.name, file=path / "predictions.jsonl", record=record, key="model_prediction", rows=rows
        )
    return _open_file(path, key, bench, merge_fields(fields or FieldNames(), read_fields(path)))


def read_predictions(folder: Path) -> Iterator[Prediction]:
    """Yield the whole records of a run folder; an open answer with what the first judge said of it."""
    file = folder / "predictions.jsonl"
    if not file.is_file():
        raise BadConfig(f"Run folder {str(folder)!r} holds no predictions.jsonl.")
    judgements = read_judgements(folder, next(iter(read_judges(folder)), ""))
    yield from (apply_judgement(one.row, judgements) for one in PREDICTIONS.read(file))


def _read_own_row(prediction: Prediction) -> StoredRow:
    return StoredRow(
        prediction.verdict, prediction.question, prediction.choices, prediction.answer, prediction.model_prediction
    )


def _join_list(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _word_number(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class FileRow(BaseModel):
    """A row of a prediction file; what it holds besides is kept, because one of it is the prediction."""

    model_config = ConfigDict(extra="allow")

    number: int = 0
    """Its place in the file, from 1."""
    id: RowId
    choices: tuple[Annotated[str, BeforeValidator(_word_number)], ...] = Field(min_length=1, max_length=26)
    answer: Annotated[str, BeforeValidator(_word_number)]
    question: str = ""
    task: str | None = None
    modality: str | None = None
    category: Annotated[str | None, BeforeValidator(_join_list)] = None
    sub_category: str | None = Field(default=None, validation_alias=AliasChoices("sub-category", "sub_category"))
    difficulty: str | None = None
    published: tuple[str, ...] = ()
    """Options with the empty ones, where some were dropped; empty: `choices`."""
    url: str | None = None
    audio: Annotated[str | None, BeforeValidator(_join_list)] = Field(
        default=None, validation_alias=AliasChoices("audio_id", "audio_path", "audio")
    )
    failed: Any = None


class RuledRow(FileRow):
    """A row that a rule scores, with the item that it is about."""

    choices: tuple[str, ...] = ()
    item: Item


class UnscoredRow(FileRow):
    """A row that nothing here scores."""

    choices: tuple[str, ...] = ()
    reason: str


FILE_ROW_KEYS = frozenset({*FileRow.model_fields, "sub-category", "audio_id", "audio_path"})


def _open_file(file: Path, wanted_key: str | None, bench: str, given: FieldNames) -> StoredResult:
    name = f"Predictions {str(file)!r}"
    found = _read_file(name, file, given, {*KEYS, wanted_key} - {given.answer})
    rule, rows = _find_rule(bench) or found.rule, found.rows
    if not rows:
        raise BadConfig(f"{name} holds no rows.")
    refuse_repeated_ids(name, ((row.number, row.id) for row in rows))
    key = _find_key(file, rows, wanted_key)
    if key == found.answer:
        raise BadConfig(f"{name}: its field {key!r} holds the answers; it cannot be the prediction too.")
    return StoredResult(
        name=file.name,
        file=file,
        record=None,
        key=key,
        rows=tuple(_judge(file, row, key, rule) for row in rows),
        declared=found.declared,
        unscored=tuple(f"row {row.number} {row.reason}" for row in rows if isinstance(row, UnscoredRow)),
    )


def _find_rule(bench: str) -> OfficialRule | None:
    """Return the official rule that a benchmark declares; None where it declares none."""
    from eval.benchmarks import DECLARED

    if bench not in DECLARED:
        return None
    from eval.benchmarks.named import read_declaration

    script = read_declaration(bench).official
    return script.rule if script else None


class _FileRows(NamedTuple):
    """Rows of a prediction file, and whose script scores them."""

    rows: Sequence[FileRow]
    rule: OfficialRule = "word sets"
    declared: str = ""
    answer: str | None = None
    """The field of the answers, where it was looked for."""


def _read_file(name: str, file: Path, given: FieldNames, hidden: Container[str | None]) -> _FileRows:
    """Read a file in the schema of MMAU and MMAR, or any other by the names of its fields.

    What is `hidden` may be the prediction, so that the answer is not looked for there.
    """
    if find_suffix(file) in {".csv", ".tsv", ".parquet"}:
        return _read_by_fields(name, read_table(file).rows, given, hidden)
    text = read_text(file, name)
    if (rows := _find_wrapped(name, text)) is not None:
        return _read_by_fields(name, rows, given, hidden)
    numbered = _parse(file, text)
    objects = [row for _, row in numbered if isinstance(row, dict)]
    is_ours = all(map(_has_known_answer, objects)) or (
        any(map(_has_known_answer, objects)) and not _is_declared(objects)
    )
    if objects and (given != FieldNames() or not is_ours):
        return _read_by_fields(name, objects, given, hidden)
    return _FileRows([_check_row(file, number, row) for number, row in numbered])


def _is_declared(rows: Sequence[Mapping[str, object]]) -> bool:
    """Whether rows have the fields of a declared benchmark, some of whose rows may have no options or others."""
    from eval.benchmarks import DECLARED
    from eval.benchmarks.named import find_declaration

    return find_declaration(Table(rows, ""), DECLARED) is not None


def _find_wrapped(name: str, text: str) -> Sequence[Mapping[str, object]] | None:
    """Return the rows within one JSON object, such as `{"results": […]}` or columns; None where a text is no such."""
    if text.lstrip()[:1] != "{":
        return None
    try:
        content = parse_json(text)
    except InvalidJson:  # lines, or what is malformed, which is told below
        return None
    choices = content.get("choices") if isinstance(content, dict) else None
    is_row = isinstance(choices, list) and any(isinstance(choice, str) for choice in choices)
    rows = None if is_row else find_rows(name, content)
    return rows if rows and all(isinstance(row, dict) for row in rows) else None


def _has_known_answer(row: Mapping[str, object]) -> bool:
    """Whether a row answers by one of its choices, as in MMAU and MMAR; without a question there is no other way."""
    choices = row.get("choices")
    return isinstance(choices, list) and "answer" in row and ("question" not in row or row["answer"] in choices)


def _read_by_fields(
    name: str, raw: Sequence[Mapping[str, object]], given: FieldNames, hidden: Container[str | None]
) -> _FileRows:
    """Read rows by the declaration whose fields they have, or by what their fields are called and hold."""
    from eval.benchmarks import DECLARED
    from eval.benchmarks.benchmark import join_sources
    from eval.benchmarks.detection import detect_fields, read_asked
    from eval.benchmarks.mapped import RowReading, make_items
    from eval.benchmarks.named import find_declaration
    from eval.benchmarks.options import format_text

    kept = [{field: value for field, value in row.items() if value is not None} for row in raw]
    table = Table(kept, "")
    declared = None if given != FieldNames() else find_declaration(table, DECLARED)
    if declared and len(declared.parts) > 1:
        raise BadConfig(f"{name}: a row of {declared.name} holds several questions; score them one by one with --key.")
    shown = Table([{field: row[field] for field in row if field not in hidden} for row in kept], "")
    names = declared.parts[0].fields if declared else detect_fields(name, shown, given, asks=False)
    rows = []
    keeps = bool(declared and declared.parts[0].keeps_unanswerable)
    reading = RowReading(ask="" if names.question else NO_QUESTION, keeps_unanswerable=keeps)
    items = join_sources(make_items(name, table, names, reading))
    if all(item.unsupported for item in items):
        raise BadConfig(f"{name}, row 1, {_explain_unscored(items[0])}: it cannot be scored.")
    for number, (row, item) in enumerate(zip(kept, items, strict=True), start=1):
        if item.answer is None:
            hint = "" if names.answer else " besides a prediction; --fields answer=NAME says which field has it"
            raise BadConfig(f"{name}, row {number}, has no answer{hint}: it cannot be scored.")
        ours = item.model_dump(include={"id", "choices", "answer", "question", "task", "category", "difficulty"})
        kind, own = _choose_kind(item)
        if not names.question:
            ours["question"] = ""
        source = {"url": item.cluster or None, "audio": item.audio or None, "sub_category": item.sub_category}
        published = read_asked(row, names).options
        published = published if len(published) > len(item.choices) else item.choices
        others = {field: value for field, value in row.items() if field not in FILE_ROW_KEYS or field == "failed"}
        labels = {"modality": format_text(_join_list(row.get("modality")))} if "modality" in row else {}
        told = {**others, **labels, **ours, **source, **own, "number": number, "published": published}
        rows.append(kind.model_validate(told))
    script = declared.official if declared else None
    return _FileRows(rows, script.rule if script else "word sets", declared.name if declared else "", names.answer)


def _choose_kind(item: Item) -> tuple[type[FileRow], dict[str, object]]:
    """Return the kind of an item's row, and what only that kind has."""
    if item.unsupported:
        return UnscoredRow, {"reason": _explain_unscored(item)}
    return (RuledRow, {"item": item}) if item.rule else (FileRow, {})


def _explain_unscored(item: Item) -> str:
    return "has no options, and only a judge scores such answers" if item.is_open else item.unsupported


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


def _judge(file: Path, row: FileRow, key: str, rule: OfficialRule) -> StoredRow:
    prediction = _word_number(_read_extra(row).get(key))
    if prediction is not None and not isinstance(prediction, str):
        raise BadConfig(f"Predictions {str(file)!r}, row {row.number}, field {key!r}: {prediction!r} is not text.")
    failed = prediction is None or bool(row.failed)
    text = prediction or ""
    if isinstance(row, RuledRow):
        return _judge_by_rule(row, text, rule, failed=failed)
    if isinstance(row, UnscoredRow):
        return StoredRow(_make_verdict(row, failed=True), row.question, row.choices, row.answer, text)
    options = row.published or row.choices  # a letter is that of its column, whether columns before it are empty or not
    read = None if failed else read_strictly(text, options, is_option_text=key in EXTRACTED)
    official = OfficialVerdict(is_right=False)
    if not failed or rule in READS_LETTERS:  # scripts that leave rows out do so with empty ones
        official = judge_officially(rule, "" if failed else text, options, options.index(row.answer))
    verdict = _make_verdict(row, failed=failed)._replace(
        num_choices=len(row.choices),
        correct_strict=read == row.answer,
        correct_official=official.is_right,
        official_dropped=official.is_dropped,
        unread=not failed and read is None,
    )
    return StoredRow(verdict, row.question, row.choices, row.answer, text)


def _make_verdict(row: FileRow, *, failed: bool) -> Verdict:
    """Return a verdict with the labels of a row, and nothing right."""
    return Verdict(
        id=row.id,
        task=row.task or row.modality or row.category or "",
        category=row.category or "",
        sub_category=row.sub_category or "",
        difficulty=row.difficulty or "",
        modality=row.modality or row.task or "",
        cluster=row.url or row.audio or row.id,
        failed=failed,
    )


def _judge_by_rule(row: RuledRow, reply: str, official: OfficialRule, *, failed: bool) -> StoredRow:
    expected = row.item.expect(official)
    assert expected is not None
    outcome = None if failed else score_reply(expected, reply)
    verdict = Verdict(
        id=row.id,
        task=row.item.task,
        category=row.item.category,
        sub_category=row.item.sub_category,
        difficulty=row.item.difficulty,
        modality=row.item.modality,
        cluster=row.item.source,
        correct_strict=outcome is not None and outcome.is_right,
        correct_official=outcome is not None and outcome.is_right_officially,
        unread=outcome is not None and outcome.is_unread,
        failed=failed,
        outcome=outcome,
    )
    return StoredRow(verdict, row.question, row.item.choices, row.answer, reply)
