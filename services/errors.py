"""What can go wrong that a user can mend; anything else is our bug and keeps its traceback.

    EarwitnessError          exit code 2, one line on stderr
    ├── BadRequest           HTTP 400: an unusable question, option or parameter
    │   ├── BadAudio         HTTP 422: a clip that cannot be decoded or used
    │   │   └── TooLarge     HTTP 413: more bytes or seconds than are accepted
    │   ├── Unsupported      HTTP 400: a parameter that would change the answer, were it not ignored
    │   └── AudioUrlDisabled HTTP 400: a recording behind a URL, where none is fetched
    ├── UnknownName          HTTP 404: a name that no catalogue holds
    ├── BadConfig            HTTP 400: a configuration, benchmark or run folder that cannot be used
    ├── ModelError           HTTP 503: a model cannot run here, or a model server failed
    ├── Overloaded           HTTP 503: more is asked at once than can be taken in
    ├── TookTooLong          HTTP 504: no answer before the deadline
    └── ClientGone           HTTP 499: who asked hung up; the work was stopped, and nobody reads this

Each message says what happened, with which value, and what would work.
"""

from collections.abc import Iterable
from typing import ClassVar

RETRY_AFTER_S = 5  # seconds after which a model that failed or is loading is worth another try


class EarwitnessError(Exception):
    """Base of all errors that are worded for the user."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        """Name of the parameter that is to blame, as the HTTP API calls it."""


class BadRequest(EarwitnessError):
    """A question, option or parameter that cannot be used."""

    code = "bad_request"
    http_status = 400


class BadAudio(BadRequest):
    """A clip that cannot be decoded or used."""

    code = "bad_audio"
    http_status = 422


class TooLarge(BadAudio):
    """A clip of more bytes or seconds than are accepted."""

    code = "too_large"
    http_status = 413


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
    """More is asked at once than can be taken in."""

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
    """Who asked hung up before the answer."""

    code = "client_closed_request"
    http_status = 499


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
