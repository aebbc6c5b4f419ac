"""Benchmarks that are declared as data: a YAML file each says where its files lie and which field holds what."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.detection import list_names
from eval.benchmarks.fields import FieldNames
from eval.benchmarks.mapped import make_benchmark, make_items, read_mapped
from eval.benchmarks.options import format_text
from eval.benchmarks.tables import Table, TableRow, read_table
from eval.scoring.judge_protocols import JudgeProtocol
from eval.scoring.official import OfficialRule
from services.errors import BadConfig
from services.settings import read_settings
from services.types import Value
from services.yaml_file import read_config

FOLDER, FILE, ROW = "(folder)", "(file)", "(row)"
"""Fields that templates may name beside those of the file, as in `{(folder)}`: the name of the folder that the file
lies in (of the one above `data`, as the Hub has it), that of the file without its ending, and the number of the row."""
MAX_CLASSES, MIN_ROWS = 26, 4  # answers that are classes: at most so many, each on so many rows on average


class DeclaredPart(Value):
    """One question of each row."""

    fields: FieldNames
    suffix: str = ""
    """Behind the id, where a row holds several questions."""
    category: str = ""
    """Category of all of them, where no field holds it."""
    answer: str = ""
    """The right option of all of them, where no field holds it."""
    ask: str = ""
    """The question of all of them, where their own is spoken in the recording."""
    judge: JudgeProtocol = "reference"
    """What a judge of open answers is asked."""
    described: str = ""
    """Field that says what the recording holds, for the judge alone."""
    has_classes: bool = False
    """Whether the options of a file are its answers, where these are few; questions with others are open."""
    files: tuple[str, ...] = ()
    """Patterns of the paths whose files hold such questions; empty: all do."""

    def is_in(self, file: Path) -> bool:
        """Whether the file at that path holds such questions."""
        return not self.files or any(map(file.match, self.files))


class OfficialScript(Value):
    """How the authors' script scores a file of predictions."""

    rule: OfficialRule
    key: str
    """What it calls a prediction."""
    is_lines: bool = False
    """Whether it reads JSON lines rather than a list."""


class Declaration(Value):
    """What a benchmark is and how its files are read."""

    name: str = ""
    """Of its file."""
    title: str
    about: str
    paper: str
    licence: str
    source: str
    """Where its files and clips can be had, in words."""
    read_from: str
    """The official file or script whose fields these are, with its commit."""
    files: tuple[str, ...]
    """Below `benchmarks/NAME` in the Earwitness folder, with wildcards; the first pattern that finds files counts."""
    audio: str = ""
    """Folder that the clips' paths start from, below the same place; empty: that place."""
    official: OfficialScript | None = None
    """None: a judge scores it, or no script was found; the official score is then that of MMAU's word sets."""
    is_found_by_shape: bool = True
    """Whether a file with these fields is read as it; False where too many others have them."""
    parts: tuple[DeclaredPart, ...]

    def has_part(self, file: Path) -> bool:
        """Whether some part of it is in that file, by the file's path."""
        return any(part.is_in(file) for part in self.parts)

    def accept_any_file(self) -> "Declaration":
        """Return the declaration with its parts looked for in a file of any name."""
        parts = tuple(part.model_copy(update={"files": ()}) for part in self.parts)
        return self.model_copy(update={"parts": parts})


@cache
def read_declaration(name: str) -> Declaration:
    """Return what is declared of a benchmark; each file is read once a process."""
    return read_config(Path(__file__).with_name(f"{name}.yaml"), Declaration).model_copy(update={"name": name})


def load_declared(name: str, audio_root: Path | None = None) -> Benchmark:
    """Load a declared benchmark from its place in the Earwitness folder; `BadConfig` says where to put it."""
    declared = read_declaration(name)
    folder = read_settings().home / "benchmarks" / name
    matching = (sorted(filter(declared.has_part, folder.glob(pattern))) for pattern in declared.files)
    found = next(filter(None, matching), [])
    if not found:
        raise BadConfig(
            f"{name} is not in {folder}: there is no {' or '.join(declared.files)}. {declared.source} "
            f"Licence: {declared.licence}. "
            "Or name your copy with --bench FILE --audio-root FOLDER."
        )
    benchmark = read_declared(declared, found, audio_root or folder / declared.audio).locate_clips()
    file = found[0] if len(found) == 1 else folder
    return benchmark.model_copy(update={"name": name, "declared": name, "file": file})


