"""AuditoryBench++: auditory commonsense that language models have without hearing.

Asked:    which of two sounds is higher, longer or louder; which animal makes a sound; questions about a described
          audio context. Text only.
Size:     6,732 items: pitch 3,625, duration 1,645, animal 942, loudness 445, context (`mmau`) 75.
Licence:  CC-BY-4.0.
Paper:    Ok et al., "AuditoryBench++: Can Language Models Understand Auditory Knowledge without Hearing?",
          arXiv:2509.17641; data HJOK/AuditoryBenchpp on the Hugging Face Hub, a folder with test.csv for each task.
Audio:    none is needed.
Score:    strict and MMAU's matcher, as everywhere; the paper's own script was not released with the data.
Fields:   of the CSV files, by name: question (or prompt, or sentence), choices (or options), answer (or label);
          `test.fields.json` beside `test.csv` names others. A comparison without options has those that its file's
          answers are, such as higher and lower; [MASK] in a sentence is asked for.
"""

import hashlib
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark
from eval.benchmarks.fields import FieldNames
from eval.benchmarks.mapped import read_mapped
from eval.benchmarks.tables import read_table
from services.errors import BadConfig
from services.settings import read_settings

NAME = "auditorybench++"
TASKS = ("pitch", "duration", "loudness", "animal", "mmau")

MAX_ANSWERS = 6  # a file with more different answers is not a comparison


def load(audio_root: Path | None = None) -> Benchmark:  # noqa: ARG001 - every loader takes it; here nothing is heard
    """Load all tasks from their place in the Earwitness folder; `BadConfig` says where to put them."""
    folder = read_settings().home / "benchmarks" / NAME
    files = [folder / task / "test.csv" for task in TASKS if (folder / task / "test.csv").is_file()]
    if not files:
        raise BadConfig(
            f"{NAME} is not at {folder}. Put its folders ({', '.join(TASKS)}, each with test.csv) there; they are "
            "HJOK/AuditoryBenchpp on the Hugging Face Hub; or name one with --bench FOLDER/test.csv. "
            "Licence: CC-BY-4.0."
        )
    parts = [read(file) for file in files]
    together = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    items = tuple(item for part in parts for item in part.items)
    return parts[0].model_copy(update={"name": NAME, "file": folder, "sha256": together, "items": items})


def read(file: Path) -> Benchmark:
    """Read one task's CSV file, named after its folder; `BadConfig` names file, row and field."""
    found = read_mapped(file, fields=_find_classes(file))
    task = file.parent.name if file.stem == "test" else file.stem
    items = tuple(item.model_copy(update={"id": f"{task}-{item.id}", "task": task}) for item in found.items)
    return found.model_copy(update={"name": f"{NAME} {task}", "items": items})


def _find_classes(file: Path) -> FieldNames:
    """Return the options of a file of comparisons, which are its answers, such as higher and lower."""
    table = read_table(file)
    field = next((name for name in ("answer", "label") if name in table.fields), None)
    answers = sorted({str(row[field]) for row in table.rows if field in row}) if field else []
    is_comparison = {"choices", "options"}.isdisjoint(table.fields) and 2 <= len(answers) <= MAX_ANSWERS
    return FieldNames(options=tuple(answers)) if is_comparison else FieldNames()
