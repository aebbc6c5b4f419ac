"""AuditoryBench++: auditory commonsense that language models have without hearing.

Asked:    which of two sounds is higher, longer or louder; which animal makes a sound; questions about a described
          audio context. Text only.
Size:     6,732 items: pitch 3,625, duration 1,645, animal 942, loudness 445, context (`mmau`) 75.
Licence:  CC-BY-4.0.
Paper:    Ok et al., "AuditoryBench++: Can Language Models Understand Auditory Knowledge without Hearing?",
          arXiv:2509.17641; data HJOK/AuditoryBenchpp on the Hugging Face Hub, a folder with test.csv for each task.
Audio:    none is needed.
Score:    strict and MMAU's matcher, as everywhere; the paper's own script was not released with the data.
Fields:   of the CSV files, by name: question (or prompt, or sentence), choices (or options), answer (or label).
          `test.fields.json` beside `test.csv` names others, as for AKB. A comparison without options has those that its
          file's answers are, such as higher and lower; [MASK] in a sentence is asked for.
"""

import ast
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.text_rows import FieldNames, TextRow, read_fields, rename_fields
from services.errors import BadConfig, word_problem
from services.json_lines import decode_text, read_bytes
from services.settings import settings

NAME = "auditorybench++"
TASKS = ("pitch", "duration", "loudness", "animal", "mmau")
ALIASES: Mapping[str, tuple[str, ...]] = {
    "question": ("prompt", "sentence"),
    "choices": ("options",),
    "answer": ("label",),
}
MAX_ANSWERS = 6  # a file with more different answers is not a comparison
MASK = "[MASK]"


def load(audio_root: Path | None = None) -> Benchmark:  # noqa: ARG001 - every loader takes it; here nothing is heard
    """Load all tasks from their place in the Earwitness folder; `BadConfig` says where to put them."""
    folder = settings().home / "benchmarks" / NAME
    files = [folder / task / "test.csv" for task in TASKS if (folder / task / "test.csv").is_file()]
    if not files:
        raise BadConfig(
            f"{NAME} is not at {folder}. Put its folders ({', '.join(TASKS)}, each with test.csv) there; they are "
            "HJOK/AuditoryBenchpp on the Hugging Face Hub; or name one with --bench FOLDER/test.csv."
        )
    parts = [read(file) for file in files]
    together = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    items = tuple(item for part in parts for item in part.items)
    return parts[0].model_copy(update={"name": NAME, "file": folder, "sha256": together, "items": items})


def read(file: Path) -> Benchmark:
    """Read one task's CSV file, named after its folder; `BadConfig` names file, row and field."""
    name = f"Benchmark {str(file)!r}"
    content = read_bytes(file, name)
    text = decode_text(content, name)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise BadConfig(f"Benchmark {str(file)!r} is not CSV: {error}.") from error
    if not rows:
        raise BadConfig(f"Benchmark {str(file)!r} holds no items; a CSV file with a header is needed.")
    task = file.parent.name if file.stem == "test" else file.stem
    fields = _find_fields(file, rows[0])
    answers = _list_answers(rows, fields)
    items = tuple(_make_item(file, number, row, fields, answers, task) for number, row in enumerate(rows, start=1))
    return Benchmark(
        name=f"{NAME} {task}",
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        audio_root=file.parent,
        items=items,
    )


def _find_fields(file: Path, row: Mapping[str, str]) -> FieldNames:
    """Return the file's names of our fields, the first that it has of each."""
    fields = read_fields(file)
    found = {
        name: next((alias for alias in aliases if alias in row), name)
        for name, aliases in ALIASES.items()
        if getattr(fields, name) == name and name not in row
    }
    return fields.model_copy(update=found)


def _list_answers(rows: Sequence[Mapping[str, str]], fields: FieldNames) -> list[str]:
    """Return the different answers of a file of comparisons, its options where it names none."""
    found = sorted({row.get(fields.answer, "") for row in rows} - {""})
    return found if 2 <= len(found) <= MAX_ANSWERS else []


def _make_item(
    file: Path, number: int, row: Mapping[str, str], fields: FieldNames, answers: Sequence[str], task: str
) -> Item:
    ours = rename_fields({**row, **_split_options(row, fields)}, fields)
    ours.setdefault("choices", list(answers))
    ours["id"] = f"{task}-{ours.get('id', number)}"
    try:
        asked = TextRow.model_validate(ours)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        message = word_problem(problem)
        field = f"field {problem['loc'][0]!r}: " if problem["loc"] else ""
        raise BadConfig(
            f"Benchmark {str(file)!r}, row {number}, {field}{message}; its columns "
            f"are {', '.join(row)}. {file.stem}.fields.json can say which is which."
        ) from error
    question = asked.question.replace(MASK, "___")
    return Item(
        **asked.model_dump() | {"question": question, "task": task, "modality": "text", "category": asked.category}
    )


def _split_options(row: Mapping[str, str], fields: FieldNames) -> dict[str, object]:
    """Return the cell of options as a list; it is written as JSON, as Python, or with ; or | between."""
    cell = row.get(fields.choices, "") if isinstance(fields.choices, str) else ""
    if not cell:
        return {}
    return {str(fields.choices): list(_split(cell))}


def _split(cell: str) -> Iterator[str]:
    if cell.lstrip().startswith("["):
        yield from _parse_list(cell)
        return
    separator = next((mark for mark in ("|", ";", "\n") if mark in cell), ",")
    yield from (part.strip() for part in cell.split(separator))


def _parse_list(cell: str) -> list[str]:
    """Return the list that a cell holds; an empty one, which no question may have, where it is not a list."""
    for read in (json.loads, ast.literal_eval):
        try:
            return [str(one) for one in read(cell)]
        except (ValueError, SyntaxError):
            continue
    return []
