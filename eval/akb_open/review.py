"""Human verification (`earwitness eval akb-review`): two annotators judge each item; what both accept stays."""

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.named import list_published
from eval.scoring.statistics import compute_cohen_kappa
from services.errors import BadConfig
from services.files import write_atomic
from services.journal import JournalFormat, append_row, cut_torn_line
from services.types import Value


class Judgement(StrEnum):
    """An annotator's verdict on an item."""

    OK = "ok"
    WRONG = "wrong"
    AMBIGUOUS = "ambiguous"


KEYS = {"o": Judgement.OK, "w": Judgement.WRONG, "a": Judgement.AMBIGUOUS}
QUIT = "q"


class Review(Value):
    """One judgement, a line of the annotator's file."""

    id: str
    benchmark_sha256: str
    annotator: str
    judgement: Judgement
    note: str = ""


REVIEWS = JournalFormat(Review, "a review", "fix or delete that line")


class Agreement(Value):
    """Inter-annotator agreement on the items that both have judged."""

    annotators: tuple[str, str]
    n: int
    """Items that both have judged."""
    agreed: int
    kappa: float | None
    """Cohen's kappa; None where both always say the same one thing, which leaves it undefined."""
    kept: tuple[str, ...]
    """Ids that both accept."""
    disputed: tuple[str, ...]
    """Ids that they judge differently."""
    unseen: int
    """Items that one of them or both have not judged: they are not kept."""


def read_reviews(file: Path) -> list[Review]:
    """Return the judgements of a file; a last line that was cut off by a crash is left out."""
    return [one.row for one in REVIEWS.read(file)]


def review(benchmark: Benchmark, annotator: str, out: Path, ask: Callable[[str], str]) -> int:
    """Ask an annotator about every item not judged yet; return how many remain.

    Each judgement is on disk before the next question, so the work continues where it stopped.

    Args:
        benchmark: What is reviewed.
        annotator: Who reviews; a file belongs to one.
        out: JSON lines, appended to.
        ask: Shows a text and returns what was typed; `EOFError` ends the session like `q`.
    """
    done = {one.id for one in _require_own(read_reviews(out), benchmark, annotator, out)}
    waiting = [item for item in benchmark.items if item.id not in done]
    out.parent.mkdir(parents=True, exist_ok=True)
    cut_torn_line(out)
    with out.open("ab") as target:
        for number, item in enumerate(waiting):
            judged = _judge(item, len(done) + number + 1, len(benchmark.items), ask)
            if judged is None:
                return len(waiting) - number
            judgement, note = judged
            line = Review(
                id=item.id,
                benchmark_sha256=benchmark.sha256,
                annotator=annotator,
                judgement=judgement,
                note=note,
            )
            append_row(target, line, durable=True)
    return 0


def merge(benchmark: Benchmark, first: Path, second: Path) -> Agreement:
    """Compare two annotators' files; `BadConfig` where they are one person's or about another benchmark."""
    (name_a, by_a), (name_b, by_b) = _read_judgements(first, benchmark), _read_judgements(second, benchmark)
    if name_a == name_b:
        raise BadConfig(f"Both files are of {name_a!r}; two annotators are needed.")
    both = [item.id for item in benchmark.items if item.id in by_a and item.id in by_b]
    pairs = [(by_a[name], by_b[name]) for name in both]
    return Agreement(
        annotators=(name_a, name_b),
        n=len(both),
        agreed=sum(a == b for a, b in pairs),
        kappa=compute_cohen_kappa(pairs),
        kept=tuple(name for name in both if by_a[name] == by_b[name] == Judgement.OK),
        disputed=tuple(name for name in both if by_a[name] != by_b[name]),
        unseen=len(benchmark.items) - len(both),
    )


def write_kept(benchmark: Benchmark, found: Agreement, out: Path) -> None:
    """Write the rows that both annotators accept, each as it is in the benchmark's file."""
    kept = [one.row for one in list_published(benchmark) if one.id in found.kept]
    try:
        write_atomic(out, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise BadConfig(f"The kept rows cannot be written to {str(out)!r}: {error.strerror}.") from error


def _judge(item: Item, number: int, total: int, ask: Callable[[str], str]) -> tuple[Judgement, str] | None:
    """Return what the annotator says of an item; None where the session ends."""
    options = "\n".join(f"  {'*' if choice == item.answer else ' '} {choice}" for choice in item.choices)
    text = f"\n{number}/{total}  {item.category}, {item.sub_category}  [{item.id}]\n{item.question}\n{options}\n"
    text += "Is * right, and only *? [o]k, [w]rong, [a]mbiguous, a note after it if you like; [q]uit: "
    while True:
        try:
            key, _, note = ask(text).strip().partition(" ")
        except EOFError:
            return None
        if key == QUIT:
            return None
        if key in KEYS:
            return KEYS[key], note.strip()
        text = f"{key!r} is none of o, w, a and q: "


def _require_own(reviews: Sequence[Review], benchmark: Benchmark, annotator: str, file: Path) -> Sequence[Review]:
    for one in reviews:
        if one.annotator != annotator:
            raise BadConfig(f"{str(file)!r} is {one.annotator!r}'s; give {annotator!r} a file of their own with --out.")
        if one.benchmark_sha256 != benchmark.sha256:
            raise BadConfig(
                f"{str(file)!r} is about another version of {benchmark.name}; name another file with --out."
            )
    return reviews


def _read_judgements(file: Path, benchmark: Benchmark) -> tuple[str, dict[str, Judgement]]:
    reviews = read_reviews(file)
    if not reviews:
        raise BadConfig(f"{str(file)!r} holds no reviews; `earwitness eval akb-review --annotator NAME` writes them.")
    _require_own(reviews, benchmark, reviews[0].annotator, file)
    return reviews[0].annotator, {one.id: one.judgement for one in reviews}
