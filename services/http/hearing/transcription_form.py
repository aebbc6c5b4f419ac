"""Forms of `POST /v1/audio/transcriptions` and `/v1/audio/translations`, as OpenAI's and other clients send them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from fastapi import Request
from pydantic import AfterValidator, Field, ValidationError

from services.asr.languages import read_languages
from services.errors import BadRequest, Unsupported
from services.http.access.limits import Limits
from services.http.clips import AudioUpload
from services.http.forms import (
    LEAVE_OUT,
    MultipartForm,
    accept_only,
    drop_number,
    make_bad_request,
    read_content_type,
    read_form,
)
from services.protocols import TranscriptionGuide
from services.types import Value

Format: TypeAlias = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
Granularity: TypeAlias = Literal["word", "segment"]

USUAL_NAMES = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize")
"""What OpenAI's clients send; here each stands for the ASR of the service."""
DIARISING = "gpt-4o-transcribe-diarize"
LISTS = ("include", "known_speaker_names", "known_speaker_references", "timestamp_granularities")
OTHER_CODES = {"auto": "", "nb": "no", "iw": "he", "in": "id", "fil": "tl", "cmn": "zh", "ji": "yi"}
"""Codes of languages beside those that Whisper has -> its own."""
IGNORED = ("include", "temperature")  # of which a value that asks for anything is told


def _find_language(named: str) -> str:
    """Return the code of a language that is given by its code (`de`, `de-AT`) or its English name.

    `auto`, as programs around Whisper have it, is whichever is heard.
    """
    code, known = named.strip().lower().replace("_", "-"), read_languages()
    names = {name.lower(): one for one, name in known.items()}
    code = OTHER_CODES.get(code.partition("-")[0], code)
    found = names.get(code) or (code.partition("-")[0] if code.partition("-")[0] in known else None)
    if code and found is None:
        raise ValueError(f"{named!r} is not a language that the ASR knows; a code of ISO 639-1 is one, such as 'de'")
    return found or ""


class ServerVad(Value):
    """The strategy for cutting a recording that OpenAI's API takes beside `auto`."""

    type: Literal["server_vad"]
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 200
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5


VAD_FIELDS = {name: f"chunking_strategy[{name}]" for name in ServerVad.model_fields}
"""Its fields -> their names in a form, as OpenAI's clients send an object."""


def _check_chunking(text: str) -> str:
    """Refuse what OpenAI's API refuses; which strategy is named changes nothing."""
    if text not in ("", "auto"):
        try:
            ServerVad.model_validate_json(text)
        except ValidationError:
            raise ValueError("'auto' works, or an object of type 'server_vad'") from None
    return text


class TranscriptionForm(Value):
    """The fields of a form beside its file; any other field is ignored, with a warning."""

    model: str = USUAL_NAMES[0]
    response_format: Format = "json"
    language: Annotated[str, AfterValidator(_find_language)] = ""
    """ISO 639-1 code or English name of the language spoken; empty: whichever is heard."""
    prompt: str = ""
    """Text that the transcript could go on from: names and a style that it keeps to."""
    temperature: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Ignored with a warning, as nothing is drawn at random."""
    timestamp_granularities: tuple[Granularity, ...] = ()
    """Of `verbose_json`, ignored with a warning elsewhere; a stream has no words. Empty: segments."""
    stream: bool = False
    chunking_strategy: Annotated[str, AfterValidator(_check_chunking)] = ""
    """Ignored: recordings are cut where nobody speaks."""
    include: tuple[str, ...] = ()
    """Ignored with a warning."""
    known_speaker_names: tuple[str, ...] = ()
    """Names of the speakers in the order in which they are first heard, for `diarized_json`."""
    known_speaker_references: Annotated[tuple[str, ...], accept_only(((),), LEAVE_OUT)] = ()

    def guide(self, *, is_translation: bool) -> TranscriptionGuide:
        """Return what the ASR is to be told."""
        return TranscriptionGuide(
            language=self.language or None,
            prompt=self.prompt.strip(),
            is_translation=is_translation,
            with_words=self._has_words or self.response_format == "diarized_json",
            with_details=self.has_segments and self.response_format == "verbose_json" and not self.stream,
        )

    def list_ignored(self) -> Iterator[str]:
        """Yield the fields that ask for what this transcript has not."""
        yield from (name for name in IGNORED if getattr(self, name))
        has_granularities = self._has_words or "word" not in self.timestamp_granularities
        if self.timestamp_granularities and not (self.response_format == "verbose_json" and has_granularities):
            yield "timestamp_granularities"
        if self.known_speaker_names and self.response_format != "diarized_json":
            yield "known_speaker_names"

    @property
    def has_segments(self) -> bool:
        """Whether `verbose_json` lists segments, as it does unless words alone were asked for."""
        return "segment" in (self.timestamp_granularities or ("segment",))

    @property
    def _has_words(self) -> bool:
        """Whether the transcript lists words with their times."""
        return "word" in self.timestamp_granularities and self.response_format == "verbose_json" and not self.stream


class DescribedForm(TranscriptionForm):
    """The whole form, as the API describes it."""

    file: bytes = Field(json_schema_extra={"contentMediaType": "application/octet-stream"})


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """A recording to transcribe, and the format of the result."""

    sound: AudioUpload
    form: TranscriptionForm
    is_translation: bool
    warnings: tuple[str, ...]
    """What of the request was ignored."""


async def read_recording(request: Request, limits: Limits, *, is_translation: bool = False) -> TranscriptionRequest:
    """Read a form to its end."""
    if read_content_type(request) != "multipart/form-data":
        raise BadRequest("Send the recording as multipart/form-data, as `curl -F file=@clip.wav` does.", param="file")
    form = await read_form(request, limits, None)
    if form.file is None:
        raise BadRequest("No recording came: send it as 'file'.", param="file")
    fields = _read_fields(form)
    if fields.stream and fields.response_format in ("srt", "vtt"):
        raise Unsupported("'stream' works with json, text, verbose_json and diarized_json.", param="stream")
    if is_translation and fields.response_format == "diarized_json":
        raise Unsupported("A translation has json, text, srt, verbose_json or vtt.", param="response_format")
    ignored = _list_ignored(form, fields)
    if ignored and limits.strict_parameters:
        raise Unsupported(f"{ignored[0]}: {LEAVE_OUT}.", param=ignored[0])
    warnings = (f"Ignored: {', '.join(ignored)}.",) if ignored else ()
    return TranscriptionRequest(AudioUpload(form.file.data, name=form.file.name), fields, is_translation, warnings)


def _read_fields(form: MultipartForm) -> TranscriptionForm:
    names = [name for name in TranscriptionForm.model_fields if name not in LISTS]
    given: dict[str, object] = {name: text for name in names if (text := form.get_text(name))}
    for name in LISTS:
        given[name] = tuple(filter(None, form.get_list(name)))
    if vad := {name: text for name, field in VAD_FIELDS.items() if (text := form.get_text(field))}:
        given["chunking_strategy"] = json.dumps(vad)
    if given.get("model") == DIARISING:
        given.setdefault("response_format", "diarized_json")
    try:
        return TranscriptionForm.model_validate(given)
    except ValidationError as error:
        raise make_bad_request(error) from None


def _list_ignored(form: MultipartForm, fields: TranscriptionForm) -> list[str]:
    known = {"file", *TranscriptionForm.model_fields, *(f"{name}[]" for name in LISTS), *VAD_FIELDS.values()}
    unknown = [name for name in form.names if drop_number(name) not in known and any(form.get_texts(name))]
    return [*fields.list_ignored(), *unknown]
