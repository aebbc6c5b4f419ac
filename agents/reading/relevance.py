"""Relevance ranking of statements for a question: a small LLM reads four relevant lines better than twenty.

Lexical overlap, as in BM25 without weights: it needs no model and no training.
"""

from collections.abc import Mapping
from functools import lru_cache

from agents.reading.named_times import NamedSpan, find_named_spans
from agents.reading.passages import select_passages
from agents.reading.quantities import match_options
from agents.reading.stems import extract_stems
from services.longform.clock import WHOLE_S
from services.types import Evidence, Question, ReadingStyle


def select_statements(question: Question, evidence: tuple[Evidence, ...], style: ReadingStyle) -> tuple[Evidence, ...]:
    """Select the statements to show to an LLM of this style.

    A multiple-choice question gets the `num_statements` most relevant, the best one last; an open one, or an LLM
    without such a limit, as many of the most relevant as `max_chars` hold, in their order. Of several recordings each
    gets as many statements, and an equal share of the characters; what compares them comes last, and is always there.
    """
    numbers = sorted({one.recording for one in evidence if one.recording is not None})
    if not numbers:
        return _select_of_one(question, evidence, style)
    share = style.model_copy(update={"max_chars": style.max_chars // len(numbers)})
    groups = (tuple(one for one in evidence if one.recording == number) for number in numbers)
    each = (statement for group in groups for statement in _select_of_one(question, group, share))
    compared = (one for one in evidence if one.recording is None)
    return (*each, *sorted(compared, key=lambda one: count_shared_stems(one, question)))


def fit_statements(evidence: Mapping[str, Evidence], max_chars: int) -> dict[str, Evidence]:
    """Return as many statements as a prompt may hold, the one that decided before the others; in their order."""
    kept, room = set[str](), max_chars
    for name in sorted(evidence, key=lambda name: evidence[name].use != "decided"):
        if len(evidence[name].text) <= room:
            kept.add(name)
            room -= len(evidence[name].text)
    return {name: one for name, one in evidence.items() if name in kept}


def _select_of_one(question: Question, evidence: tuple[Evidence, ...], style: ReadingStyle) -> tuple[Evidence, ...]:
    """Select the statements about one recording; for few, what is not heard only where the question names it."""
    if style.num_statements is not None:
        evidence = tuple(one for one in evidence if one.kind != "absence" or count_shared_stems(one, question))
    duration_s = max((one.end_s or one.start_s for one in evidence), default=0.0)
    if duration_s > WHOLE_S:
        spans = find_named_spans(question.text, duration_s)
        joined = _select_of_long(question, evidence, spans, style.max_chars // 2)
        ranked = sorted(joined, key=lambda statement: _rank_of_long(statement, question, spans))
    else:
        joined = _join_transcript(evidence, style.max_chars // 2)
        ranked = sorted(joined, key=lambda statement: count_shared_stems(statement, question))
    if style.num_statements is not None and question.choices:
        joined = tuple(ranked[-style.num_statements :])
    fitting = _select_fitting(ranked, style.max_chars)
    return tuple(fitting[id(statement)] for statement in joined if id(statement) in fitting)


def _select_of_long(
    question: Question, evidence: tuple[Evidence, ...], spans: tuple[NamedSpan, ...], max_chars: int
) -> tuple[Evidence, ...]:
    """Select the passages and the captions of a long recording that the question may be about, in order of start."""
    transcripts = [one for one in evidence if one.kind == "transcript"]
    captions = [
        one
        for one in evidence
        if one.kind != "transcript" and (not spans or any(span.overlaps(one.start_s, one.end_s) for span in spans))
    ]
    passages = select_passages(question, transcripts, spans, max_chars)
    return tuple(sorted((*captions, *passages), key=lambda one: one.start_s))


def _rank_of_long(statement: Evidence, question: Question, spans: tuple[NamedSpan, ...]) -> tuple[int, bool, float]:
    """Return the relevance of a statement; of equally relevant ones passages lead, which were chosen for the question.

    Then come the statements on more of the recording, or where it names a time, on less.
    """
    length_s = (statement.end_s or statement.start_s) - statement.start_s
    return count_shared_stems(statement, question), statement.kind == "transcript", -length_s if spans else length_s


def _select_fitting(ranked: list[Evidence], max_chars: int) -> dict[int, Evidence]:
    """Return the most relevant statements that fit, by their ids; the very best is truncated rather than left out."""
    best = ranked[-1:]
    fitting = {id(one): one.model_copy(update={"text": one.text[:max_chars]}) for one in best}
    room = max_chars - sum(len(one.text) for one in best)
    for statement in reversed(ranked[:-1]):
        if len(statement.text) <= room:
            fitting[id(statement)] = statement
            room -= len(statement.text)
    return fitting


def _join_transcript(evidence: tuple[Evidence, ...], max_chars: int) -> tuple[Evidence, ...]:
    """Join the transcript into one statement at the end: the halves of a split sentence would each match too little."""
    transcripts = [statement for statement in evidence if statement.kind == "transcript"]
    rest = tuple(statement for statement in evidence if statement.kind != "transcript")
    if not transcripts or sum(len(statement.text) for statement in transcripts) > max_chars:
        return evidence
    text = " ".join(statement.text for statement in transcripts)
    return (*rest, transcripts[0].model_copy(update={"text": text, "end_s": transcripts[-1].end_s}))


def list_covered(evidence: tuple[Evidence, ...], shown: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """List the statements whose words a prompt with the `shown` ones holds, joined or truncated as they may be."""
    return tuple(one for one in evidence if any(_holds(statement, one) for statement in shown))


def _holds(shown: Evidence, statement: Evidence) -> bool:
    if (shown.kind, shown.source, shown.recording) != (statement.kind, statement.source, statement.recording):
        return False
    if statement.start_s < shown.start_s or (shown.end_s is not None and statement.start_s > shown.end_s):
        return False  # the same words at another time
    return statement.text in shown.text or (shown.start_s == statement.start_s and shown.text in statement.text)


@lru_cache(maxsize=256)  # question and options meet each of its statements
def _extract_wanted(text: str) -> frozenset[str]:
    return extract_stems(text)


def count_shared_stems(statement: Evidence, question: Question) -> int:
    """Count the stems that a statement shares with the question, and with its options.

    Of what is said, an option whose quantities it names in another spelling counts as well.
    """
    words = extract_stems(f"{statement.kind} {statement.text}")
    options = frozenset[str]().union(*(_extract_wanted(choice.text) for choice in question.choices))
    shared = len(words & _extract_wanted(question.text)) + len(words & options)
    return (
        shared + len(match_options(statement.text, question, statement.language))
        if statement.kind == "transcript"
        else shared
    )
