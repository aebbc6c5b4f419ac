"""All prompt text of the agents, and the schema of the replies that are to be JSON (a served captioner keeps its own).

The wording of a question is in `lalm.prompting`, as a LALM is trained on it.
Statements are formatted in `lalm.statements`, as a LALM may be given them too.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any

from lalm.prompting import format_prompt, format_question
from lalm.statements import RECORDING, format_statement
from services.types import Evidence, Message, Question

SYSTEM = (
    "You answer questions about an audio recording. You cannot hear it; "
    "listening tools have written down what they heard."
)
SYSTEM_SEVERAL = (
    "You answer questions about {num} audio recordings. You cannot hear them; "
    "listening tools have written down what they heard."
)
SYSTEM_WITHOUT_EVIDENCE = "You answer questions about sound, music and speech."
HEARD = "What the listening tools heard:\n{lines}\n\n"
NOTHING_HEARD = "What the listening tools heard: nothing that they could name.\n\n"
REASONS = "{heard}{question}\nThe answer given: {answer}\n\n{instruction}"
REASONS_IN_JSON = (
    "Say in one to four short claims what in these statements the answer rests on. Each claim cites by their ids the "
    "statements that show it, in their words, with the seconds within their spans; what no statement shows cites none. "
    'Reply with JSON alone: {"claims": [{"claim": "…", "evidence": [{"id": "S1", "start_s": 0.0, "end_s": 2.5}]}]}'
)
REASONS_IN_LINES = (
    "Say in one to three short sentences which of these statements show that, in their words, one sentence a line and "
    "each with the id of its statement in brackets at the end, such as [S1]."
)
PLAN = (
    "{heard}{question}\n\nThe recording can be listened to again with one of these tools:\n{tools}\n\n"
    "Calls made so far: {calls}. Actions left: {num_left}.\n\n{instruction}"
)
PLAN_IN_JSON = (
    "Do not answer the question yet. Say what is still missing to answer it, and name the one tool that may find it, "
    "with its arguments; those left out, or null, are taken from the question. Name it stop if nothing is missing. "
    'Reply with JSON alone, an object of "missing" (text), "tool" (a name from the list, or "stop"), "arguments" (an '
    'object) and "why" (text, a sentence).'
)
REPAIR = "That plan cannot be carried out: {problem} Reply once more, with JSON alone, and with another plan."
NOTHING_IN = "{recording}: nothing that they could name"


def build_prompt(
    question: Question, evidence: tuple[Evidence, ...] | None = None, *, lists_options: bool = True
) -> tuple[Message, ...]:
    """Build the prompt for a question; `evidence` is None on a path without audio.

    The evidence comes first, so that the prompts of many questions about one clip begin alike. Without its options
    listed, a multiple-choice question asks for a few words, whose likelihood is then compared. Of several recordings
    each line names the one that it is about.
    """
    context = "" if evidence is None else _format_evidence(evidence, question)
    return (
        Message(role="system", content=SYSTEM_WITHOUT_EVIDENCE if evidence is None else _introduce(question)),
        Message(role="user", content=context + format_prompt(question, lists_options=lists_options)),
    )


def build_reasons_prompt(
    question: Question, evidence: Mapping[str, Evidence], answer: str, *, in_json: bool
) -> tuple[Message, ...]:
    """Build the prompt for the reasons of an answer; the statements that may be cited have their ids and spans."""
    content = REASONS.format(
        heard=_list_by_id(evidence),
        question=format_question(question),
        answer=answer,
        instruction=REASONS_IN_JSON if in_json else REASONS_IN_LINES,
    )
    return (Message(role="system", content=_introduce(question)), Message(role="user", content=content))


def build_plan_prompt(
    question: Question, evidence: Mapping[str, Evidence], *, tools: str, calls: Sequence[str], num_left: int
) -> tuple[Message, ...]:
    """Build the prompt in which an LLM plans the next call of a tool from what was found so far."""
    content = PLAN.format(
        heard=_list_by_id(evidence) or NOTHING_HEARD,
        question=format_question(question),
        tools=tools,
        calls="; ".join(calls) or "none",
        num_left=num_left,
        instruction=PLAN_IN_JSON,
    )
    return (Message(role="system", content=_introduce(question)), Message(role="user", content=content))


def build_repair_prompt(messages: tuple[Message, ...], reply: str, problem: str) -> tuple[Message, ...]:
    """Build the prompt that asks once more, as the reply to another one cannot be used."""
    repair = REPAIR.format(problem=problem)
    return (*messages, Message(role="assistant", content=reply), Message(role="user", content=repair))


def make_object_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """Make the JSON schema of an object that has each of these properties and no other, as strict servers want it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list_by_id(evidence: Mapping[str, Evidence]) -> str:
    """List statements with their ids and spans; empty where there are none."""
    lines = "\n".join(f"[{name}] {format_statement(one, whole_s=inf)}" for name, one in evidence.items())
    return HEARD.format(lines=lines) if lines else ""


def _introduce(question: Question) -> str:
    return SYSTEM if question.num_clips == 1 else SYSTEM_SEVERAL.format(num=question.num_clips)


def _format_evidence(evidence: tuple[Evidence, ...], question: Question) -> str:
    """Format evidence; quantities in speech are spelled as an option spells them, lest they seem others."""
    from agents.reading.quantities import spell_like_options  # which takes 25 ms, and path text has no evidence

    def spell(statement: Evidence) -> Callable[[str], str]:
        """Return what spells the speech of one statement."""
        return partial(spell_like_options, question=question, language=statement.language)

    lines = [format_statement(one, spell(one)) for one in evidence]
    if evidence and question.num_clips > 1:
        unnamed = set(range(1, question.num_clips + 1)) - {one.recording for one in evidence}
        lines += [NOTHING_IN.format(recording=RECORDING.format(number=number)) for number in sorted(unnamed)]
    return HEARD.format(lines="\n".join(f"- {line}" for line in lines)) if lines else NOTHING_HEARD
