"""The hierarchy of errors is as drawn, and errors cross process borders under Ray."""

import pickle
import re
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from services import errors
from services.clients import json_api
from services.errors import EarwitnessError, UnknownName, word_problem
from services.types import Value

DRAWN = re.compile(r"^ {4}([│├└─ ]*)(\w+) +(?:HTTP (\d+)|exit code 2)", re.MULTILINE)
WIDTH = 4  # columns a level is indented by


def drawn() -> dict[str, tuple[str, int]]:
    """Return name -> parent and HTTP status, as the module's docstring draws them."""
    path: list[str] = []
    found = {}
    for indent, name, status in DRAWN.findall(errors.__doc__ or ""):
        path = [*path[: len(indent) // WIDTH], name]
        found[name] = ("".join(path[-2:-1]), int(status or EarwitnessError.http_status))
    return found


def defined(error: type[EarwitnessError], parent: str = "") -> dict[str, tuple[str, int]]:
    """Return the same of the classes themselves."""
    found = {error.__name__: (parent, error.http_status)}
    for one in error.__subclasses__():
        if one.__module__ in (errors.__name__, json_api.__name__):
            found |= defined(one, error.__name__)
    return found


def test_the_hierarchy_is_the_drawn_one() -> None:
    assert drawn() == defined(EarwitnessError)


def test_an_unknown_name_survives_the_way_between_processes() -> None:
    error = UnknownName("LLM", "phi-5", ["phi-4"])
    assert str(pickle.loads(pickle.dumps(error))) == "No LLM named 'phi-5'. Known: phi-4."


class Inner(Value):
    """A record in a record."""

    size: int


class Outer(Value):
    """A record that a user may get wrong."""

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"names": []}, "List should have at least 1 item after validation, not 0"),
        ({"names": "a"}, "Input should be a valid list"),
        ({"names": ["a"], "inner": 5}, "Input should be an object with keys"),
    ],
)
def test_problems_are_told_without_words_of_python(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(given)
    assert word_problem(raised.value.errors()[0]) == words
