"""Benchmarks that are declared as data: a YAML file each says where its files lie and which field holds what."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Literal, NamedTuple

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.detection import read_asked
from eval.benchmarks.fields import FieldNames, find_letter_place, list_names
from eval.benchmarks.mapped import RowReading, make_benchmark, make_items, read_mapped
from eval.benchmarks.options import draw_order, format_text
from eval.benchmarks.rows import PublishedRow, read_published
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
PLACES = range(3)
STAR_KINDS = ("OSM", "ISSE", "TAO", "DSS", "ETC")  # of STAR-Bench's questions about the order of recordings
MAX_CLASSES, MIN_ROWS = 26, 4  # answers that are classes: at most so many, each on so many rows on average


class DeclaredPart(Value):
    """One question of each row."""

    fields: FieldNames
    suffix: str = ""
    """Behind the id, where a row holds several questions."""
    builds_on: str = ""
    """Suffix of the question of the same row whose answer this one builds on."""
    category: str = ""
    """Category of all of them, where no field holds it."""
    answer: str = ""
    """The right option of all of them, where no field holds it."""
    ask: str = ""
    """The question of all of them, where their own is spoken in the recording."""
    judge: JudgeProtocol = "reference"
    """What a judge of open answers is asked."""
    described: tuple[str, ...] = ()
    """Fields that say what the recording holds, for the judge alone; the first that a row has counts."""
    has_classes: bool = False
    """Whether the options of a file are its answers, where these are few; questions with others are open."""
    files: tuple[str, ...] = ()
    """Patterns of the paths whose files hold such questions; empty: all do."""
    is_found_by_shape: bool = True
    """As of the declaration; False: only a file of the published name is read by it."""
    reference_options: str = ""
    """Field whose options the answer to an open question is a place of, from 1, where it is a number."""
    keeps_unanswerable: bool = False
    """Whether the published file holds rows whose answer is none of their options: they fail, with that reason."""
    order: Literal["published", "drawn", "star-bench"] = "published"
    """Of what is shown: the options in an order drawn by the id, as the first one is right; or the recordings, which
    are published in the order that is asked for, as STAR-Bench's script shuffles them by the id."""

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

    def names(self, file: Path) -> bool:
        """Whether it is published in a file of that very name."""
        patterns = (*self.files, *(pattern for part in self.parts for pattern in part.files))
        return file.name in {Path(pattern).name for pattern in patterns}

    def keep_shaped(self) -> "Declaration":
        """Return the declaration with the parts alone that a file of any name is read by."""
        return self.model_copy(update={"parts": tuple(part for part in self.parts if part.is_found_by_shape)})


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
        parts = list(dict.fromkeys(pattern for part in declared.parts for pattern in part.files))
        which = f" with the name {' or '.join(parts)}" if parts and any("*" in one for one in declared.files) else ""
        raise BadConfig(
            f"{name} is not in {folder}: there is no {' or '.join(declared.files)}{which}. {declared.source} "
            f"Licence: {declared.licence}. "
            "Or name your copy with --bench FILE --audio-root FOLDER."
        )
    benchmark = read_declared(declared, found, audio_root or folder / declared.audio).locate_clips()
    if audio_root is None and not benchmark.has_clips():  # the published folder may have been put there as a whole
        beside = benchmark.model_copy(update={"audio_root": found[0].parent}).locate_clips()
        benchmark = beside if beside.has_clips() else benchmark
    file = found[0] if len(found) == 1 else folder
    return benchmark.model_copy(update={"name": name, "declared": name, "file": file, "files": tuple(found)})


def list_published(benchmark: Benchmark) -> Iterator[PublishedRow]:
    """Read a benchmark's files again, and yield each row with each of the items that it became.

    Of a file that is read by its fields, `benchmark` has to hold all items.
    """
    if benchmark.declared:
        declared = read_declaration(benchmark.declared)
        declared = declared if benchmark.files else _accept_file(declared, benchmark.file)
        tables = {file: read_table(file) for file in benchmark.files or (benchmark.file,)}
        for row, item, options in _read_rows(declared, tables):
            yield PublishedRow(row, item.id, options)
    elif benchmark.fields is None:
        yield from read_published(benchmark.file)
    else:
        pairs = zip(read_table(benchmark.file).rows, benchmark.items, strict=True)
        yield from (PublishedRow(row, item.id) for row, item in pairs)


def read_declared(declared: Declaration, files: list[Path], audio_root: Path) -> Benchmark:
    """Read the files of a declared benchmark as one; `BadConfig` names file, row and field of a row without use."""
    tables = {file: read_table(file) for file in files}
    items = tuple(item for _, item, _ in _read_rows(declared, tables))
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


