"""Forms of distilled targets: what the backbone reads in place of the clip, and what stands beside it in training."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from lalm.distill.metadata import Metadata
from lalm.distill.prompt_pool import PoolPrompt
from lalm.prompting import insert_audio
from services.types import Message

FormName: TypeAlias = Literal["instruct", "answer", "continue", "dialogue"]
CONTINUE = "Continue the following text in a coherent style with less than 40 words."


class TargetForm(NamedTuple):
    """A form without prompts from the pool."""

    read: Callable[[Metadata], str]
    """What the backbone reads in place of the clip; empty: the clip has nothing of the kind, and is left out."""
    instruction: str = ""


FORMS: Mapping[FormName, TargetForm] = {
    "answer": TargetForm(lambda row: row.transcript.strip()),
    "continue": TargetForm(lambda row: row.transcript.strip(), CONTINUE),
    "dialogue": TargetForm(lambda row: row.caption.strip()),
}
"""Forms beside `instruct`, DeSTA's, whose prompts are in the pool.

answer: the backbone answers what is said, as AudioChatLlama does (arXiv:2311.06753). continue: it continues what is
said, as BLSP does (arXiv:2309.00916). dialogue: it replies to the caption as if somebody had said it to it, as AC/DC
does (arXiv:2506.10312).
"""


def build_form_prompt(name: FormName) -> PoolPrompt:
    """Build the only prompt of a form."""
    return PoolPrompt(id=f"form/{name}", style="instruction", text=FORMS[name].instruction, replies_in_english=False)


def build_form_messages(name: FormName, heard: str) -> tuple[Message, ...]:
    """Build what the backbone reads: the text itself, behind the instruction of the form if it has one."""
    instruction = FORMS[name].instruction
    return (Message(role="user", content=f"{instruction}\n\n{heard}" if instruction else heard),)


def build_form_content(name: FormName) -> str:
    """Build the user's turn of a training row: the clip, behind the instruction of the form if it has one."""
    instruction = FORMS[name].instruction
    return insert_audio(instruction, prompt_first=True) if instruction else insert_audio("").strip()
