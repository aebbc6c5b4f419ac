"""Printing in the terminal: an answer with its evidence, and the list of models."""

import json
from collections.abc import Mapping
from typing import IO

from rich.console import Console
from rich.table import Table

from deploy.console.ask import AskedClip, AskRequest, AskResult
from deploy.console.explain import format_withheld, print_explained
from deploy.console.stock import list_known
from eval.display.tables import print_line, print_table
from services.catalog import DEFAULT_LLM
from services.errors import EarwitnessError
from services.types import Answer, Choice, Evidence, EvidenceUse, Question, sort_by_use
from services.weights import store as weights

BAR_WIDTH = 24  # characters that stand for probability 1
NARROW = 60  # characters; below it words need the room of the bar
RUNS: Mapping[bool | None, str] = {
    True: "here",
    False: "on a GPU or a server, or at its host; asking it says what is missing",
    None: "as its package says",
}
"""Whether a model runs in this process -> what the list of names says of it."""
UNCHECKED = "unchecked: no server of it was found to read its request form from"
MARKS: Mapping[EvidenceUse, str] = {"decided": ">", "read": "+", "unread": ""}
"""Use of a statement -> its mark; `>` is the one that decided, as it marks the chosen option."""


def format_line(asked: AskedClip) -> str:
    """Format what became of one recording of many as a line of JSON: `clip`, and the answer or an `error`."""
    if isinstance(asked.result, EarwitnessError):
        error = {"code": asked.result.code, "message": str(asked.result)}
        return json.dumps({"clip": str(asked.clip), "error": error}, ensure_ascii=False)
    shown = asked.result.shown.model_dump(mode="json")
    return json.dumps({"clip": str(asked.clip), **shown}, ensure_ascii=False)


def print_found(request: AskRequest, found: AskResult, out: IO[str]) -> None:
    """Print one answer, or two side by side; explained, with the steps in place of the evidence."""
    question, choices, explain = request.question, request.choices, request.answering.explain
    if request.path == "both":
        print_side_by_side(question, choices, found, out)
    elif explain:
        print_choice(question, choices, found.answers[0], out)
    else:
        print_answer(question, choices, found.answers[0], out)
    if explain:
        for answer, took_s in zip(found.answers, found.took_s, strict=True):
            print_explained(answer, took_s, out)


def print_answer(question: str, choices: tuple[str, ...], answer: Answer, out: IO[str]) -> None:
    """Print options with their probabilities, the choice, the evidence and what it took."""
    print_choice(question, choices, answer, out)
    console = Console(file=out, highlight=False, markup=False)
    if answer.evidence:
        print_table(_tabulate_evidence(answer.evidence), console)
    if remark := _describe_scale(answer):
        print_line(remark, console, "dim")
    seconds = ", ".join(f"{step} {taken:.1f} s" for step, taken in answer.timings_s.items())
    print_line(f"Path {answer.path}: {' > '.join(map(str, answer.trace))} ({seconds})", console)
    if answer.degraded:
        print_line(_find_missing(answer), console)


def print_choice(question: str, choices: tuple[str, ...], answer: Answer, out: IO[str]) -> None:
    """Print options with their probabilities and the choice."""
    console = Console(file=out, highlight=False, markup=False)
    print_line(question, console, "bold")
    for option in Question.ask(question, choices).choices:
        print_line(_format_option(option, answer, has_bar=console.width >= NARROW), console)
    print_line(f"Answer: {_format_chosen(answer)}", console, "bold")


def print_side_by_side(question: str, choices: tuple[str, ...], found: AskResult, out: IO[str]) -> None:
    """Print what each way answered in a column of its own, and below it what it rests on."""
    console = Console(file=out, highlight=False, markup=False)
    print_line(question, console, "bold")
    answers = found.answers
    table = Table("", *(answer.path for answer in answers), box=None, pad_edge=False, header_style="bold")
    for option in Question.ask(question, choices).choices:
        table.add_row(f"{option.letter}  {option.text}", *(_format_share(option, answer) for answer in answers))
    table.add_row("Answer", *(_format_chosen(answer) for answer in answers), style="bold")
    table.add_row("Seconds", *(f"{took_s:.1f}" for took_s in found.took_s))
    table.add_row("Tokens", *(f"{answer.usage.prompt_tokens + answer.usage.completion_tokens}" for answer in answers))
    print_table(table, console)
    for answer in answers:
        print_line(f"Path {answer.path}: {' > '.join(map(str, answer.trace))}", console)
        if answer.evidence:
            print_table(_tabulate_evidence(answer.evidence), console)
        if answer.degraded:
            print_line(_find_missing(answer), console)
    for line in found.missing:
        print_line(f"Missing: {line}", console)


