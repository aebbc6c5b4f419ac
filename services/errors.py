"""Error hierarchy: errors that a user can fix; any other exception is our bug and keeps its traceback.

    EarwitnessError          exit code 2, one line on stderr
    ├── BadRequest           HTTP 400: an unusable question, option or parameter
    │   ├── BadAudio         HTTP 422: a clip that cannot be decoded or used
    │   │   ├── UnsupportedFormat  HTTP 415: a format or codec that is not accepted
    │   │   └── TooLarge     HTTP 413: more bytes, seconds or work than are accepted
    │   ├── TooManyClips     HTTP 400: more recordings than a question may be about, or a model hears
    │   ├── Unsupported      HTTP 400: a parameter that would change the answer, were it not ignored
    │   ├── AudioUrlDisabled HTTP 400: a recording behind a URL, where none is fetched
    │   └── BadUrl           HTTP 400: a URL that is not fetched, or brought nothing
    ├── UnknownName          HTTP 404: a name that no catalogue holds
    ├── BadConfig            HTTP 400: a configuration, benchmark or run folder that cannot be used
    ├── ModelError           HTTP 503: a model cannot run here, or a model server failed
    │   ├── NotFound         HTTP 503: a model server knows no such model (services/clients/json_api.py)
    │   └── RequestRefused   HTTP 503: a model server does not take the request (services/clients/json_api.py)
    ├── Overloaded           HTTP 503: more requests at once than can be admitted (back-pressure)
    ├── TookTooLong          HTTP 504: no answer before the deadline
    ├── ClientGone           HTTP 499: the client disconnected before the answer; its work was cancelled
    └── InternalError        HTTP 500: a bug behind an error boundary, which the process survives

Each message says what happened, with which value, and what would work.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import ClassVar

RETRY_AFTER_S = 5  # seconds after which a model that failed or is loading is worth another try


class EarwitnessError(Exception):
    """Base of all errors that a user can fix; the message is written for them."""

    code: str = "error"
    """What went wrong, for programs."""
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        """Name of the parameter that caused the error, as the HTTP API calls it."""


class BadRequest(EarwitnessError):
    """A question, option or parameter that cannot be used."""

    code = "bad_request"
    http_status = 400


class AudioCode(StrEnum):
    """Every `code` that a clip can be refused with.

    code                 HTTP  when
    bad_audio            422   no recording at that path, or it cannot be opened (command line only)
    empty_audio          422   0 bytes
    damaged_audio        422   it begins like a recording, but none of it can be decoded
    no_audio_track       422   a container without sound
    audio_too_short      422   fewer samples than 0.01 s, none included
    not_finite           422   samples that are NaN or infinite
    bad_sample_rate      422   below 1 kHz or above 768 kHz, whatever the rest of the file says
    too_many_channels    422   more than 32
    decoder_crashed      422   the process that decoded the clip died of it
    unsupported_format   415   content of none of the accepted formats
    unsupported_codec    415   an accepted container with a codec that is not accepted
    too_large            413   more bytes uploaded than are accepted
    audio_too_long       413   more seconds, counted while decoding
    decoded_too_large    413   more bytes of samples before resampling, counted while decoding
    decoding_memory      413   decoding needed more memory than a clip gets
    decoding_time        413   decoding took more processor or wall time than a clip gets
    """

    BAD = "bad_audio"
    EMPTY = "empty_audio"
    DAMAGED = "damaged_audio"
    NO_TRACK = "no_audio_track"
    TOO_SHORT = "audio_too_short"
    NOT_FINITE = "not_finite"
    BAD_RATE = "bad_sample_rate"
    TOO_MANY_CHANNELS = "too_many_channels"
    CRASHED = "decoder_crashed"
    FORMAT = "unsupported_format"
    CODEC = "unsupported_codec"
    TOO_LARGE = "too_large"
    TOO_LONG = "audio_too_long"
    DECODED_TOO_LARGE = "decoded_too_large"
    MEMORY = "decoding_memory"
    TIME = "decoding_time"


class BadAudio(BadRequest):
    """A clip that cannot be decoded or used."""

    code = AudioCode.BAD.value
    http_status = 422

    def __init__(self, message: str, *, code: AudioCode | None = None, param: str | None = None) -> None:
        super().__init__(message, param=param)
        if code is not None:
            self.code = code.value


class UnsupportedFormat(BadAudio):
    """A clip in a format or codec that is not accepted."""

    code = AudioCode.FORMAT.value
    http_status = 415


class TooLarge(BadAudio):
    """A clip of more bytes, more seconds or more work than are accepted."""

    code = AudioCode.TOO_LARGE.value
    http_status = 413


_KINDS: dict[AudioCode, type[BadAudio]] = {
    AudioCode.FORMAT: UnsupportedFormat,
    AudioCode.CODEC: UnsupportedFormat,
    AudioCode.TOO_LARGE: TooLarge,
    AudioCode.TOO_LONG: TooLarge,
    AudioCode.DECODED_TOO_LARGE: TooLarge,
    AudioCode.MEMORY: TooLarge,
    AudioCode.TIME: TooLarge,
}


def make_bad_audio(code: AudioCode, message: str) -> BadAudio:
    """Build the error that belongs to a code."""
    return _KINDS.get(code, BadAudio)(message, code=code)


class TooManyClips(BadRequest):
    """More recordings than a question may be about, or than a model hears in one prompt."""

    code = "too_many_recordings"


class BadUrl(BadRequest):
    """A URL that is not fetched, or brought nothing."""

    code = "bad_audio_url"


class Unsupported(BadRequest):
    """A parameter of OpenAI's API that would change the answer, were it not ignored."""

    code = "unsupported_parameter"


