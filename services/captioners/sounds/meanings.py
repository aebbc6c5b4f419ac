"""Sounds among the options of a question by meaning: sentence embeddings of the names that AudioSet and we give them.

The embeddings ship with the package, computed by `benchmarks/sounds/embed_names.py`.
"""

from collections.abc import Mapping
from functools import cache

from services.captioners.frames import Floats
from services.captioners.head import read_head
from services.captioners.sounds.tags import map_phrases
from services.captioners.sounds.vocabulary import read_vocabulary
from services.sentences.meaning import MeaningMatcher, TextEncoder

FILE = "name_vectors.safetensors"


def open_sound_meanings(
    class_names: tuple[str, ...], encode: TextEncoder, *, with_voices: bool = False
) -> MeaningMatcher:
    """Return the matcher of words to phrases, by our names and AudioSet's.

    Args:
        class_names: of YAMNet.
        encode: encoder of the options.
        with_voices: whether kinds of speakers are labels too, such as "a man talking".
    """
    names = {**list_sound_names(class_names), **(list_voice_names() if with_voices else {})}
    return MeaningMatcher(names, _read_vectors(), encode)


def list_voice_names() -> Mapping[str, tuple[str, ...]]:
    """List kind of speaker -> its names in lower case."""
    voices = read_vocabulary().voices
    return {who: tuple(dict.fromkeys(name.lower() for name in (who, *also))) for who, also in voices.items()}


def list_sound_names(class_names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """List phrase -> its names in lower case: the phrase, and those of its classes."""
    return {
        phrase: tuple(dict.fromkeys((phrase, *(class_names[index].lower() for index in found))))
        for phrase, found in map_phrases(class_names).items()
    }


@cache
def _read_vectors() -> Mapping[str, Floats]:
    """Read name -> embedding."""
    file = read_head(__package__, FILE)
    return dict(zip(file.labels, file.tensors["vectors"], strict=True))
