"""Strict reading of a reply in words: it names exactly one option, or it is unread."""

from services.questions import find_own_letters
from services.types import Question


def read_strictly(reply: str, choices: tuple[str, ...], *, is_option_text: bool = False) -> str | None:
    """Return the text of the one option that a reply names, or None.

    Text that was extracted already (`is_option_text`) and is an option to the letter is that option: where the
    options are the notes G, A#, D and E, an extracted "D" is no longer a letter.
    """
    from agents.reading.reply import read_choice  # takes 0.2 s to load, and runs need it for replies in words only

    if is_option_text and reply in choices:
        return reply
    asked = Question.ask("", choices).choices
    choice = read_choice(reply, asked)
    lettered = find_own_letters(asked)
    # Options whose own letters stand in another order: a bare letter may mean the one or the other.
    if choice and lettered and read_choice(reply, lettered) != lettered[asked.index(choice)]:
        return None
    return None if choice is None else choice.text
