"""Benchmarks that are declared as data: a YAML file each says where its files lie and which field holds what."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.detection import list_names
from eval.benchmarks.fields import FieldNames
from eval.benchmarks.mapped import make_benchmark, make_items, read_mapped
from eval.benchmarks.tables import Table, TableRow, read_table
from eval.scoring.official import OfficialRule
from services.errors import BadConfig
from services.settings import settings
from services.types import Value
from services.yaml_file import read_config

FOLDER = "(folder)"
ROW = "(row)"
"""Fields that templates may name beside those of the file, as in `{(folder)}`: the name of the folder that the file
lies in, and the number of the row in it."""


class DeclaredPart(Value):
    """One question of each row."""

    fields: FieldNames
    suffix: str = ""
    """Behind the id, where a row holds several questions."""
    category: str = ""
    """Category of all of them, where no field holds it."""
    answer: str = ""
    """The right option of all of them, where no field holds it."""


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


def read_declaration(name: str) -> Declaration:
    """Return what is declared of a benchmark."""
    return read_config(Path(__file__).with_name(f"{name}.yaml"), Declaration).model_copy(update={"name": name})


def load_declared(name: str, audio_root: Path | None = None) -> Benchmark:
    """Load a declared benchmark from its place in the Earwitness folder; `BadConfig` says where to put it."""
    declared = read_declaration(name)
    folder = settings().home / "benchmarks" / name
    found = next((files for pattern in declared.files if (files := sorted(folder.glob(pattern)))), [])
    if not found:
        raise BadConfig(
            f"{name} is not in {folder}: there is no {' or '.join(declared.files)}. {declared.source} "
            "Or name your copy with --bench FILE --audio-root FOLDER."
        )
    benchmark = read_declared(declared, found, audio_root or folder / declared.audio).locate_clips()
    file = found[0] if len(found) == 1 else folder
    return benchmark.model_copy(update={"name": name, "declared": name, "file": file})


def read_declared(declared: Declaration, files: list[Path], audio_root: Path) -> Benchmark:
    """Read the files of a declared benchmark as one; `BadConfig` names file, row and field of a row without use."""
    tables = {file: read_table(file) for file in files}
    items = tuple(
        item for file, table in tables.items() for part in declared.parts for item in _read_part(part, file, table)
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
    found = read_declared(declared, [file], audio_root or file.parent)
    return found.model_copy(update={"fields": declared.parts[0].fields, "declared": declared.name})


def find_declaration(table: Table, declarations: Iterable[str]) -> Declaration | None:
    """Return the first declaration whose fields a table has."""
    for declared in map(read_declaration, declarations):
        if declared.is_found_by_shape and all(_has_fields(table, part.fields) for part in declared.parts):
            return declared
    return None


def _has_fields(table: Table, fields: FieldNames) -> bool:
    """Whether a table has every field that a declaration names, those in templates too."""
    named = fields.model_dump(exclude_none=True, exclude={"answer_form", "options"}).values()
    single = (one for value in named for one in ((value,) if isinstance(value, str) else value))
    return {name for one in single for name in list_names(one)} <= {FOLDER, ROW, *table.fields}


def _read_part(part: DeclaredPart, file: Path, table: Table) -> list[Item]:
    rows: list[TableRow] = [
        {FOLDER: file.parent.name, ROW: number, **row} for number, row in enumerate(table.rows, start=1)
    ]
    items = make_items(f"Benchmark {str(file)!r}", Table(rows, table.sha256), part.fields, suffix=part.suffix)
    known = {"category": part.category, "answer": part.answer}
    return [item.model_copy(update={name: value for name, value in known.items() if value}) for item in items]
