"""Wording of questions whose answer is not one option out of those shown."""

from collections.abc import Sequence
from string import ascii_uppercase

SEVERAL = (
    "{question}\n{options}\n\nOne or several of these are right. Reply with every right one, each on a line of its own "
    "and word for word, and nothing else."
)


def word_several(question: str, options: Sequence[str]) -> str:
    """Return a question that asks for all right options."""
    listed = (f"({letter}) {option}" for letter, option in zip(ascii_uppercase, options, strict=False))
    return SEVERAL.format(question=question, options="\n".join(listed))
