"""Truth filter for distilled replies: drops those that contradict what the metadata says about the question."""

import re
from collections.abc import Iterable
from typing import NamedTuple

ARTICLE = re.compile(r"^(?:an?|the) ", re.IGNORECASE)
POLAR = ("yes", "no")


class AskedQuestion(NamedTuple):
    """A question about a clip, as it stands in a prompt, with what is right and what is wrong."""

    text: str
    right: tuple[str, ...]
    """The answer in all its wordings."""
    wrong: tuple[str, ...]
    """Answers that would contradict the metadata, in all their wordings."""


def contradicts(reply: str, asked: AskedQuestion) -> bool:
    """Return whether a reply gives a wrong answer and not the right one.

    A yes-no question is judged by the first word of the reply, any other by the answers that the reply names. A reply
    that names none of them is not a contradiction.
    """
    right = [one.lower() for one in asked.right]
    if right[0] in POLAR:
        found = re.match(r"\W*(yes|no)\b", reply, re.IGNORECASE)
        return found is not None and found[1].lower() not in right
    return _names_any(reply, asked.wrong) and not _names_any(reply, asked.right)


def _names_any(reply: str, answers: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(_strip(one))}\b", reply, re.IGNORECASE) for one in answers if _strip(one))


def _strip(answer: str) -> str:
    return ARTICLE.sub("", answer.strip(" .,!?"))
