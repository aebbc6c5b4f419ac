"""Uploads: a recording that came with a request is fetched, decoded and becomes an `AudioClip`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from services.questions import check_num_clips, check_total_duration
from services.telemetry.metrics import STAGE_SECONDS
from services.telemetry.request_log import read_request_facts
from services.telemetry.tracing import start_span
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


def _decode_recording(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("should be a recording in base64")
    if is_data_url(text):
        return decode_data_url(text)
    return decode_base64(text)


Base64: TypeAlias = Annotated[
    bytes, BeforeValidator(_decode_recording), WithJsonSchema({"type": "string", "contentEncoding": "base64"})
]


def _decode_recordings(value: object) -> object:
    if value is None or isinstance(value, str):
        return () if value is None else (_decode_recording(value),)
    if not isinstance(value, list | tuple):
        raise ValueError("should be a recording in base64, or a list of them")
    return tuple(_decode_numbered(number, one) for number, one in enumerate(value, start=1))


def _decode_numbered(number: int, text: object) -> object:
    try:
        return _decode_recording(text)
    except ValueError as error:
        raise ValueError(f"recording {number} {error}") from None


Base64Each: TypeAlias = Annotated[
    tuple[bytes, ...],
    BeforeValidator(_decode_recordings),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "contentEncoding": "base64"},
                {"type": "array", "items": {"type": "string", "contentEncoding": "base64"}},
                {"type": "null"},
            ]
        }
    ),
]


async def open_clips(sounds: Sequence[AudioUpload], limits: Limits, place: str = "file") -> tuple[AudioClip, ...]:
    """Fetch and decode the recordings of a question; `place` is the parameter to name where none came.

    An error about one of several names it. Together they may last as long as one alone.
    """
    if len(sounds) < 2:
        return (await open_clip(next(iter(sounds), None), limits, place),)
    check_num_clips(len(sounds), param=sounds[-1].param)
    clips: list[AudioClip] = []
    for number, sound in enumerate(sounds, start=1):
        with _name_recording(number, len(sounds)):
            clips.append(await open_clip(sound, limits, place))
        check_total_duration([clip.duration_s for clip in clips], limits.max_duration_s, param=sound.param)
    read_request_facts().clip_s = round(sum(clip.duration_s for clip in clips), 3)
    return tuple(clips)


@contextmanager
def _name_recording(number: int, num: int) -> Iterator[None]:
    try:
        yield
    except BadRequest as error:
        error.args = (f"Recording {number} of {num}: {error}",)
        raise


@contextmanager
def _name_param(param: str) -> Iterator[None]:
    """Name the part of the request that held a recording in an error about it."""
    try:
        yield
    except BadRequest as error:
        error.param = error.param or param
        raise


async def open_clip(sound: AudioUpload | None, limits: Limits, place: str = "file") -> AudioClip:
    """Fetch and decode a recording; `place` is the parameter to name where none came."""
    if sound is None:
        raise BadRequest(MISSING, param=place)
    data = sound.data if sound.url is None else await _fetch_allowed(sound.url, limits, sound.param)
    started = perf_counter()
    with start_span("decode", {"num_bytes": len(data)}), _name_param(sound.param):
        clip = await decode_safely(data, name=sound.name, max_duration_s=limits.max_duration_s)
    if limits.deadline_s is None:
        extend_deadline(clip.duration_s)
    seconds = perf_counter() - started
    STAGE_SECONDS.labels(stage="decode").observe(seconds)
    about = read_request_facts()
    about.timings_s["decode"] = about.timings_s.get("decode", 0.0) + seconds
    about.clip_s = round(clip.duration_s, 3)
    return clip


async def _fetch_allowed(url: str, limits: Limits, param: str) -> bytes:
    if not limits.audio_urls.hosts and not is_data_url(url):
        raise AudioUrlDisabled("This server fetches no recordings from URLs; send it as 'input_audio'.", param=param)
    return await fetch(url, limits.audio_urls)
