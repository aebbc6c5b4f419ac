"""Distractors and balance: drafts become rows of four options, right answers spread evenly over letters and lengths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple, TypeAlias, TypeVar

from eval.akb_open.row import COMPUTED, NUM_PER_SUB_CATEGORY, AkbOpenRow, Derivation

Item = TypeVar("Item")
NUM_WRONG = 3
NUM_KEPT = 5
"""Wrong values kept on each side of a right one, usual mistakes first."""
NUM_TRIES = 40
"""Draws of three wrong options among which the best is taken."""


class DraftQuestion(NamedTuple):
    """A question with more wrong options than are needed."""

    question: str
    answer: str
    wrong: tuple[str, ...]
    source: str
    derivation: Derivation | None = None
    larger: tuple[str, ...] = ()
    """Of a number: wrong values above it; `wrong` then holds those below."""


class Drafts(NamedTuple):
    """A sub-category: its category, and what draws its questions."""

    category: str
    draw: Callable[[Random], Iterator[DraftQuestion]]


SubCategories: TypeAlias = Mapping[str, Drafts]


class Numeric(NamedTuple):
    """A calculation: inputs as the question shows them, the result, and results of the usual mistakes."""

    name: str
    templates: Sequence[str]
    given: Mapping[str, str]
    truth: float
    wrong: Sequence[float]
    unit: str
    digits: int


def format_amount(value: float, unit: str, digits: int) -> str:
    """Write a quantity with its unit, such as `1,024.0 Hz`."""
    return f"{value:,.{digits}f} {unit}".strip().replace(" %", "%")


def is_distinct(value: float, truth: float, digits: int) -> bool:
    """Tell whether a value is clearly another one: at all where the truth shows exactly, else by 1 %."""
    shown = round(truth, digits)
    if abs(shown - truth) < 1e-9:
        return round(value, digits) != shown
    return abs(value - truth) > max(0.01 * abs(truth), 2 * 10.0**-digits)


def make_numeric_draft(numeric: Numeric, rng: Random) -> DraftQuestion:
    """Word a calculation; its wrong options are near values, all written like the right one."""
    question = rng.choice(numeric.templates).format(**numeric.given)
    truth, digits = numeric.truth, numeric.digits
    answer = format_amount(truth, numeric.unit, digits)
    usable = [value for value in (*numeric.wrong, *_spread(numeric)) if _is_usable(value, truth, digits)]
    larger = _format_amounts(numeric, answer, [value for value in usable if value > truth])
    smaller = _format_amounts(numeric, answer, [value for value in usable if value < truth])
    derivation = Derivation(name=numeric.name, parameters=dict(numeric.given))
    return DraftQuestion(question, answer, smaller, COMPUTED, derivation, larger)


def _spread(numeric: Numeric) -> list[float]:
    """Return values on both sides, so that the right one may be the least or the greatest."""
    if numeric.unit.startswith(("dB", "LUFS")):
        return [numeric.truth + step for step in (-3, 3, -6, 6, -10, 10)]
    spread = [numeric.truth * factor for factor in (0.5, 2, 0.25, 4, 0.75, 1.5)]
    near = [round(numeric.truth) + step for step in (1, -1, 2, -2, 3, -3)]
    return [*spread, *near] if numeric.digits == 0 and numeric.truth < 20 else spread


def _is_usable(value: float, truth: float, digits: int) -> bool:
    whole = value == round(value, digits) or digits > 0 or truth != round(truth)
    return is_distinct(value, truth, digits) and whole and (value > 0 or truth < 0)


def _format_amounts(numeric: Numeric, answer: str, values: Sequence[float]) -> tuple[str, ...]:
    texts = dict.fromkeys(format_amount(value, numeric.unit, numeric.digits) for value in values)
    zero = format_amount(0, numeric.unit, numeric.digits)
    return tuple(text for text in texts if text not in {answer, zero})[:NUM_KEPT]


def assemble(name: str, drafts: Drafts, seed: int) -> list[AkbOpenRow]:
    """Draw the rows of one sub-category, the same ones for the same seed."""
    rng = Random(f"{seed} {name}")  # noqa: S311  questions, no secrets
    extra = rng.randrange(4)  # which letters get the two rows that 30 has over 28
    letters = _shuffle(rng, [(number + extra) % 4 for number in range(NUM_PER_SUB_CATEGORY)])
    ranks = _shuffle(rng, [number % 4 for number in range(NUM_PER_SUB_CATEGORY)])
    rows: list[AkbOpenRow] = []
    asked: set[str] = set()
    for found in drafts.draw(rng):
        if found.question in asked or len(found.wrong) + len(found.larger) < NUM_WRONG:
            continue
        asked.add(found.question)
        rows.append(
            _make_row(
                name,
                drafts.category,
                found,
                letters[len(rows)],
                _shuffle(rng, _draw_wrong(rng, found, ranks[len(rows)])),
            )
        )
        if len(rows) == NUM_PER_SUB_CATEGORY:
            return _number_rows(name, rows)
    raise AssertionError(f"{name}: only {len(rows)} questions could be drawn")


def _shuffle(rng: Random, values: list[Item]) -> list[Item]:
    rng.shuffle(values)
    return values


def _draw_wrong(rng: Random, found: DraftQuestion, rank: int) -> list[str]:
    """Draw three wrong options such that about `rank` of them are longer than the right one."""
    if found.larger:
        return _draw_around(rng, found, rank)
    best: list[str] = []
    for _ in range(NUM_TRIES):
        three = rng.sample(found.wrong, NUM_WRONG)
        if not best or _measure_miss(found, three, rank) < _measure_miss(found, best, rank):
            best = three
    return best


def _draw_around(rng: Random, found: DraftQuestion, rank: int) -> list[str]:
    """Draw `rank` values above the right one and the others below, as far as there are."""
    num_larger = max(min(rank, len(found.larger)), NUM_WRONG - len(found.wrong))
    return rng.sample(found.larger, num_larger) + rng.sample(found.wrong, NUM_WRONG - num_larger)


def _measure_miss(found: DraftQuestion, three: Sequence[str], rank: int) -> int:
    return abs(sum(len(text) > len(found.answer) for text in three) - rank)


def _make_row(name: str, category: str, found: DraftQuestion, letter: int, wrong: list[str]) -> AkbOpenRow:
    choices = wrong[:]
    choices.insert(letter, found.answer)
    first, second, third, fourth = choices
    return AkbOpenRow(
        id="",
        question=found.question,
        choices=(first, second, third, fourth),
        answer=found.answer,
        category=category,
        sub_category=name,
        source=found.source,
        derivation=found.derivation,
    )


def _number_rows(name: str, rows: list[AkbOpenRow]) -> list[AkbOpenRow]:
    slug = name.lower().replace(" and ", " ").replace(" ", "-")
    return [row.model_copy(update={"id": f"{slug}-{number:02}"}) for number, row in enumerate(rows, start=1)]
