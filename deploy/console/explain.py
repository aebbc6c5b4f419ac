"""Explanation of an answer (`--explain`): each step with its seconds and what it said."""

from collections.abc import Iterator
from typing import IO, NamedTuple

from rich.console import Console
from rich.table import Column, Table

from eval.display.tables import print_line, print_table
from services.types import Answer, Choice, Evidence, Opinion


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
    print_line(f"Path {answer.path}, {took_s:.2f} s in all; what ran at the same time counts once.", console)
    print_line(f"Missing: {'; '.join(answer.degraded) or 'nothing'}", console)


def explain_steps(answer: Answer) -> Iterator[ExplainedStep]:
    """Yield the steps of the trace in order, and last the answer."""
    for number, one in enumerate(answer.trace):
        is_first = all(one.step != before.step for before in answer.trace[:number])
        told = (_format_statement(said) for said in answer.evidence if is_first and said.step == one.step)
        arms = map(_format_opinion, answer.arms) if one.step == "reconcile" else ()
        yield ExplainedStep(one.step, one.seconds, (one.text, *told, *arms))
    own = Opinion(path=answer.path, choice=answer.choice, probabilities=answer.probabilities)
    yield ExplainedStep("answer", None, (_format_opinion(own) if answer.choice else answer.reply,))


def _format_statement(statement: Evidence) -> str:
    end = "end" if statement.end_s is None else f"{statement.end_s:.1f}"
    use = f", {statement.use}" if statement.use else ""
    return f"{statement.start_s:.1f}-{end} s, {statement.kind} ({statement.source}{use}): {statement.text}"


def _format_opinion(opinion: Opinion) -> str:
    shares = sorted(opinion.probabilities.items(), key=lambda share: -share[1])
    told = ", ".join(f"{letter} {share:.1%}" for letter, share in shares) or "without probabilities"
    return f"{opinion.path}: {_format_choice(opinion.choice)} ({told})"


def _format_choice(choice: Choice | None) -> str:
    return f"{choice.letter}) {choice.text}" if choice else "no option"