class _ReadRow(NamedTuple):
    """A row, an item that it became, and its options as published."""

    row: TableRow
    item: Item
    options: tuple[str, ...]


def _read_rows(declared: Declaration, tables: Mapping[Path, Table]) -> list[_ReadRow]:
    """Read all files; where one has an id of another, ids are told apart by the names of their files."""
    by_file = {
        file: [
            _ReadRow(row, item, read_asked(row, part.fields).options)
            for part in _choose_parts(declared, file, table)
            for row, item in zip(table.rows, _read_part(part, file, table), strict=True)
        ]
        for file, table in tables.items()
    }
    files_of_id = Counter(name for rows in by_file.values() for name in {one.item.id for one in rows})
    is_shared = any(num > 1 for num in files_of_id.values())
    return [
        one._replace(item=_tell_apart(one.item, file.stem)) if is_shared else one
        for file, rows in by_file.items()
        for one in rows
    ]


def _tell_apart(item: Item, file: str) -> Item:
    premise = item.premise and f"{file}-{item.premise}"
    return item.model_copy(update={"id": f"{file}-{item.id}", "premise": premise})


def _choose_parts(declared: Declaration, file: Path, table: Table) -> list[DeclaredPart]:
    """Return the parts that a file holds: of those with one suffix, the one whose fields it has, or lacks the fewest.

    `BadConfig` names the field of the recording, or of the question, that is in none of its rows.
    """
    alike: dict[str, list[DeclaredPart]] = {}
    for part in declared.parts:
        if part.is_in(file):
            alike.setdefault(part.suffix, []).append(part)
    chosen = [min(parts, key=lambda part: len(_list_lacking(table, part))) for parts in alike.values()]
    for part in chosen:
        _require_fields(f"Benchmark {str(file)!r}", table, part)
    return chosen


def _require_fields(name: str, table: Table, part: DeclaredPart) -> None:
    known = {FOLDER, FILE, ROW, *table.fields}
    for kind, value in (("audio", part.fields.audio), ("question", None if part.ask else part.fields.question)):
        templates = (value,) if isinstance(value, str) else value or ()
        if templates and not any(known.issuperset(list_names(one)) for one in templates):
            lacking = next(one for one in list_names(templates[0]) if one not in known)
            raise BadConfig(
                f"{name} has no field {lacking!r}, which is the {kind} of this benchmark; it has "
                f"{', '.join(table.fields)}. Or name the file with --bench FILE and its fields with --fields."
            )


def read_by_shape(file: Path, declarations: Iterable[str], audio_root: Path | None = None) -> Benchmark:
    """Read a file by the declaration that names it, or the first whose fields it has; else by what its own are."""
    declared = find_declaration(read_table(file), declarations, file)
    if declared is None:
        return read_mapped(file, audio_root)
    found = read_declared(_accept_file(declared, file), [file], audio_root or file.parent)
    return found.model_copy(update={"fields": declared.parts[0].fields, "declared": declared.name})


def find_declaration(table: Table, declarations: Iterable[str], file: Path | None = None) -> Declaration | None:
    """Return the first declaration whose fields a table has, with the parts that it has.

    One that is published in a file of that very name comes first.
    """
    candidates = list(map(read_declaration, declarations))
    named = [one for one in candidates if file is not None and one.names(file)]
    shaped = [one.keep_shaped() for one in candidates if one.is_found_by_shape]
    for declared in [*(_accept_file(one, file) for one in named if file), *shaped]:
        parts = tuple(part for part in declared.parts if not _list_lacking(table, part))
        first = {part.suffix: part for part in reversed(parts)}
        if first.keys() == {part.suffix for part in declared.parts}:
            return declared.model_copy(update={"parts": tuple(part for part in parts if first[part.suffix] is part)})
    return None


def _accept_file(declared: Declaration, file: Path) -> Declaration:
    """Return a declaration with the parts that are in a file of that name, or, where none is, in any file."""
    held = tuple(part for part in declared.parts if part.is_in(file)) or declared.parts
    return declared.model_copy(update={"parts": tuple(part.model_copy(update={"files": ()}) for part in held)})


def _list_lacking(table: Table, part: DeclaredPart) -> set[str]:
    """Return the fields of a declaration that a table lacks, those in templates too; any two options are enough."""
    optional = {"instructions", "arguments"} | ({"answer"} if part.fields.instructions else set())
    left_out = {"answer_form", "options", "rule", *optional}
    if isinstance(part.fields.choices, tuple) and len({*part.fields.choices} & {*table.fields}) > 1:
        left_out.add("choices")
    named = part.fields.model_dump(exclude_none=True, exclude=left_out).values()
    single = (one for value in named for one in ((value,) if isinstance(value, str) else value))
    needed = {name for one in single for name in list_names(one)}
    if part.described and not {*part.described} & {*table.fields}:
        needed.add(part.described[0])
    return needed - {FOLDER, FILE, ROW, *table.fields}