def _find_missing(answer: Answer) -> str:
    return f"Missing: {'; '.join(answer.degraded)}"


def _format_share(option: Choice, answer: Answer) -> str:
    mark = ">" if answer.choice and answer.choice.letter == option.letter else " "
    return f"{mark} {answer.probabilities[option.letter]:5.1%}" if answer.probabilities else mark


def _format_option(option: Choice, answer: Answer, *, has_bar: bool) -> str:
    mark = ">" if answer.choice and answer.choice.letter == option.letter else " "
    if option.letter not in answer.probabilities:
        return f"{mark} {option.letter}  {option.text}"
    probability = answer.probabilities[option.letter]
    bar = f"{'█' * round(BAR_WIDTH * probability):{BAR_WIDTH}}  " if has_bar else ""
    return f"{mark} {option.letter}  {probability:5.1%}  {bar}{option.text}"


def _describe_scale(answer: Answer) -> str:
    """Say that probabilities are not calibrated, where they are not, and how that is fixed."""
    if not answer.probabilities or answer.calibration or answer.arms:
        return ""
    return (
        "These probabilities are the model's own, not calibrated: `earwitness eval run` on questions whose answers "
        "are known fits its temperatures, --calibration RUN uses them."
    )


def _format_chosen(answer: Answer) -> str:
    if answer.choice:
        return f"{'Not sure: ' if answer.is_unsure else ''}{answer.choice.letter}) {answer.choice.text}"
    return answer.reply or "none: the LLM said nothing"


def _tabulate_evidence(evidence: tuple[Evidence, ...]) -> Table:
    """Return a table of the statements: first what was read, with the one that decided marked."""
    has_several = any(one.recording is not None for one in evidence)
    where = ("recording", "seconds") if has_several else ("seconds",)
    headings = ("", *where, "what", "source", "sure", _describe_use(evidence))
    table = Table(*headings, box=None, pad_edge=False, header_style="dim")
    for statement in sort_by_use(evidence):
        end = "end" if statement.end_s is None else f"{statement.end_s:.1f}"
        sure = "" if statement.confidence is None else f"{statement.confidence:.0%}"
        mark = MARKS.get(statement.use, "") if statement.use else ""
        span = f"{statement.start_s:.1f}-{end}"
        style = "dim" if statement.use == "unread" else None
        place = (str(statement.recording or "all"), span) if has_several else (span,)
        text = statement.text + format_withheld(statement)
        table.add_row(mark, *place, statement.kind, statement.source, sure, text, style=style)
    return table


def _describe_use(evidence: tuple[Evidence, ...]) -> str:
    """Head the evidence with how much of it was read, where a model was to read it."""
    marked = [one for one in evidence if one.use]
    read = [one for one in marked if one.use != "unread"]
    return f"evidence (read {len(read)} of {len(marked)})" if marked else "evidence"


def print_weights(console: Console) -> None:
    """Print the models that can be fetched, with size, licence, publisher and state."""
    table = Table("name", "kind", "MB", "state", "licence", "publisher", box=None, pad_edge=False, header_style="dim")
    for name, entry in weights.list_weights().items():
        size = f"{entry.download_size / 1e6:.0f}"
        shown = f"{name} (default)" if name == DEFAULT_LLM else name
        table.add_row(shown, entry.kind, size, weights.check_state(name), entry.licence, entry.publisher)
    print_table(table, console)


def print_names(console: Console) -> None:
    """Print every name that the options for models know, and whether such a model runs in this process."""
    table = Table("option", "name", "runs", box=None, pad_edge=False, header_style="dim")
    for known in list_known():
        runs = RUNS[known.runs_here] if known.is_checked else f"{RUNS[known.runs_here]}; {UNCHECKED}"
        table.add_row(known.option, known.name, runs)
    print_table(table, console)
