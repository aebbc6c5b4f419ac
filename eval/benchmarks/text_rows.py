"""Benchmarks about text only, whose files name their fields as they like: `my.fields.json` says which `my.json` has."""

from collections.abc import Mapping
from pathlib import Path
from string import ascii_uppercase

from pydantic import ValidationError, model_validator

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.rows import AskedRow, read_benchmark
from services.errors import BadConfig, word_problem
from services.json_lines import read_text
from services.types import Value


class FieldNames(Value):
    """What a file calls its fields."""

    id: str = "id"
    question: str = "question"
    choices: str | tuple[str, ...] = "choices"
    """One field with all options, or one for each."""
    answer: str = "answer"
    category: str = "category"
    sub_category: str = "sub_category"

    def options(self, row: Mapping[str, object]) -> object:
        """Return a row's options in order: a list; an object from letters to texts is put in order."""
        if isinstance(self.choices, tuple):
            return [row[name] for name in self.choices if name in row]
        found = row.get(self.choices)
        return [text for _, text in sorted(found.items())] if isinstance(found, dict) else found


class TextRow(AskedRow):
    """A question about text, in our own names."""

    category: str = ""
    sub_category: str = ""


def read_text_benchmark(file: Path) -> Benchmark:
    """Read a text-only file; raises `BadConfig` that names file, row and field of the first unusable row."""
    return read_benchmark(file, make_row_class(read_fields(file)), _make_item)


def read_fields(file: Path) -> FieldNames:
    """Return what the file calls its fields; raises `BadConfig` where its `.fields.json` says nothing usable."""
    mapping = file.with_suffix(".fields.json")
    if not mapping.is_file():
        return FieldNames()
    try:
        return FieldNames.model_validate_json(read_text(mapping, f"Field names {str(mapping)!r}"))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise BadConfig(
            f"{str(mapping)!r}, {'.'.join(map(str, problem['loc']))!r}: {word_problem(problem)}; "
            f"fields that can be named are {', '.join(FieldNames.model_fields)}."
        ) from error


def make_row_class(fields: FieldNames) -> type[TextRow]:
    """Return the kind of row that a file with these fields has."""

    class RenamedRow(TextRow):
        @model_validator(mode="before")
        @classmethod
        def _rename(cls, row: object) -> object:
            return rename_fields(row, fields) if isinstance(row, dict) else row

    return RenamedRow


def rename_fields(row: Mapping[str, object], fields: FieldNames) -> dict[str, object]:
    """Return a row under our names; a letter that is not an option's text becomes the option that it stands for."""
    simple = {name: field for name, field in fields.model_dump().items() if name != "choices"}
    ours = {name: row[field] for name, field in simple.items() if field in row}
    options = fields.options(row)
    if options is not None:
        ours["choices"] = options
    answer = ours.get("answer")
    if isinstance(options, list) and isinstance(answer, str) and answer not in options:
        letters = dict(zip(ascii_uppercase, options, strict=False))
        ours["answer"] = letters.get(answer.strip("(). ").upper(), answer)
    return ours


def _make_item(row: TextRow) -> Item:
    answer = None if row.is_withheld else row.answer
    return Item(**row.model_dump() | {"answer": answer, "task": row.category or "text", "modality": "text"})
