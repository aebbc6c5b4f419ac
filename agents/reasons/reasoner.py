"""Reasons for an answer: an LLM names the statements that the answer rests on, and code checks every claim.

The answer is made first and stays as it is. An LLM whose replies can be held to a JSON schema writes claims about any
question; any other writes lines about open ones, and of a question with options, which it only scores, the claims are
the statements it read that speak for the chosen option and for no other.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agents.listening.classifiers.spoken import hide_named_speech
from agents.listening.grounds import list_spoken_for
from agents.reading.prompts import build_reasons_prompt
from agents.reading.relevance import fit_statements
from agents.reasons.check import WrittenCitation, WrittenClaim, check_claim
from agents.reasons.claims import MAX_CLAIMS, make_schema, read_json_claims, read_line_claims
from lalm.statements import name_statements
from services.protocols import LLM, StructuredLLM
from services.terminal.counts import format_count
from services.types import (
    Answer,
    Evidence,
    Question,
    Reading,
    Reasons,
    ReasonsStatus,
    Usage,
)

MAX_UNREAD_CHARS = 2_000  # of a reply that is shown because it could not be read
STATUS_WORDS: Mapping[ReasonsStatus, str] = {
    "none": "nothing speaks for the answer alone",
    "no_evidence": "there is no evidence to cite",
    "no_llm": "this path has no LLM to write them",
    "unreadable": "the reply is in another form than was asked for",
    "cut_off": "the reply did not come to its end",
    "late": "left out, as time was short",
    "failed": "left out, as the LLM failed",
}


class FoundReasons(NamedTuple):
    """Reasons, and the tokens that they took."""

    reasons: Reasons
    usage: Usage = Usage()


async def find_reasons(llm: LLM | None, question: Question, answer: Answer) -> FoundReasons:
    """Find the reasons for an answer, with the tokens that it took."""
    evidence = list_citable(question, answer)
    if not evidence:
        return FoundReasons(Reasons(status="no_evidence"))
    if (question.choices and answer.choice is None) or not answer.reply:
        return FoundReasons(Reasons(status="none"))
    if isinstance(llm, StructuredLLM) and llm.takes_schema:
        return await _ask_for_json(llm, question, answer, fit_statements(evidence, llm.style.max_chars))
    if question.choices:
        return FoundReasons(_list_grounds(question, answer, evidence))
    if llm is None:
        return FoundReasons(Reasons(status="no_llm"))
    return await _ask_for_lines(llm, question, answer, fit_statements(evidence, llm.style.max_chars))


def list_citable(question: Question, answer: Answer) -> dict[str, Evidence]:
    """List what may be cited by id: what was read for the answer, as it was read; no reply speaks for itself."""
    told = hide_named_speech(question, name_statements(answer.evidence))
    return {name: one for name, one in told.items() if one.use != "unread" and one.kind != "reply"}


async def _ask_for_json(
    llm: StructuredLLM, question: Question, answer: Answer, evidence: Mapping[str, Evidence]
) -> FoundReasons:
    prompt = build_reasons_prompt(question, evidence, _format_answer(answer), in_json=True)
    reading = await llm.complete_as(prompt, make_schema(evidence))
    written = read_json_claims(reading.reply)
    return FoundReasons(_check(llm, reading, written, evidence), reading.usage)


async def _ask_for_lines(
    llm: LLM, question: Question, answer: Answer, evidence: Mapping[str, Evidence]
) -> FoundReasons:
    prompt = build_reasons_prompt(question, evidence, _format_answer(answer), in_json=False)
    reading = await llm.complete(prompt)
    written = read_line_claims(reading.reply, is_finished=reading.is_finished)
    return FoundReasons(_check(llm, reading, written, evidence), reading.usage)


def _check(
    llm: LLM, reading: Reading, written: tuple[WrittenClaim, ...] | None, evidence: Mapping[str, Evidence]
) -> Reasons:
    """Check what an LLM wrote; None: it could not be read."""
    cut_off: ReasonsStatus | None = None if reading.is_finished else "cut_off"
    if written is None:
        unread = reading.reply[:MAX_UNREAD_CHARS]
        return Reasons(status=cut_off or "unreadable", author=llm.name, unread=unread)
    claims = tuple(check_claim(one, evidence) for one in written)
    return Reasons(status=cut_off or ("given" if claims else "none"), claims=claims, author=llm.name)


def _list_grounds(question: Question, answer: Answer, evidence: Mapping[str, Evidence]) -> Reasons:
    """Return the statements that speak for the chosen option alone, as claims that cite themselves."""
    assert answer.choice is not None, "asked of a chosen option"
    speaking = {name: one for name, one in evidence.items() if list_spoken_for(one, question) == {answer.choice.letter}}
    ordered = sorted(speaking, key=lambda name: speaking[name].use != "decided")[:MAX_CLAIMS]
    claims = tuple(
        check_claim(WrittenClaim(speaking[name].text, (WrittenCitation(name),)), speaking) for name in ordered
    )
    return Reasons(status="given" if claims else "none", claims=claims)


def _format_answer(answer: Answer) -> str:
    return answer.choice.text if answer.choice else answer.reply


def describe_reasons(reasons: Reasons) -> str:
    """Say in the trace what became of the reasons."""
    return ", ".join(_describe_parts(reasons))


def _describe_parts(reasons: Reasons) -> Iterator[str]:
    if reasons.author:
        yield reasons.author
    if reasons.status in STATUS_WORDS:
        yield STATUS_WORDS[reasons.status]
    if reasons.claims:
        num_supported = sum(claim.verdict == "supported" for claim in reasons.claims)
        yield f"{num_supported} of {format_count(len(reasons.claims), 'claim')} supported"
