"""How a question about a clip is put to a model that hears: the same words when it is trained and when it is asked."""

from services.types import Choice, Message, Question

AUDIO = "<|AUDIO|>"  # where a clip stands in the text of a message, as in DeSTA's files
START, END = "<start_audio>", "<end_audio>"  # plain text around it, no special tokens

SYSTEM_HEARING = "You answer questions about the audio recording that you hear."
ASK = "Question: {question}"
OPTION = "{letter}. {text}"
ANSWER_LETTER = "Answer with the letter of the best option."
ANSWER_TEXT = "Answer with the text of the best option."
ANSWER_FREELY = "Answer in one or two sentences."
ANSWER_BRIEFLY = "Answer in a few words."


def hearing(question: Question) -> tuple[Message, ...]:
    """Return the prompt for a model that hears the clip itself."""
    return (Message(role="system", content=SYSTEM_HEARING), Message(role="user", content=asked(question)))


def asked(question: Question, instruction: str = "") -> str:
    """Return the question with its options, one a line, and how to answer (empty: by letter, or in sentences)."""
    how = instruction or (ANSWER_LETTER if question.choices else ANSWER_FREELY)
    return f"{listed(question)}\n{how}"


def listed(question: Question) -> str:
    """Return the question with its options, one a line."""
    return "\n".join([ASK.format(question=question.text), *map(_option, question.choices)])


def beside_audio(prompt: str, heard: str = AUDIO, *, prompt_first: bool = False) -> str:
    """Return the message that holds both; `heard` is what stands between the tags."""
    clip = f"{START}{heard}{END}"
    return f"{prompt}\n\n{clip}" if prompt_first else f"{clip}\n\n{prompt}"


def _option(choice: Choice) -> str:
    return OPTION.format(letter=choice.letter, text=choice.text)
