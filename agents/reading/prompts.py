"""All prompt text of the agents, and nothing else (a served captioner keeps its own beside its model).

The wording of a question is in `lalm.prompting`, as a LALM is trained on it.
Statements are formatted in `lalm.statements`, as a LALM may be given them too.
"""

from collections.abc import Callable
from functools import partial

from agents.reading.quantities import spell_like_options
from lalm.prompting import format_prompt
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
    heard = SYSTEM if question.num_clips == 1 else SYSTEM_SEVERAL.format(num=question.num_clips)
    return (
        Message(role="system", content=SYSTEM_WITHOUT_EVIDENCE if evidence is None else heard),
        Message(role="user", content=context + format_prompt(question, lists_options=lists_options)),
    )


def _format_evidence(evidence: tuple[Evidence, ...], question: Question) -> str:
    """Format evidence; quantities in speech are spelled as an option spells them, lest they seem others."""

    def spell(statement: Evidence) -> Callable[[str], str]:
        """Return what spells the speech of one statement."""
        return partial(spell_like_options, question=question, language=statement.language)

    lines = [format_statement(one, spell(one)) for one in evidence]
    if evidence and question.num_clips > 1:
        unnamed = set(range(1, question.num_clips + 1)) - {one.recording for one in evidence}
        lines += [NOTHING_IN.format(recording=RECORDING.format(number=number)) for number in sorted(unnamed)]
    return HEARD.format(lines="\n".join(f"- {line}" for line in lines)) if lines else NOTHING_HEARD
