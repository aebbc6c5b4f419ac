"""AKB-2000, the Auditory Knowledge Benchmark, when it is released; and AKB-open, ours of the same shape.

Asked:    four-option questions of auditory knowledge, text only: 6 categories, 48 sub-categories.
Size:     AKB-2000 2,000 items (Sound 248, Paralinguistic 594, Phonetic 217, Music 401, Audio Quality 196,
          Technical 344; recovered from the paper's tables); `akb-open` 1,440, 30 a sub-category.
Licence:  AKB-2000: none published. AKB-open: that of this project; each row names its source (WordNet 3.1,
          CMUdict, AudioSet ontology CC BY-SA 4.0, codec specifications) or is computed.
Paper:    Lu et al., "How Auditory Knowledge in LLM Backbones Shapes Audio Language Models", arXiv:2603.19195.
          Its questions are unreleased; AKB-open is not AKB-2000, and their scores are not comparable.
Audio:    none is needed.
Score:    strict as everywhere; "official" is the matcher of MMAU, for there is no script.
Fields:   id, question, choices (a list, or an object from letters to texts), answer (an option's text or its
          letter), category, sub_category; other names are found, or named, as in any file of questions.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Protocol

from eval.benchmarks.benchmark import Benchmark
from eval.benchmarks.mapped import read_mapped
from services.errors import BadConfig
from services.settings import read_settings

OPEN_FILE = Path(__file__).with_name("akb-open.json")
NUM_CHOICES = 4
NUM_CATEGORIES = 6
NUM_SUB_CATEGORIES = 48
CHANCE_SPREAD = 4
"""Standard errors that a letter's share may lie off a quarter before answers count as unbalanced."""


def load(audio_root: Path | None = None) -> Benchmark:  # noqa: ARG001 - every loader takes it; here nothing is heard
    """Load AKB-2000 from its place in the Earwitness folder; `BadConfig` says that it is unreleased."""
    file = read_settings().home / "benchmarks" / "akb" / "akb.json"
    if not file.is_file():
        raise BadConfig(
            f"akb (AKB-2000) is not at {file}, and its authors have not released it. Put it there or name it with "
            "--bench FILE.json when they do; --bench akb-open is our own benchmark of the same shape (Apache-2.0). "
            "Licence: none published."
        )
    return read(file).model_copy(update={"name": "akb"})


def load_open(audio_root: Path | None = None) -> Benchmark:  # noqa: ARG001
    """Load AKB-open, which comes with the package."""
    return read(OPEN_FILE).model_copy(update={"fields": None})  # its own schema, of which there is nothing to tell


def read(file: Path) -> Benchmark:
    """Read any file in AKB's shape; `BadConfig` names file, row and field."""
    return read_mapped(file)


class Shaped(Protocol):
    """What the shape of a benchmark is judged by: rows of ours and items of any other have it."""

    @property
    def id(self) -> str:
        """Identifier, unique in the benchmark."""

    @property
    def question(self) -> str:
        """Text of the question."""

    @property
    def choices(self) -> Sequence[str]:
        """Texts of the options."""

    @property
    def answer(self) -> str | None:
        """Text of the right option, where it is known."""

    @property
    def category(self) -> str:
        """Category of the taxonomy."""

    @property
    def sub_category(self) -> str:
        """Sub-category of the taxonomy."""


def find_problems(rows: Sequence[Shaped], *, num_per_sub_category: int | None = None) -> tuple[str, ...]:
    """Say how rows differ from AKB's published shape; nothing where they have it.

    Args:
        rows: The whole benchmark.
        num_per_sub_category: Rows that each sub-category must have; None where sizes may differ, as in AKB-2000.
    """
    return (
        *_check_taxonomy(rows, num_per_sub_category),
        *_find_repeats("id", [row.id for row in rows]),
        *_find_repeats("question", [row.question for row in rows]),
        *_check_options(rows),
        *_check_balance(rows),
    )


def _check_taxonomy(rows: Sequence[Shaped], num_per_sub_category: int | None) -> Iterator[str]:
    categories = sorted({row.category for row in rows})
    if len(categories) != NUM_CATEGORIES:
        yield f"{len(categories)} categories, not {NUM_CATEGORIES}: {', '.join(categories)}"
    sizes = Counter(row.sub_category for row in rows)
    if len(sizes) != NUM_SUB_CATEGORIES:
        yield f"{len(sizes)} sub-categories, not {NUM_SUB_CATEGORIES}"
    homes = Counter(name for name, _ in {(row.sub_category, row.category) for row in rows})
    for name, num in homes.items():
        if num > 1:
            yield f"sub-category {name!r} is in {num} categories"
    for name, size in sizes.items():
        if num_per_sub_category is not None and size != num_per_sub_category:
            yield f"sub-category {name!r} has {size} rows, not {num_per_sub_category}"


def _find_repeats(field: str, values: Sequence[str]) -> Iterator[str]:
    for value, num in Counter(values).items():
        if num > 1:
            yield f"{field} {value!r} is there {num} times"


def _check_options(rows: Sequence[Shaped]) -> Iterator[str]:
    for row in rows:
        if len({choice.casefold().strip() for choice in row.choices}) != NUM_CHOICES or len(row.choices) != NUM_CHOICES:
            yield f"{row.id!r} has not {NUM_CHOICES} different options: {list(row.choices)}"
        if row.answer not in row.choices:
            yield f"{row.id!r} answers {row.answer!r}, which is not an option"


def _check_balance(rows: Sequence[Shaped]) -> Iterator[str]:
    letters = Counter(row.choices.index(row.answer) for row in rows if row.answer in row.choices)
    expected, n = 1 / NUM_CHOICES, max(1, letters.total())
    spread = CHANCE_SPREAD * (expected * (1 - expected) / n) ** 0.5
    for place in range(NUM_CHOICES):
        share = letters[place] / n
        if abs(share - expected) > spread:
            yield f"the answer is {ascii_uppercase[place]} in {share:.1%} of the rows; about {expected:.0%} is balanced"