class AudioUrlDisabled(BadRequest):
    """A recording behind a URL, where none is fetched."""

    code = "audio_url_disabled"


class BadConfig(EarwitnessError):
    """A configuration, a benchmark file or a run folder that cannot be used."""

    code = "bad_config"
    http_status = 400


class ModelError(EarwitnessError):
    """A model that cannot run here, or a model server that failed."""

    code = "model_unavailable"
    http_status = 503


class Overloaded(EarwitnessError):
    """More requests came at once than can be admitted."""

    code = "overloaded"
    http_status = 503

    def __init__(self, message: str, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TookTooLong(EarwitnessError):
    """A question that was not answered before its deadline."""

    code = "deadline_exceeded"
    http_status = 504


class ClientGone(EarwitnessError):
    """The client disconnected before the answer."""

    code = "client_closed_request"
    http_status = 499


class InternalError(EarwitnessError):
    """A bug, which `__cause__` holds; its words may quote what was said or asked, so the log alone gets them."""

    code = "internal_error"


class UnknownName(EarwitnessError):
    """A name that the catalogue does not hold."""

    code = "unknown_name"
    http_status = 404

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self._parts = (kind, name, tuple(known))
        super().__init__(f"No {kind} named {name!r}. Known: {', '.join(self._parts[2])}.")

    def __reduce__(self) -> tuple[type["UnknownName"], tuple[str, str, tuple[str, ...]]]:
        """Travel between processes, as Ray sends errors."""
        return (UnknownName, self._parts)


def word_problem(problem: Mapping[str, object]) -> str:
    """Return the message of a Pydantic error, without the prefix that it puts before our own messages."""
    if problem["type"] == "model_type":  # its message names one of our classes
        return "Input should be an object with keys"
    if problem["type"] in {"union_tag_invalid", "union_tag_not_found"} and isinstance(
        about := problem.get("ctx"), Mapping
    ):
        if problem["type"] == "union_tag_not_found":
            return f"{about['discriminator']} is missing"
        return f"{about['discriminator']} is {about['tag']!r}; {about['expected_tags']} work"
    message = str(problem["msg"]).removeprefix("Value error, ")
    is_about_list = problem["type"] in {"too_short", "too_long", "tuple_type"}
    return message.replace("Tuple", "List").replace("tuple", "list") if is_about_list else message
