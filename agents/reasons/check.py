"""Check of claims against the evidence that they cite: ids exist, times fit, numbers, quotations, a word stand there.

Nothing here knows what a claim is about, and whether it follows from the evidence is not checked, but that it does not
deny what the evidence asserts (`agents.reasons.polarity`). A claim in another language than its evidence has no word in
common with it, and is marked so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from agents.listening.classifiers.spoken import QUOTATION
from agents.reading.numbers import find_pronouns
from agents.reading.plain_text import normalise
from agents.reading.quantities import QuantityMention, Values, find_quantities, select_widest
from agents.reading.stems import extract_stems
from agents.reasons.polarity import PolarityMatch, compare_polarity
from agents.reasons.times import CLOCK_NEAR_S, TimeMention, count_decimals, find_times
from lalm.statements import RECORDING
from services.longform.clock import WHOLE_S
from services.types import Citation, Claim, ClaimVerdict, Evidence

VERDICTS: Mapping[PolarityMatch, ClaimVerdict] = {
    "same": "supported",
    "opposite": "contradicted",
    "unclear": "unchecked",
}
MIN_STEM_LETTERS = 3
MOST_ROUNDED = 0.05  # of a number, that rounding may change
PERCENT = re.compile(r"\s*(?:%|per\s?cent\b)", re.IGNORECASE)
SECONDS = re.compile(r"\s*(?:s|secs?|seconds?)\b", re.IGNORECASE)
WHICH = re.compile(rf"\b{RECORDING.format(number='')}\Z", re.IGNORECASE)
NEAR_S = 0.05 + 1e-6  # prompts have times to a tenth of a second


class WrittenCitation(NamedTuple):
    """A citation as it was written."""

    id: str
    start_s: float | None = None
    end_s: float | None = None
    """Seconds; None: no time is cited."""


class WrittenClaim(NamedTuple):
    """A claim as it was written."""

    text: str
    cites: tuple[WrittenCitation, ...] = ()


class _Stated(NamedTuple):
    """The quantities that the words of the cited statements hold, and the statements, which have more beside them."""

    values: Values
    numbers: tuple[float, ...]
    cited: tuple[Evidence, ...]

    def holds(self, mention: QuantityMention, text: str) -> bool:
        """Say whether a quantity of a text is among them, or is one of them rounded."""
        beside = (number for one in self.cited for number in _list_figures(one, mention, text))
        numbers = (*self.numbers, *beside)
        claimed = [value for value in mention.values if _is_number(value)]
        return bool(mention.values & self.values) or any(
            _is_rounded(value, number) for number in numbers for value in claimed
        )


def check_claim(written: WrittenClaim, evidence: Mapping[str, Evidence]) -> Claim:
    """Check a claim against the statements that may be cited, by their ids."""
    cites = tuple(_complete(one, evidence.get(one.id)) for one in written.cites)
    verdict, faults = _judge(written.text, cites, evidence)
    return Claim(text=written.text, cites=cites, verdict=verdict, faults=faults)


class _ClaimJudgement(NamedTuple):
    verdict: ClaimVerdict
    faults: tuple[str, ...] = ()


def _judge(text: str, cites: Sequence[Citation], evidence: Mapping[str, Evidence]) -> _ClaimJudgement:
    if not cites:
        return _ClaimJudgement("uncited")
    if unknown := tuple(one.id for one in cites if one.id not in evidence):
        return _ClaimJudgement("no_such_evidence", unknown)
    cited = tuple(evidence[one.id] for one in cites)
    stated = _list_stated(cited)
    known, misplaced = _split_times(text, cited, stated)
    outside = [_format_citation(one) for one in cites if not _is_within(one, evidence[one.id])]
    outside += [text[one.start : one.end] for one in misplaced if not one.is_clock]
    if outside:
        return _ClaimJudgement("wrong_time", tuple(outside))
    if missing := tuple(_list_missing(text, known, cited, stated)):
        return _ClaimJudgement("wrong_number", missing)
    if unsaid := tuple(one[0] for one in QUOTATION.finditer(text) if not _is_quoted(one[0], cited)):
        return _ClaimJudgement("misquoted", unsaid)
    unrelated = tuple(one.id for one in cites if not _shares_words(text, evidence[one.id]))
    return (
        _ClaimJudgement("unrelated", unrelated)
        if unrelated
        else _ClaimJudgement(VERDICTS[compare_polarity(text, cited)])
    )


def _complete(written: WrittenCitation, statement: Evidence | None) -> Citation:
    """Return a citation with the time of its statement where it names none."""
    start_s, end_s = written.start_s, written.end_s
    if statement is not None:
        start_s = statement.start_s if start_s is None else start_s
        end_s = statement.end_s if end_s is None else end_s
    return Citation(id=written.id, start_s=start_s or 0.0, end_s=end_s)


def _is_within(cited: Citation, statement: Evidence) -> bool:
    """Say whether the time that is cited is a span within that of the statement."""
    near_s = CLOCK_NEAR_S if (statement.end_s or 0.0) > WHOLE_S else NEAR_S  # long ones are shown in whole seconds
    if cited.start_s < statement.start_s - near_s:
        return False
    if cited.end_s is None:
        return statement.end_s is None
    is_before_end = statement.end_s is None or cited.end_s <= statement.end_s + near_s
    return is_before_end and cited.start_s <= cited.end_s


class _Times(NamedTuple):
    known: tuple[TimeMention, ...]
    """Those that lie within a statement that is cited, or stand in one."""
    misplaced: tuple[TimeMention, ...]


def _split_times(text: str, cited: Sequence[Evidence], stated: _Stated) -> _Times:
    times = tuple(find_times(text))
    known = tuple(
        one
        for one in times
        if any(one.is_within(statement.start_s, statement.end_s) for statement in cited)
        or _holds_all(stated, text[one.start : one.end])
    )
    return _Times(known, tuple(one for one in times if one not in known))


def _holds_all(stated: _Stated, text: str) -> bool:
    return all(stated.holds(mention, text) for mention in _read_quantities(text, None))


def _list_missing(text: str, known: Sequence[TimeMention], cited: Sequence[Evidence], stated: _Stated) -> Iterator[str]:
    """Yield the numbers of a claim that no cited statement holds, but for ordinals and times that are known to fit."""
    skipped = [*((one.start, one.end) for one in known), *find_pronouns(text)]
    readings: dict[tuple[int, int], Values] = {}
    for language in {None, *(one.language for one in cited)}:
        for start, end, values in _read_quantities(text, language):
            readings[start, end] = readings.get((start, end), frozenset()) | values
    for (start, end), values in sorted(readings.items()):
        is_skipped = any(first < end and start < last for first, last in skipped)
        is_ordinal = all(value.startswith("#") for value in values)
        if not is_skipped and not is_ordinal and not stated.holds(QuantityMention(start, end, values), text):
            yield text[start:end]


def _read_quantities(text: str, language: str | None) -> tuple[QuantityMention, ...]:
    return select_widest(find_quantities(text, language))


def _is_quoted(quotation: str, cited: Sequence[Evidence]) -> bool:
    """Say whether quoted words stand in a statement, in this order, however they are written."""
    words = _split_words(quotation)
    return any(f" {words} " in f" {_split_words(one.text)} " for one in cited)


def _shares_words(text: str, statement: Evidence) -> bool:
    """Say whether a claim has a word or a number in common with a statement, whatever their endings and spelling."""
    claimed, said = extract_stems(text), extract_stems(f"{statement.kind} {statement.text}")
    if any(one.startswith(other) or other.startswith(one) for one in claimed for other in said if _is_word(one, other)):
        return True
    stated = _list_stated((statement,))
    return any(one.values & stated.values for one in _read_quantities(text, statement.language))


def _is_word(*stems: str) -> bool:
    """Say whether stems are long enough that one may be the beginning of another by its meaning."""
    return min(map(len, stems)) >= MIN_STEM_LETTERS


def _split_words(text: str) -> str:
    return " ".join(re.findall(r"\w+", normalise(text)))


def _list_stated(cited: Sequence[Evidence]) -> _Stated:
    values = frozenset(value for one in cited for value in _list_values(one))
    return _Stated(values, tuple(float(value) for value in values if _is_number(value)), tuple(cited))


def _list_values(statement: Evidence) -> Iterator[str]:
    """Yield the readings of the quantities in the words of a statement."""
    for language in {None, statement.language}:
        for mention in find_quantities(statement.text, language):
            yield from mention.values


def _list_figures(statement: Evidence, mention: QuantityMention, text: str) -> Iterator[float]:
    """Yield the numbers that a statement has beside its words, of the kind that a place in a text asks for.

    How likely before a percent sign; when and how long before a unit of time; behind "recording", which one.
    """
    if PERCENT.match(text, mention.end):
        shares = [label.probability for label in statement.labels] + [statement.confidence]
        yield from (100 * share for share in shares if share is not None)
    if SECONDS.match(text, mention.end):
        yield statement.start_s
        if statement.end_s is not None:
            yield from (statement.end_s, statement.end_s - statement.start_s)
    if statement.recording is not None and WHICH.search(text[: mention.start]):
        yield statement.recording


def _format_citation(cited: Citation) -> str:
    end = "end" if cited.end_s is None else f"{cited.end_s:g}"
    return f"{cited.id}, {cited.start_s:g}-{end} s"


def _is_rounded(value: str, number: float) -> bool:
    """Say whether a value is a number, rounded by little: 120 for 119.8, but not 1 for 0.83."""
    is_near = abs(number - float(value)) <= MOST_ROUNDED * float(value)
    return is_near and round(number, count_decimals(value)) == float(value)


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdecimal()