def _read_part(part: DeclaredPart, file: Path, table: Table) -> list[Item]:
    folder = file.parent.parent if file.parent.name == "data" else file.parent
    rows: list[TableRow] = [
        {FOLDER: folder.name, FILE: file.stem, ROW: number, **row} for number, row in enumerate(table.rows, start=1)
    ]
    fields = part.fields
    if fields.answer_form == "index0" and _has_letters(table, fields.answer or ""):
        fields = fields.model_copy(update={"answer_form": "letter"})
    if part.has_classes and (classes := _list_classes(table, fields.answer)):
        fields = fields.model_copy(update={"options": classes})
    if part.reference_options:
        rows = [_read_reference(row, fields.answer or "", part.reference_options) for row in rows]
    name = f"Benchmark {str(file)!r}"
    asked = Table(rows, table.sha256)
    reading = RowReading(part.suffix, part.ask, keeps_unanswerable=part.keeps_unanswerable)
    items = [_arrange(item, part) for item in make_items(name, asked, fields, reading)]
    known: dict[str, object] = {"category": part.category, "answer": part.answer, "judged_by": part.judge}
    told = {name: value for name, value in known.items() if value}
    return [
        item.model_copy(
            update=told
            | ({"described": _describe(name, number, row, part)} if part.described else {})
            | ({"premise": item.id.removesuffix(part.suffix) + part.builds_on} if part.builds_on else {})
        )
        for number, (item, row) in enumerate(zip(items, rows, strict=True), start=1)
    ]


def _has_letters(table: Table, field: str) -> bool:
    """Whether answers that are declared as places are letters, as the Hub labels them in Parquet."""
    values = [row[field] for row in table.rows if field in row]
    return all(isinstance(value, str) and find_letter_place(value, MAX_CLASSES) is not None for value in values)


def _read_reference(row: TableRow, answer: str, options: str) -> TableRow:
    """Return a row with the text of its reference, where that is the place of one of its options."""
    place, listed = row.get(answer), row.get(options)
    if type(place) is int and isinstance(listed, list) and 1 <= place <= len(listed):
        return {**row, answer: listed[place - 1]}
    return row


def _arrange(item: Item, part: DeclaredPart) -> Item:
    """Return an item with its options, or its recordings, in the order in which they are shown."""
    if part.order == "drawn":
        return item.model_copy(update={"choices": draw_order(item.id, item.choices)})
    return _shuffle_clips(item) if part.order == "star-bench" else item


def _shuffle_clips(item: Item) -> Item:
    """Shuffle three recordings as TemporalReasoningDataset of starbench.py does (InternLM/StarBench @ 0daf8b0).

    Its ids end in a kind and a number, which decide the order (its seed, 42, leaves no remainder by 6). The right
    option says in which order what is shown has to be put: clip 2 -> clip 3 -> clip 1.
    """
    *_, kind, number = ["", "", *item.id.split("_")]
    if len(item.audio) != len(PLACES) or kind not in STAR_KINDS or not number.isdecimal():
        return item.model_copy(update={"unsupported": "has not the three recordings and the id of such a question"})
    orders = list(permutations(PLACES))
    shown = orders[(int(number) + STAR_KINDS.index(kind)) % len(orders)]
    answer = " -> ".join(f"clip {shown.index(place) + 1}" for place in PLACES)
    if answer not in item.choices:
        return item.model_copy(update={"unsupported": f"has not the option {answer!r}, which is right"})
    return item.model_copy(update={"audio": tuple(item.audio[place] for place in shown), "answer": answer})


def _describe(name: str, number: int, row: TableRow, part: DeclaredPart) -> str:
    described = next(filter(None, (format_text(row.get(field)).strip() for field in part.described)), "")
    if not described:
        field = " or ".join(map(repr, part.described))
        raise BadConfig(f"{name}, row {number}, field {field}: is empty; the judge needs it.")
    return described


def _list_classes(table: Table, field: str | None) -> tuple[str, ...]:
    """Return the answers of a file, if they are so few that they are its classes."""
    answers = sorted({format_text(row[field]) for row in table.rows if field in row} if field else ())
    is_few = 2 <= len(answers) <= MAX_CLASSES and len(table.rows) >= MIN_ROWS * len(answers)
    return tuple(answers) if is_few else ()
