"""Words for sounds, and the classes of AudioSet that they stand for; loads no model, because agents read it too."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from services.types import Value


class SoundVocabulary(Value):
    """The words for the classes, as `sounds.json` holds them."""

    plain: Mapping[str, tuple[str, ...]]
    """Phrase -> class names; a class that is missing here is called by its own name."""
    wider: Mapping[str, tuple[str, ...]]
    """Phrase -> the phrases that say more precisely what it means."""
    voices: Mapping[str, tuple[str, ...]]
    """Who speaks -> names of it; the classes for them are seldom sure."""
    unsaid: tuple[str, ...]
    """Classes that say nothing about a sound."""


@cache
def read_vocabulary() -> SoundVocabulary:
    """Return the words, read once."""
    return SoundVocabulary.model_validate(json.loads(files(__package__).joinpath("sounds.json").read_text()))
