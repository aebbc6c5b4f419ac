"""The models that can be named: plain dicts, name -> function that opens the model.

To add a model, add one line. The import stands inside the opener, so that naming a model costs nothing.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import SecretStr

from services.errors import ModelError, UnknownName
from services.protocols import ASR, Captioner
from services.settings import settings

Entry = TypeVar("Entry")

DEFAULT_ASR = "whisper-base"
DEFAULT_CAPTIONER = "acoustic"
GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai"


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


def served_captioner(name: str, model: str, *, url: str | None = None, key: SecretStr | None = None) -> Captioner:
    """Open an audio-chat model behind an OpenAI-compatible server as a captioner."""
    from services.captioners.served import ServedCaptioner
    from services.chat_server import Endpoint

    base = settings().captioner_url or url
    if base is None:
        raise ModelError(
            f"The captioner {name!r} runs on a server: start one (`vllm serve {model}`), set EARWITNESS_CAPTIONER_URL "
            f"to its URL, for example http://127.0.0.1:8000/v1. Without one: {DEFAULT_CAPTIONER}, transcript."
        )
    return ServedCaptioner(Endpoint(url=base, model=model, api_key=key or settings().api_key), name=name)


ASRS: dict[str, Callable[[], ASR]] = {
    "whisper-base": lambda: whisper("whisper-base", compute_type="int8"),
    "whisper-base-words": lambda: whisper("whisper-base", compute_type="int8", words=True),
    "whisper-large-v3": lambda: whisper("whisper-large-v3", compute_type="default"),
}

CAPTIONERS: dict[str, Callable[[], Captioner]] = {
    "acoustic": acoustic,
    "transcript": transcript,
    "qwen3-omni-captioner": lambda: served_captioner("qwen3-omni-captioner", "Qwen/Qwen3-Omni-30B-A3B-Captioner"),
    "qwen2.5-omni": lambda: served_captioner("qwen2.5-omni", "Qwen/Qwen2.5-Omni-7B"),
    "gemini-2.5-pro": lambda: served_captioner(
        "gemini-2.5-pro", "gemini-2.5-pro", url=GEMINI_URL, key=settings().gemini_api_key
    ),
}
