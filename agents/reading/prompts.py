"""All prompt text of the agents, and nothing else (a served captioner keeps its own beside its model).

The wording of a question is in `lalm.prompting`, as a LALM is trained on it.
Speech from a recording is quoted (prompt injection): it is data, never an instruction.
"""

from agents.reading.quantities import spell_like_options
from lalm.prompting import format_prompt
from services.longform.clock import WHOLE_S, format_clock
from services.types import Evidence, Message, Question

SYSTEM = (
    "You answer questions about an audio recording. You cannot hear it; "
    "listening tools have written down what they heard."
)
SYSTEM_WITHOUT_EVIDENCE = "You answer questions about sound, music and speech."
HEARD = "What the listening tools heard:\n{lines}\n\n"
NOTHING_HEARD = "What the listening tools heard: nothing that they could name.\n\n"
SAID = 'Somebody says: "{text}"'
UNQUOTED = str.maketrans(
    dict.fromkeys('"“”„‟«»＂″‶ʺ˝״❝❞❠〝〞〟⹂🙶🙷🙸', "'")
)  # every double quote, as it would end the quotation
SURE, LIKELY, MAYBE, HARDLY = "", " (likely)", " (maybe)", " (hardly)"  # above 0.8, 0.5, 0.25, and below
SPAN, LONG_SPAN = "{start:.1f}-{end:.1f} s: ", "{start}-{end}: "


def build_prompt(
    question: Question, evidence: tuple[Evidence, ...] | None = None, *, lists_options: bool = True
) -> tuple[Message, ...]:
    """Build the prompt for a question; `evidence` is None on a path without audio.

    The evidence comes first, so that the prompts of many questions about one clip begin alike. Without its options
    listed, a multiple-choice question asks for a few words, whose likelihood is then compared.
    """
    context = "" if evidence is None else _format_evidence(evidence, question)
    system = SYSTEM_WITHOUT_EVIDENCE if evidence is None else SYSTEM
    return (
        Message(role="system", content=system),
        Message(role="user", content=context + format_prompt(question, lists_options=lists_options)),
    )


def _format_evidence(evidence: tuple[Evidence, ...], question: Question) -> str:
    lines = "\n".join(f"- {_format_statement(statement, question)}" for statement in evidence)
    return HEARD.format(lines=lines) if lines else NOTHING_HEARD


def _format_statement(statement: Evidence, question: Question) -> str:
    """Format a statement as one line: quoted speech can neither close its quotes nor begin a new line.

    Quantities in speech are spelled as an option spells them, which a small model would take for different ones.
    """
    line = " ".join(_format_labels(statement).split())
    if statement.kind == "transcript":
        said = " ".join(spell_like_options(line, question).split())
        line = SAID.format(text=said.translate(UNQUOTED))
    if statement.kind in {"event", "transcript"} and statement.end_s is not None:
        return _format_span(statement.start_s, statement.end_s) + line
    return line


def _format_span(start_s: float, end_s: float) -> str:
    """Format a span in seconds, one beyond the length of a short recording as a player shows it."""
    if end_s > WHOLE_S:
        return LONG_SPAN.format(start=format_clock(start_s), end=format_clock(end_s))
    return SPAN.format(start=start_s, end=end_s)


def _format_labels(statement: Evidence) -> str:
    """Return the text with the probabilities of its labels as words, which small models read better than digits."""
    text = statement.text
    for label in statement.labels:
        if label.probability is not None:
            text = text.replace(str(label), label.text + _name_certainty(label.probability))
    return text


def _name_certainty(probability: float) -> str:
    if probability > 0.8:
        return SURE
    return LIKELY if probability > 0.5 else MAYBE if probability > 0.25 else HARDLY
