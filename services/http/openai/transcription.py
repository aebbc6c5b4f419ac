"""Transcription: `POST /v1/audio/transcriptions` as OpenAI's clients send it, in five formats."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field, ValidationError

from services.errors import BadRequest, UnknownName
from services.http.access.limits import Limits
from services.http.clips import AudioUpload, open_clip
from services.http.forms import LEAVE_OUT, MultipartForm, accept_only, bad_request, content_type, read_form
from services.http.responses import json_response
from services.http.service import Service
from services.longform.hearing import hear_parts
from services.longform.split import split
from services.telemetry.request_log import read_request_facts
from services.types import AudioClip, Evidence, Value

Format: TypeAlias = Literal["json", "text", "verbose_json", "srt", "vtt"]

REMARKS = "Earwitness-Remarks"  # header: codes of what is to be said about how the recording was read
USUAL_NAME = "whisper-1"  # what OpenAI's clients send; here it stands for the ASR of the service
FIELDS = ("file", "model", "response_format", "timestamp_granularities", "temperature", "language", "prompt", "stream")


UNSET = ("", "false")  # values of a field that ask for nothing
Refused: TypeAlias = Annotated[str, accept_only(UNSET, LEAVE_OUT), Field(json_schema_extra={"enum": [*UNSET]})]
OnlyZero: TypeAlias = Annotated[
    float, accept_only((0,), "only 0, the default, works"), Field(json_schema_extra={"enum": [0]})
]


class TranscriptionForm(Value):
    """The fields of a form beside its file."""

    model: str = USUAL_NAME
    response_format: Format = "json"
    timestamp_granularities: tuple[Literal["segment"], ...] = ()
    temperature: OnlyZero = 0.0
    language: Refused = ""
    """Not supported: the ASR detects the language by itself."""
    prompt: Refused = ""
    stream: Refused = ""


class DescribedForm(TranscriptionForm):
    """The whole form, as the API describes it."""

    file: bytes = Field(json_schema_extra={"contentMediaType": "application/octet-stream"})


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """A recording to transcribe, and the format of the result."""

    sound: AudioUpload
    form: TranscriptionForm


class AudioUsage(Value):
    """Seconds of audio that were transcribed."""

    type: Literal["duration"] = "duration"
    seconds: int


class Transcription(Value):
    """The transcript."""

    text: str
    usage: AudioUsage


class Segment(Value):
    """A stretch of speech."""

    id: int
    start: float
    end: float
    """Seconds."""
    text: str
    avg_logprob: float | None
    """Mean log-probability of a token; None where the ASR gives none."""
    language: str | None
    """ISO 639-1 code; a recording may have several. None where the ASR gives none."""


class VerboseTranscription(Transcription):
    """The transcript with its segments and its language."""

    task: Literal["transcribe"] = "transcribe"
    language: str | None
    """ISO 639-1 code of the language of most of the speech; None where there is none, or the ASR gives none."""
    duration: float
    segments: tuple[Segment, ...]


async def read_recording(request: Request, limits: Limits) -> TranscriptionRequest:
    """Read a form to its end."""
    if content_type(request) != "multipart/form-data":
        raise BadRequest("Send the recording as multipart/form-data, as `curl -F file=@clip.wav` does.", param="file")
    form = await read_form(request, limits, (*FIELDS, "timestamp_granularities[]"))
    if form.file is None:
        raise BadRequest("No recording came: send it as 'file'.", param="file")
    return TranscriptionRequest(AudioUpload(form.file.data, name=form.file.name), _read_fields(form))


def _read_fields(form: MultipartForm) -> TranscriptionForm:
    given = {name: text for name in FIELDS[1:] if (text := form.text(name)) is not None}
    granularities = form.texts("timestamp_granularities[]") + form.texts("timestamp_granularities")
    try:
        return TranscriptionForm.model_validate(given | {"timestamp_granularities": granularities})
    except ValidationError as error:
        raise bad_request(error) from None


async def transcribe(service: Service, limits: Limits, recording: TranscriptionRequest) -> Response:
    """Transcribe a recording."""
    asr, form = await service.asr(), recording.form
    if form.model not in (asr.name, USUAL_NAME):
        raise UnknownName("recogniser", form.model, (asr.name, USUAL_NAME))
    read_request_facts().model = asr.name
    clip = await open_clip(recording.sound, limits)
    heard = await hear_parts(await split(clip), asr.transcribe)
    spoken = tuple(one for one in heard.statements if one.kind == "transcript")
    headers = {REMARKS: ", ".join(clip.remarks)} if clip.remarks else None
    if form.response_format == "json":
        return json_response(Transcription(text=_join_text(spoken), usage=_count_seconds(clip)), headers=headers)
    if form.response_format == "verbose_json":
        return json_response(_build_verbose(spoken, clip), headers=headers)
    if form.response_format == "text":
        return PlainTextResponse(_join_text(spoken) + "\n", headers=headers)
    return PlainTextResponse(_format_subtitles(spoken, clip, form.response_format), headers=headers)


def _join_text(spoken: tuple[Evidence, ...]) -> str:
    return " ".join(one.text for one in spoken)


def _count_seconds(clip: AudioClip) -> AudioUsage:
    return AudioUsage(seconds=math.ceil(clip.duration_s))


def _build_verbose(spoken: tuple[Evidence, ...], clip: AudioClip) -> VerboseTranscription:
    return VerboseTranscription(
        text=_join_text(spoken),
        usage=_count_seconds(clip),
        language=_find_main_language(spoken, clip),
        duration=round(clip.duration_s, 3),
        segments=tuple(
            Segment(
                id=number,
                start=one.start_s,
                end=_end(one, clip),
                text=one.text,
                avg_logprob=round(math.log(one.confidence), 3) if one.confidence else None,
                language=one.language,
            )
            for number, one in enumerate(spoken)
        ),
    )


def _find_main_language(spoken: tuple[Evidence, ...], clip: AudioClip) -> str | None:
    """Return the language that is spoken for the longest time; None where no statement has one."""
    seconds: dict[str, float] = {}
    for one in spoken:
        if one.language:
            seconds[one.language] = seconds.get(one.language, 0.0) + _end(one, clip) - one.start_s
    return max(seconds, key=seconds.__getitem__, default=None)


def _format_subtitles(spoken: tuple[Evidence, ...], clip: AudioClip, kind: Literal["srt", "vtt"]) -> str:
    point = "," if kind == "srt" else "."
    blocks = ["WEBVTT"] if kind == "vtt" else []
    for number, one in enumerate(spoken, start=1):
        span = f"{_format_time(one.start_s, point)} --> {_format_time(_end(one, clip), point)}"
        text = " ".join(one.text.split()).replace("-->", "→")
        blocks.append(f"{number}\n{span}\n{text}" if kind == "srt" else f"{span}\n{text}")
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _end(spoken: Evidence, clip: AudioClip) -> float:
    return clip.duration_s if spoken.end_s is None else spoken.end_s


def _format_time(seconds: float, point: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
