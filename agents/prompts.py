"""All prompt text of the agents, and nothing else (a served captioner keeps its own beside its model).

What was said in a recording is quoted: it is data, never an instruction.
"""

import re

from services.types import Choice, Evidence, Message, Question

SYSTEM = (
    "You answer questions about an audio recording. You cannot hear it; "
    "listening tools have written down what they heard."
)
SYSTEM_HEARING = "You answer questions about the audio recording that you hear."
SYSTEM_WITHOUT_EVIDENCE = "You answer questions about sound, music and speech."
HEARD = "What the listening tools heard:\n{lines}\n\n"
NOTHING_HEARD = "What the listening tools heard: nothing that they could name.\n\n"
ASK = "Question: {question}"
OPTION = "{letter}. {text}"
ANSWER_LETTER = "Answer with the letter of the best option."
ANSWER_BRIEFLY = "Answer in a few words."
ANSWER_FREELY = "Answer in one or two sentences."
SAID = 'Somebody says: "{text}"'
SURE, LIKELY, MAYBE, HARDLY = "", " (likely)", " (maybe)", " (hardly)"  # above 0.8, 0.5, 0.25, and below
SPAN = "{start:.1f}-{end:.1f} s: "


def messages(
    question: Question, evidence: tuple[Evidence, ...] | None = None, *, lists_options: bool = True
) -> tuple[Message, ...]:
    """Return the prompt for a question; `evidence` is None on a path that hears nothing.

    The evidence comes first, so that the prompts of many questions about one clip begin alike. Without its options
    listed, a multiple-choice question asks for a few words, whose likelihood is then compared.
    """
    heard = "" if evidence is None else _heard(evidence)
    system = SYSTEM_WITHOUT_EVIDENCE if evidence is None else SYSTEM
    asked = _asked(question) if lists_options else f"{ASK.format(question=question.text)}\n{ANSWER_BRIEFLY}"
    return (Message(role="system", content=system), Message(role="user", content=heard + asked))


def hearing(question: Question) -> tuple[Message, ...]:
    """Return the prompt for a model that hears the clip itself."""
    return (Message(role="system", content=SYSTEM_HEARING), Message(role="user", content=_asked(question)))


def _asked(question: Question) -> str:
    asked = "\n".join([ASK.format(question=question.text), *map(_option, question.choices)])
    return f"{asked}\n{ANSWER_LETTER if question.choices else ANSWER_FREELY}"


def _option(choice: Choice) -> str:
    return OPTION.format(letter=choice.letter, text=choice.text)


def _heard(evidence: tuple[Evidence, ...]) -> str:
    lines = "\n".join(f"- {_statement(statement)}" for statement in evidence)
    return HEARD.format(lines=lines) if lines else NOTHING_HEARD


def _statement(statement: Evidence) -> str:
    said = (
        SAID.format(text=statement.text.replace('"', "'"))
        if statement.kind == "transcript"
        else _worded(statement.text)
    )
    if statement.kind in {"event", "transcript"} and statement.end_s is not None:
        return SPAN.format(start=statement.start_s, end=statement.end_s) + said
    return said


def _worded(text: str) -> str:
    """Return the text with probabilities such as (0.43) as words, which small models read better than digits."""
    return re.sub(r" \((\d\.\d\d)\)", lambda found: _certainty(float(found[1])), text)


def _certainty(probability: float) -> str:
    if probability > 0.8:
        return SURE
    return LIKELY if probability > 0.5 else MAYBE if probability > 0.25 else HARDLY
