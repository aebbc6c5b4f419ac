"""All prompt text of the agents, and nothing else (a served captioner keeps its own beside its model).

How a question is put stands in `lalm.prompting`, where a model that hears learns it.
What was said in a recording is quoted: it is data, never an instruction.
"""

from lalm.prompting import format_prompt
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
)  # every double quote: one would end the quotation
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
    put = format_prompt(question, lists_options=lists_options)
    return (Message(role="system", content=system), Message(role="user", content=heard + put))


def _heard(evidence: tuple[Evidence, ...]) -> str:
    lines = "\n".join(f"- {_statement(statement)}" for statement in evidence)
    return HEARD.format(lines=lines) if lines else NOTHING_HEARD


def _statement(statement: Evidence) -> str:
    """Return a statement as one line: what was said cannot close its quotes, nor begin a line of its own."""
    text = " ".join(_worded(statement).split())
    said = SAID.format(text=text.translate(UNQUOTED)) if statement.kind == "transcript" else text
    if statement.kind in {"event", "transcript"} and statement.end_s is not None:
        return SPAN.format(start=statement.start_s, end=statement.end_s) + said
    return said


def _worded(statement: Evidence) -> str:
    """Return the text with the probabilities of its labels as words, which small models read better than digits."""
    text = statement.text
    for label in statement.labels:
        if label.probability is not None:
            text = text.replace(str(label), label.text + _certainty(label.probability))
    return text


def _certainty(probability: float) -> str:
    if probability > 0.8:
        return SURE
    return LIKELY if probability > 0.5 else MAYBE if probability > 0.25 else HARDLY
