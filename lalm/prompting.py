"""Prompt wording for audio-language models, the same in training and inference.

The text beside the audio has a version, `PromptForm`, which a run folder names: a model reads the form that it was
trained on, also after another one has been added.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from lalm.statements import quote_speech
from services.questions import drop_own_letters
from services.types import Choice, Message, Question

AUDIO = "<|AUDIO|>"  # placeholder of a clip in the text of a message, as in DeSTA's files
TRANSCRIPT_END = "<|/AUDIO|>"  # ends a transcript in the text sent to a server, which removes it before the model
START, END = "<start_audio>", "<end_audio>"  # plain text around the placeholder, not special tokens

SYSTEM_HEARING = "You answer questions about the audio recording that you hear."
SYSTEM_HEARING_SEVERAL = "You answer questions about the {num} audio recordings that you hear."
EARLIER = "The conversation so far:\n{turns}\n\n"
SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}
ASK = "Question: {question}"
OPTION = "{letter}. {text}"
ANSWER_LETTER = "Answer with the letter of the best option."
ANSWER_TEXT = "Answer with the text of the best option."
ANSWER_FREELY = "Answer in one or two sentences."
ANSWER_BRIEFLY = "Answer in a few words."

HEARD_BY_TOOLS = "\nWhat listening tools heard, which may be wrong:\n{lines}"

MAX_TRANSCRIPT_CHARS = 400  # about 100 tokens, as in DeSTA; the same in training and inference

PromptForm: TypeAlias = Literal[1, 2]
"""Text beside the audio. 1: the bare transcript behind the clip, as DeSTA writes it. 2: lines behind the clip, first
what is said, then the captioner's evidence."""
NEWEST_FORM: PromptForm = 2


def format_beside(transcript: str, evidence: Sequence[str] = (), *, form: PromptForm = NEWEST_FORM) -> str:
    """Format what stands as text beside a clip; empty where there is nothing.

    Args:
        transcript: what is said in the clip; empty without speech.
        evidence: statements about the clip, one line each.
        form: version of the wording; form 1 has no place for evidence.
    """
    if form == 1:
        assert not evidence, "form 1 has no place for evidence"
        return transcript
    lines = "\n".join(f"- {statement}" for statement in evidence)
    parts = [f"\n{quote_speech(transcript)}"] if transcript.strip() else []
    parts += [HEARD_BY_TOOLS.format(lines=lines)] if lines else []
    return "".join([*parts, "\n"]) if parts else ""


def build_messages(question: Question, *, lists_options: bool = True) -> tuple[Message, ...]:
    """Build the messages for a model that is given the clip itself, or several."""
    content = format_prompt(question, lists_options=lists_options)
    system = SYSTEM_HEARING if question.num_clips == 1 else SYSTEM_HEARING_SEVERAL.format(num=question.num_clips)
    return (Message(role="system", content=system), Message(role="user", content=content))


def format_prompt(question: Question, instruction: str = "", *, lists_options: bool = True) -> str:
    """Format a question with its options, one a line, followed by an instruction on how to answer.

    Without its options listed, a multiple-choice question asks for a few words, so that the likelihood of each option
    can be compared. The default instruction asks for an option letter, or for sentences if there are no options. The
    earlier turns of a conversation come first.
    """
    shows = lists_options and bool(question.choices)
    usual = ANSWER_LETTER if shows else ANSWER_BRIEFLY if question.choices else ANSWER_FREELY
    put = format_question(question) if lists_options else ASK.format(question=question.text)
    return f"{_format_earlier(question)}{put}\n{instruction or usual}"


def format_question(question: Question) -> str:
    """Format a question with its options, one a line."""
    options = map(_format_option, drop_own_letters(question.choices))
    return "\n".join([ASK.format(question=question.text), *options])


def _format_earlier(question: Question) -> str:
    turns = "\n".join(f"{SPEAKERS[turn.role]}: {turn.content.strip()}" for turn in question.earlier)
    return EARLIER.format(turns=turns) if turns else ""


def insert_audio(prompt: str, heard: str = AUDIO, *, prompt_first: bool = False) -> str:
    """Put the audio placeholder, or the text `heard` in its place, before or after the prompt, between audio tags."""
    clip = f"{START}{heard}{END}"
    return f"{prompt}\n\n{clip}" if prompt_first else f"{clip}\n\n{prompt}"


def _format_option(choice: Choice) -> str:
    return OPTION.format(letter=choice.letter, text=choice.text)
