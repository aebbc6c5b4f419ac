"""Words for sounds, and the classes of AudioSet that they stand for; loads no model, because agents read it too."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from services.types import Value


class SoundVocabulary(Value):
    """Contents of `sounds.json`."""

    plain: Mapping[str, tuple[str, ...]]
    """Phrase -> class names; a class that is missing here is called by its own name."""
    wider: Mapping[str, tuple[str, ...]]
    """Phrase -> its narrower phrases."""
    voices: Mapping[str, tuple[str, ...]]
    """Kind of speaker -> names of it; the classes for them are seldom confident."""
    unsaid: tuple[str, ...]
    """Classes that describe no sound source, and are ignored."""


@cache
def read_vocabulary() -> SoundVocabulary:
    """Return the vocabulary, read once."""
    return SoundVocabulary.model_validate(json.loads(files(__package__).joinpath("sounds.json").read_text()))
