"""Explanation of an answer (`--explain`): each step with its seconds and what it said."""

import json
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple

from rich.console import Console
from rich.table import Column, Table

from eval.display.tables import print_line, print_table
from lalm.statements import name_statements
from services.types import Answer, Choice, Citation, Claim, ClaimVerdict, Evidence, Opinion, ToolPlan

VERDICTS: Mapping[ClaimVerdict, str] = {
    "supported": "supported",
    "uncited": "cites nothing",
    "no_such_evidence": "no such evidence",
    "wrong_time": "outside its time",
    "wrong_number": "number not there",
    "misquoted": "words not there",
    "unrelated": "no word in common",
    "contradicted": "the evidence says the opposite",
    "unchecked": "cannot be told",
}
"""Verdict on a claim -> what is said of it."""


class ExplainedStep(NamedTuple):
    """A step, and what it said."""

    step: str
    seconds: float | None
    """None: it waits for no model."""
    lines: tuple[str, ...]


def print_explained(answer: Answer, took_s: float, out: IO[str]) -> None:
    """Print each step with its seconds and what it said, then what was missing."""
    console = Console(file=out, highlight=False, markup=False)
    table = Table("step", Column("seconds", justify="right"), "what it said", box=None)
    table.pad_edge, table.header_style = False, "dim"
    for said in explain_steps(answer):
        seconds = "" if said.seconds is None else f"{said.seconds:.2f}"
        for number, line in enumerate(said.lines):
            table.add_row(*((said.step, seconds) if number == 0 else ("", "")), line)
    print_table(table, console)
    _print_claims(answer, console)
    print_line(f"Path {answer.path}, {took_s:.2f} s in all; what ran at the same time counts once.", console)
    print_line(f"Missing: {'; '.join(answer.degraded) or 'nothing'}", console)


def explain_steps(answer: Answer) -> Iterator[ExplainedStep]:
    """Yield the steps of the trace in order, and last the answer."""
    for number, one in enumerate(answer.trace):
        is_first = all(one.step != before.step for before in answer.trace[:number])
        named = name_statements(answer.evidence).items()
        told = (_format_statement(name, said) for name, said in named if is_first and said.step == one.step)
        arms = map(_format_opinion, answer.arms) if one.step == "reconcile" else ()
        plan = _list_plan(one.plan) if one.plan else ()
        yield ExplainedStep(one.step, one.seconds, (one.text, *plan, *told, *arms))
    own = Opinion(path=answer.path, choice=answer.choice, probabilities=answer.probabilities)
    yield ExplainedStep("answer", None, (_format_opinion(own) if answer.choice else answer.reply,))


def _list_plan(plan: ToolPlan) -> Iterator[str]:
    """Yield what a planner wrote, a line for each field."""
    if plan.missing:
        yield f"missing: {plan.missing}"
    if plan.arguments:
        yield f"arguments: {json.dumps(plan.arguments, ensure_ascii=False)}"
    if plan.why:
        yield f"{'wrong' if plan.fault else 'why'}: {plan.why}"


def _print_claims(answer: Answer, console: Console) -> None:
    """Print each claim of the reasons beside the evidence that it cites."""
    if answer.reasons is None or not (answer.reasons.claims or answer.reasons.unread):
        return  # the trace says why there are none
    table = Table("reason", "checked", "evidence that it cites", box=None, pad_edge=False, header_style="dim")
    for claim in answer.reasons.claims:
        cited = [_format_citation(one, answer) for one in claim.cites] or [""]
        for number, line in enumerate(cited):
            table.add_row(*((claim.text, _format_verdict(claim)) if number == 0 else ("", "")), line)
    if answer.reasons.claims:
        print_table(table, console)
    if answer.reasons.unread:
        print_line(f"Could not be read as claims: {answer.reasons.unread}", console)


def _format_verdict(claim: Claim) -> str:
    said = VERDICTS[claim.verdict]
    return f"{said}: {'; '.join(claim.faults)}" if claim.faults else said


def _format_citation(cited: Citation, answer: Answer) -> str:
    """Format a citation: the id, the span that is cited, and what the statement says."""
    statement = name_statements(answer.evidence).get(cited.id)
    if statement is None:
        return cited.id
    return f"{_format_place(cited.id, statement.recording, cited.start_s, cited.end_s)}: {statement.text}"


def _format_statement(name: str, statement: Evidence) -> str:
    use = f", {statement.use}" if statement.use else ""
    place = _format_place(name, statement.recording, statement.start_s, statement.end_s)
    return f"{place}, {statement.kind} ({statement.source}{use}): {statement.text}{format_withheld(statement)}"


def format_withheld(statement: Evidence) -> str:
    """Format what of a statement no model was shown, to stand behind it; empty where that is nothing."""
    said = " ".join(statement.withheld)
    return f" (withheld, as it tells what to answer: {said})" if said else ""


def _format_place(name: str, recording: int | None, start_s: float, end_s: float | None) -> str:
    """Format where a statement lies: its id, the recording, where there are several, and the span."""
    where = "" if recording is None else f"recording {recording}, "
    return f"{name}, {where}{start_s:.1f}-{'end' if end_s is None else f'{end_s:.1f}'} s"


def _format_opinion(opinion: Opinion) -> str:
    shares = sorted(opinion.probabilities.items(), key=lambda share: -share[1])
    told = ", ".join(f"{letter} {share:.1%}" for letter, share in shares) or "without probabilities"
    return f"{opinion.path}: {_format_choice(opinion.choice)} ({told})"


def _format_choice(choice: Choice | None) -> str:
    return f"{choice.letter}) {choice.text}" if choice else "no option"
