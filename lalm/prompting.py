"""How a question about a clip is put to a model that hears: the same words when it is trained and when it is asked."""

from services.types import Choice, Message, Question

AUDIO = "<|AUDIO|>"  # where a clip stands in the text of a message, as in DeSTA's files
TRANSCRIPT_END = "<|/AUDIO|>"  # ends a transcript in the text that a server is sent; the model does not read it
START, END = "<start_audio>", "<end_audio>"  # plain text around it, no special tokens

SYSTEM_HEARING = "You answer questions about the audio recording that you hear."
ASK = "Question: {question}"
OPTION = "{letter}. {text}"
ANSWER_LETTER = "Answer with the letter of the best option."
ANSWER_TEXT = "Answer with the text of the best option."
ANSWER_FREELY = "Answer in one or two sentences."
ANSWER_BRIEFLY = "Answer in a few words."


def build_messages(question: Question, *, lists_options: bool = True) -> tuple[Message, ...]:
    """Return the prompt for a model that hears the clip itself."""
    content = format_prompt(question, lists_options=lists_options)
    return (Message(role="system", content=SYSTEM_HEARING), Message(role="user", content=content))


def format_prompt(question: Question, instruction: str = "", *, lists_options: bool = True) -> str:
    """Return the question with its options, one a line, and how to answer.

    Without its options listed, a multiple-choice question asks for a few words, whose likelihood is then compared.
    An empty instruction asks for the letter of an option, or where there are none for sentences.
    """
    shows = lists_options and bool(question.choices)
    usual = ANSWER_LETTER if shows else ANSWER_BRIEFLY if question.choices else ANSWER_FREELY
    put = format_question(question) if lists_options else ASK.format(question=question.text)
    return f"{put}\n{instruction or usual}"


def format_question(question: Question) -> str:
    """Return the question with its options, one a line."""
    return "\n".join([ASK.format(question=question.text), *map(_format_option, question.choices)])


def insert_audio(prompt: str, heard: str = AUDIO, *, prompt_first: bool = False) -> str:
    """Return the message that holds both; `heard` is what stands between the tags."""
    clip = f"{START}{heard}{END}"
    return f"{prompt}\n\n{clip}" if prompt_first else f"{clip}\n\n{prompt}"


def _format_option(choice: Choice) -> str:
    return OPTION.format(letter=choice.letter, text=choice.text)
