"""`POST /v1/audio/descriptions`: what the captioner hears in a recording, as JSON or as players and editors read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, TypeAlias

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field, ValidationError

from services.errors import BadRequest
from services.http.access.limits import Limits
from services.http.clips import AudioUpload, open_clip
from services.http.forms import make_bad_request, read_content_type, read_form
from services.http.hearing.diarisation import WHO_SPEAKS_WHEN, list_turns, select_turns
from services.http.hearing.timed_text import TimedLine, format_audacity, format_rttm, format_vtt
from services.http.hearing.transcript_stream import AudioUsage
from services.http.hearing.transcription import REMARKS
from services.http.responses import make_json_response
from services.http.service import Service
from services.longform.hearing import hear_parts
from services.longform.split import split
from services.telemetry.request_log import read_request_facts
from services.types import AudioClip, Evidence, Value

DescriptionFormat: TypeAlias = Literal["json", "audacity", "vtt", "rttm"]
FIELDS = ("file", "response_format")


class DescriptionForm(Value):
    """The fields of a form."""

    file: bytes = Field(json_schema_extra={"contentMediaType": "application/octet-stream"})
    response_format: DescriptionFormat = "json"
    """rttm: speaker turns alone; the others: these and all other statements."""


class Description(Value):
    """What the captioner states about a recording."""

    captioner: str
    revision: str
    duration: float
    """Seconds."""
    evidence: tuple[Evidence, ...]
    """In order of start."""
    usage: AudioUsage


@dataclass(frozen=True, slots=True)
class DescriptionRequest:
    """A recording to describe, and the format of the result."""

    sound: AudioUpload
    format: DescriptionFormat


async def read_description_request(request: Request, limits: Limits) -> DescriptionRequest:
    """Read a form to its end."""
    if read_content_type(request) != "multipart/form-data":
        raise BadRequest("Send the recording as multipart/form-data, as `curl -F file=@clip.wav` does.", param="file")
    form = await read_form(request, limits, FIELDS)
    if form.file is None:
        raise BadRequest("No recording came: send it as 'file'.", param="file")
    wanted = form.get_text("response_format")
    given = {"response_format": wanted} if wanted else {}
    try:
        fields = DescriptionForm.model_validate({"file": b"", **given})
    except ValidationError as error:
        raise make_bad_request(error) from None
    return DescriptionRequest(AudioUpload(form.file.data, name=form.file.name), fields.response_format)


async def describe(service: Service, limits: Limits, asked: DescriptionRequest) -> Response:
    """Describe a recording."""
    captioner = await service.find_captioner()
    read_request_facts().model = captioner.name
    clip = await open_clip(asked.sound, limits)
    headers = {REMARKS: ", ".join(clip.remarks)} if clip.remarks else None
    turns = select_turns(await captioner.caption(clip, WHO_SPEAKS_WHEN))
    if asked.format == "rttm":
        lines = [TimedLine(*turn) for turn in list_turns(turns)]
        return PlainTextResponse(format_rttm(lines, PurePath(asked.sound.name).stem), headers=headers)
    heard = (await hear_parts(await split(clip), captioner.caption)).statements
    told = tuple(sorted((*heard, *(turn for turn in turns if turn not in heard)), key=lambda one: one.start_s))
    if asked.format == "json":
        return make_json_response(
            Description(
                captioner=captioner.name,
                revision=captioner.revision,
                duration=round(clip.duration_s, 3),
                evidence=told,
                usage=AudioUsage.from_seconds(clip.duration_s),
            ),
            headers=headers,
        )
    lines = list(_list_lines(told, clip))
    write = format_audacity if asked.format == "audacity" else format_vtt
    return PlainTextResponse(write(lines), headers=headers)


def _list_lines(statements: tuple[Evidence, ...], clip: AudioClip) -> Iterator[TimedLine]:
    for one in statements:
        end_s = clip.duration_s if one.end_s is None else min(one.end_s, clip.duration_s)
        yield TimedLine(one.start_s, max(end_s, one.start_s), one.text)
