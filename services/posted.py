"""A question as it arrives over HTTP, as a multipart form or as JSON; what it says is not checked here."""

import base64
import binascii
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, WithJsonSchema
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.errors import BadRequest
from services.types import Value

MAX_FIELDS = 100
MAX_FIELD_BYTES = 100_000  # of a field that is no file
FIELDS = ("file", "question", "choices", "path")


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted."""

    question: str
    choices: tuple[str, ...]
    path: str | None
    audio: bytes | None
    """The recording, encoded as it came; None: none came."""
    name: str = "audio"
    """What errors call the recording."""
    as_published: bool = False
    """Whether the options are a benchmark's, whose repeated and empty ones are kept."""


def _from_base64(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("should be a recording in base64")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"is no base64: {error}") from None


class JSONQuestion(Value):
    """A question as JSON."""

    question: str
    choices: tuple[str, ...] = ()
    path: str | None = None
    as_published: bool = False
    audio: Annotated[
        bytes | None,
        BeforeValidator(_from_base64),
        WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
    ] = None


# Read by hand, because one route takes both; FastAPI only documents them.
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["question"],
                "properties": {
                    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "question": {"type": "string"},
                    "choices": {"type": "array", "items": {"type": "string"}},
                    "path": {"type": "string"},
                },
            }
        },
        "application/json": {"schema": JSONQuestion.model_json_schema()},
    },
}


def read_json(body: bytes) -> Posted:
    """Read a question posted as JSON."""
    try:
        posted = JSONQuestion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(map(str, first["loc"])) or None
        raise BadRequest(f"{param or 'The JSON'}: {first['msg']}.", param=param) from None
    return Posted(posted.question, posted.choices, posted.path, posted.audio, as_published=posted.as_published)


async def read_form(headers: Headers, body: AsyncGenerator[bytes, None]) -> Posted:
    """Read a question posted as a multipart form."""
    parser = MultiPartParser(headers, body, max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(f"The form cannot be read: {error.message}") from None
    try:
        return await _posted(form)
    finally:
        await form.close()


async def _posted(form: FormData) -> Posted:
    for name in form:
        if name not in FIELDS:
            raise BadRequest(f"No field named {name!r}. Known: {', '.join(FIELDS)}.", param=name)
    file = form.get("file")
    if isinstance(file, str):
        raise BadRequest("'file' has to be a file with a name, as `curl -F file=@clip.wav` sends it.", param="file")
    return Posted(
        question=_texts(form, "question")[0] if "question" in form else "",
        choices=_texts(form, "choices"),
        path=_texts(form, "path")[0] if "path" in form else None,
        audio=await file.read() if file else None,
        name=(file.filename if file else None) or "audio",
    )


def _texts(form: FormData, name: str) -> tuple[str, ...]:
    texts = [value for value in form.getlist(name) if not isinstance(value, UploadFile)]
    if len(texts) != len(form.getlist(name)):
        raise BadRequest(f"{name!r} has to be text, not a file.", param=name)
    return tuple(texts)