def read_declared(declared: Declaration, files: list[Path], audio_root: Path) -> Benchmark:
    """Read the files of a declared benchmark as one; `BadConfig` names file, row and field of a row without use."""
    tables = {file: read_table(file) for file in files}
    items = tuple(
        item
        for file, table in tables.items()
        for part in declared.parts
        if part.is_in(file)
        for item in _read_part(part, file, table)
    )
    sums = [table.sha256 for table in tables.values()]
    digest = sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()
    benchmark = make_benchmark(files[0], Table((), digest), items, audio_root)
    script = declared.official
    official = script and {
        "official_rule": script.rule,
        "submission_keys": (script.key,),
        "submission_lines": script.is_lines,
    }
    return benchmark.model_copy(update={"audio_source": declared.source, **(official or {})})


def read_by_shape(file: Path, declarations: Iterable[str], audio_root: Path | None = None) -> Benchmark:
    """Read a file by the first of the named declarations whose fields it has; else by what its own are and hold."""
    declared = find_declaration(read_table(file), declarations)
    if declared is None:
        return read_mapped(file, audio_root)
    found = read_declared(declared.accept_any_file(), [file], audio_root or file.parent)
    return found.model_copy(update={"fields": declared.parts[0].fields, "declared": declared.name})


def find_declaration(table: Table, declarations: Iterable[str]) -> Declaration | None:
    """Return the first declaration whose fields a table has."""
    for declared in map(read_declaration, declarations):
        if declared.is_found_by_shape and all(_has_part(table, part) for part in declared.parts):
            return declared
    return None


def _has_part(table: Table, part: DeclaredPart) -> bool:
    return _has_fields(table, part.fields) and (not part.described or part.described in table.fields)


def _has_fields(table: Table, fields: FieldNames) -> bool:
    """Whether a table has every field that a declaration names, those in templates too; two options are enough."""
    optional = {"instructions", "arguments"} | ({"answer"} if fields.instructions else set())
    named = fields.model_dump(exclude_none=True, exclude={"answer_form", "options", "rule", *optional}).values()
    single = (one for value in named for one in ((value,) if isinstance(value, str) else value[:2]))
    return {name for one in single for name in list_names(one)} <= {FOLDER, FILE, ROW, *table.fields}


def _read_part(part: DeclaredPart, file: Path, table: Table) -> list[Item]:
    folder = file.parent.parent if file.parent.name == "data" else file.parent
    rows: list[TableRow] = [
        {FOLDER: folder.name, FILE: file.stem, ROW: number, **row} for number, row in enumerate(table.rows, start=1)
    ]
    fields = part.fields
    if part.has_classes and (classes := _list_classes(table, fields.answer)):
        fields = fields.model_copy(update={"options": classes})
    name = f"Benchmark {str(file)!r}"
    items = make_items(name, Table(rows, table.sha256), fields, suffix=part.suffix, ask=part.ask)
    known: dict[str, object] = {"category": part.category, "answer": part.answer, "judged_by": part.judge}
    told = {name: value for name, value in known.items() if value}
    return [
        item.model_copy(update=told | ({"described": _describe(name, number, row, part)} if part.described else {}))
        for number, (item, row) in enumerate(zip(items, rows, strict=True), start=1)
    ]


def _describe(name: str, number: int, row: TableRow, part: DeclaredPart) -> str:
    described = format_text(row.get(part.described)).strip()
    if not described:
        raise BadConfig(f"{name}, row {number}, field {part.described!r}: is empty; the judge needs it.")
    return described


def _list_classes(table: Table, field: str | None) -> tuple[str, ...]:
    """Return the answers of a file, if they are so few that they are its classes."""
    answers = sorted({format_text(row[field]) for row in table.rows if field in row} if field else ())
    is_few = 2 <= len(answers) <= MAX_CLASSES and len(table.rows) >= MIN_ROWS * len(answers)
    return tuple(answers) if is_few else ()
