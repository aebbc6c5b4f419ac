"""Body of `/v1/audio/questions`: a question as a form or as JSON; its text is checked later."""

from dataclasses import dataclass
from typing import Self

from fastapi import Request
from pydantic import ConfigDict, Field, JsonValue, model_validator

from services.errors import BadRequest
from services.http.access.limits import Limits
from services.http.clips import AudioUpload, Base64Each
from services.http.forms import (
    MAX_FIELDS,
    MultipartForm,
    Texts,
    parse_json,
    read_content_type,
    read_form,
    read_json,
    refuse_content_type,
)
from services.types import Value

EXAMPLE: JsonValue = {"question": "Which one is a wind instrument?", "choices": ["Flute", "Drum kit"], "model": "text"}
FIELDS = ("file", "question", "choices", "choices[]", "path", "model", "explain", "stream")


@dataclass(frozen=True, slots=True)
class PostedQuestion:
    """A question as it was posted."""

    question: str
    choices: tuple[str, ...]
    model: str | None
    """The model that is to answer; None: the default."""
    sounds: tuple[AudioUpload, ...]
    """The recordings that came, in their order."""
    as_published: bool = False
    """Whether the options are a benchmark's, whose repeated and empty ones are kept."""
    is_stream: bool = False
    """Whether the stages of the work are reported as they begin and end."""
    explains: bool = False
    """Whether the answer brings its reasons."""


class JSONQuestion(Value):
    """A question as JSON."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [EXAMPLE]})

    question: str
    choices: Texts = ()
    """None: an open question."""
    path: str | None = None
    """Older name of `model`."""
    model: str | None = None
    """The model that answers, by a name that `/v1/models` lists; None: the first of them."""
    as_published: bool | None = None
    explain: bool | None = None
    """Whether the answer brings its reasons, claims that cite evidence; they may take one more prompt."""
    audio: Base64Each = ()
    """The recording; a list where the question is about several."""
    stream: bool | None = None
    """Whether server-sent events tell the stages of the work before the answer."""

    @model_validator(mode="after")
    def _require_one_name(self) -> Self:
        _pick_model(self.model, self.path)
        return self


class QuestionForm(Value):
    """The fields of a question as a form, as the API describes them."""

    question: str
    file: tuple[bytes, ...] = Field(
        default=(), json_schema_extra={"items": {"type": "string", "contentMediaType": "application/octet-stream"}}
    )
    """The recording; sent again for each further one where the question is about several."""
    choices: tuple[str, ...] = ()
    path: str | None = None
    model: str | None = None
    explain: bool = False
    stream: bool = False


async def read_question(request: Request, limits: Limits) -> PostedQuestion:
    """Read a question to its end."""
    kind = read_content_type(request)
    if kind == "multipart/form-data":
        return await _read_form(request, limits)
    if kind == "application/json":
        return await read_json(request, limits, _read_json)
    raise refuse_content_type(kind, "multipart/form-data and application/json work")


def _read_json(body: bytes) -> PostedQuestion:
    posted = parse_json(JSONQuestion, body)
    sounds = tuple(AudioUpload(one, param="audio") for one in posted.audio)
    model = posted.model or posted.path
    return PostedQuestion(
        posted.question,
        posted.choices,
        model,
        sounds,
        as_published=bool(posted.as_published),
        is_stream=bool(posted.stream),
        explains=bool(posted.explain),
    )


async def _read_form(request: Request, limits: Limits) -> PostedQuestion:
    form = await read_form(request, limits, FIELDS, max_files=MAX_FIELDS)
    sounds = tuple(AudioUpload(file.data, name=file.name) for file in form.files)
    model = _pick_model(form.get_text("model"), form.get_text("path"))
    return PostedQuestion(
        form.get_text("question") or "",
        form.get_list("choices"),
        model,
        sounds,
        is_stream=_read_flag(form, "stream"),
        explains=_read_flag(form, "explain"),
    )


def _read_flag(form: MultipartForm, name: str) -> bool:
    text = form.get_text(name) or "false"
    if text.lower() not in ("true", "false"):
        raise BadRequest(f"{name!r} is {text!r}; true and false work.", param=name)
    return text.lower() == "true"


def _pick_model(model: str | None, path: str | None) -> str | None:
    if model and path and model != path:
        raise BadRequest(f"'model' is {model!r} and 'path' is {path!r}: give one of them.", param="path")
    return model or path
