"""Uploads: a recording that came with a request is fetched, decoded and becomes an `AudioClip`."""

from dataclasses import dataclass
from time import perf_counter
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from services.audio.data_url import decode_base64, decode_data_url, is_data_url
from services.audio.decoder_pool import decode_safely
from services.audio.fetch import fetch
from services.deadline import extend_deadline
from services.errors import AudioUrlDisabled, BadRequest
from services.http.access.limits import Limits
from services.telemetry.metrics import STAGE_SECONDS
from services.telemetry.request_log import read_request_facts
from services.telemetry.tracing import span
from services.types import AudioClip

MISSING = "No recording came: send it as 'file', in JSON as 'audio', in a chat as a part of type 'input_audio'."


@dataclass(frozen=True, slots=True)
class AudioUpload:
    """A recording as it was sent, not decoded yet."""

    data: bytes = b""
    """Encoded audio; empty where it is to be fetched from `url`."""
    url: str | None = None
    name: str = "audio"
    """Its name in error messages."""
    param: str = "file"
    """The part of the request that held it."""


def _from_base64(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("should be a recording in base64")
    if is_data_url(text):
        return decode_data_url(text)
    return decode_base64(text.encode("utf-8", "surrogatepass"))


Base64: TypeAlias = Annotated[
    bytes, BeforeValidator(_from_base64), WithJsonSchema({"type": "string", "contentEncoding": "base64"})
]


async def open_clip(sound: AudioUpload | None, limits: Limits, place: str = "file") -> AudioClip:
    """Fetch and decode a recording; `place` is the parameter to name where none came."""
    if sound is None:
        raise BadRequest(MISSING, param=place)
    data = sound.data if sound.url is None else await _fetch_allowed(sound.url, limits, sound.param)
    started = perf_counter()
    with span("decode", {"num_bytes": len(data)}):
        clip = await decode_safely(data, name=sound.name, max_duration_s=limits.max_duration_s)
    if limits.deadline_s is None:
        extend_deadline(clip.duration_s)
    seconds = perf_counter() - started
    STAGE_SECONDS.labels(stage="decode").observe(seconds)
    about = read_request_facts()
    about.timings_s["decode"], about.clip_s = seconds, round(clip.duration_s, 3)
    return clip


async def _fetch_allowed(url: str, limits: Limits, param: str) -> bytes:
    if not limits.audio_urls.hosts and not is_data_url(url):
        raise AudioUrlDisabled("This server fetches no recordings from URLs; send it as 'input_audio'.", param=param)
    return await fetch(url, limits.audio_urls)
