"""The models that can be named: plain dicts, name -> function that opens the model.

To add a model, add one line. The import stands inside the opener, so that naming a model costs nothing.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from services.errors import UnknownName
from services.protocols import ASR, Captioner

Entry = TypeVar("Entry")

DEFAULT_ASR = "whisper-base"
DEFAULT_CAPTIONER = "acoustic"


def pick(catalogue: Mapping[str, Entry], kind: str, name: str) -> Entry:
    """Return the entry of that name; `UnknownName` lists the names that exist."""
    try:
        return catalogue[name]
    except KeyError:
        raise UnknownName(kind, name, catalogue) from None


def whisper(weights: str, *, compute_type: str, words: bool = False) -> ASR:
    """Open a Whisper model in CTranslate2 format."""
    from services import weights as places
    from services.asr.faster_whisper import FasterWhisper

    name = f"{weights}-words" if words else weights
    folder, revision = places.folder(weights), places.revision(weights)
    return FasterWhisper(folder, name=name, revision=revision, compute_type=compute_type, words=words)


def acoustic() -> Captioner:
    """Open the embedded captioner: pretrained taggers and signal analysis."""
    from services.captioners.acoustic import AcousticCaptioner

    return AcousticCaptioner()


def transcript() -> Captioner:
    """Open the captioner that says nothing: with an ASR beside it, the paper's Whisper row."""
    from services.captioners.transcript import TranscriptOnly

    return TranscriptOnly()


ASRS: dict[str, Callable[[], ASR]] = {
    "whisper-base": lambda: whisper("whisper-base", compute_type="int8"),
    "whisper-base-words": lambda: whisper("whisper-base", compute_type="int8", words=True),
    "whisper-large-v3": lambda: whisper("whisper-large-v3", compute_type="default"),
}

CAPTIONERS: dict[str, Callable[[], Captioner]] = {
    "acoustic": acoustic,
    "transcript": transcript,
}
