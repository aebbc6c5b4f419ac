"""Families of instruments, and which instruments belong to each; loads no model, because agents read it too."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def read_families() -> Mapping[str, tuple[str, ...]]:
    """Return family -> the instruments that belong to it, from `families.json`, read once."""
    listed: dict[str, list[str]] = json.loads(files("services.captioners.music").joinpath("families.json").read_text())
    return {family: tuple(members) for family, members in listed.items()}


def find_family(label: str) -> str:
    """Return the family of an instrument."""
    return next(family for family, members in read_families().items() if label in members)
