"""JSON over HTTP: retry with exponential backoff and Retry-After, timeouts, and errors in words.

aiohttp, not httpx or the openai client, whose overhead is several times as large when 32 requests are in flight.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, SecretStr, ValidationError

from services.clients.chat_audio import AUDIO_PLACE
from services.errors import BadConfig, ModelError

Parsed = TypeVar("Parsed")

REFUSED_STATUS = frozenset({400, 422})
RETRY_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
CONNECT_TIMEOUT_S = 10.0
EXAMPLE = "one looks like http://127.0.0.1:8000/v1"
CONNECT_RETRIES = 1  # where nobody listens, or no such host is known; waiting longer brings no server
MAX_WAIT_S = 60.0  # longest pause that a server may ask for


class NotFound(ModelError):
    """The server answered 404: it has no such route or model."""


class RequestRefused(ModelError):
    """The server understood the request and does not take it (400 or 422)."""

    def __init__(self, message: str, *, refused: str | None = None) -> None:
        super().__init__(message)
        self.refused = refused
        """The parameter of the server's API that its error names; None where it names none."""


class _SentErrorDetail(BaseModel):
    param: str | None = None


class _SentErrorBody(BaseModel):
    """The error body of OpenAI's API, of which servers send more or less."""

    error: _SentErrorDetail


def _find_refused_parameter(content: bytes) -> str | None:
    try:
        return _SentErrorBody.model_validate_json(content).error.param
    except ValidationError:
        return None


def insert_audio(request: str, *audio: bytes) -> bytes:
    """Return a JSON request as bytes, with the base64 of each clip in place of an `AUDIO_PLACE`, in their order.

    Dumping half a megabyte of base64 as JSON for every question would double what a request costs.
    """
    head, *rest = request.encode().split(AUDIO_PLACE.encode(), len(audio))
    return b"".join((head, *(piece for pair in zip(audio, rest, strict=True) for piece in pair)))


class Server:
    """Connection to an HTTP server that takes and gives JSON.

    Args:
        url: what its routes start with.
        what: the purpose of the requests, for error messages, such as "asked for 'phi-4'"; may be empty.
        api_key: sent as a bearer token.
        timeout_s: of one attempt.
        num_retries: after the first attempt.
    """

    def __init__(
        self, url: str, what: str = "", *, api_key: SecretStr | None, timeout_s: float, num_retries: int
    ) -> None:
        try:
            parts = urlsplit(url)
            is_port = parts.port is None or parts.port > 0
        except ValueError:  # brackets that do not match, or a port beyond 65535
            shown = url.rpartition("@")[2]  # without what may be a password
            raise BadConfig(f"{shown!r} is not a server URL; {EXAMPLE}.") from None
        if parts.username or parts.password or parts.query:
            raise BadConfig(
                "The server URL holds a user, a password or a query; a key belongs into EARWITNESS_API_KEY."
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname or not is_port:
            raise BadConfig(f"{url!r} is not a server URL; {EXAMPLE}.")
        self._url, self._what, self._api_key = url.rstrip("/"), what, api_key
        self._timeout_s, self._num_retries = timeout_s, num_retries
        self._loop: asyncio.AbstractEventLoop | None = None

    async def post(
        self, route: str, request: bytes, parse: Callable[[bytes], Parsed], *, extra_s: float = 0.0
    ) -> Parsed:
        """Send a request and parse what comes back, which may raise pydantic's `ValidationError`.

        An attempt may take `extra_s` longer than usual.
        Raises `ModelError` after the last retry, or at once where a retry is of no use; `NotFound` for a 404.
        """
        num_tries = 0
        while True:
            try:
                return await self._post(self._url + route, request, parse, self._timeout_s + extra_s)
            except _Retryable as error:
                num_tries += 1
                most_retries = min(self._num_retries, CONNECT_RETRIES) if error.is_unreachable else self._num_retries
                if num_tries > most_retries:
                    times = "once" if num_tries == 1 else f"{num_tries} times"
                    raise ModelError(f"{error} Tried {times}.") from error
                wait_s = 2.0**num_tries / 4 if error.wait_s is None else error.wait_s
                await asyncio.sleep(min(wait_s, MAX_WAIT_S))

    async def _post(self, url: str, request: bytes, parse: Callable[[bytes], Parsed], timeout_s: float) -> Parsed:
        session = await self._open()
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        try:
            async with session.post(url, data=request, timeout=timeout) as response:
                content = await response.read()
                if response.status != HTTPStatus.OK:
                    raise self._make_refusal(response, content)
                return parse(content)
        except ValidationError as error:
            raise _Retryable(self._word_problem("sent a reply that cannot be read")) from error
        except aiohttp.ClientConnectorError as error:
            problem = self._word_problem(f"cannot be reached: {error.strerror or error.os_error}")
            raise _Retryable(problem, is_unreachable=True) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _Retryable(self._word_problem(f"did not answer: {str(error) or type(error).__name__}")) from error

    def _make_refusal(self, response: aiohttp.ClientResponse, content: bytes) -> Exception:
        said = " ".join(content[:300].decode(errors="replace").split())
        problem = self._word_problem(f"answered {response.status} {response.reason}: {said}")
        if response.status in RETRY_STATUS:
            return _Retryable(problem, wait_s=_parse_retry_after(response.headers.get("Retry-After", "")))
        if response.status == HTTPStatus.NOT_FOUND:
            return NotFound(problem)
        if response.status in REFUSED_STATUS:
            return RequestRefused(problem, refused=_find_refused_parameter(content))
        return ModelError(problem)

    def _word_problem(self, what: str) -> str:
        asked = f", {self._what}," if self._what else ""
        return f"The server at {self._url}{asked} {what}."

    async def _open(self) -> aiohttp.ClientSession:
        """Return the session of the running event loop; aiohttp wants one per loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._sessions, self._loop = self._open_sessions(), loop
            self._current = await anext(self._sessions)
        return self._current

    async def _open_sessions(self) -> AsyncGenerator[aiohttp.ClientSession, None]:
        """Yield one session, closed when the event loop ends: asyncio closes open generators then."""
        key = {"Authorization": f"Bearer {self._api_key.get_secret_value()}"} if self._api_key else {}
        async with aiohttp.ClientSession(
            headers={"Content-Type": "application/json"} | key,
            connector=aiohttp.TCPConnector(limit=0),
        ) as session:
            yield session


class _Retryable(Exception):
    """A transient failure, worth a retry; `wait_s` is the pause that the server asked for, if it did."""

    def __init__(self, problem: str, *, wait_s: float | None = None, is_unreachable: bool = False) -> None:
        super().__init__(problem)
        self.wait_s, self.is_unreachable = wait_s, is_unreachable


def _parse_retry_after(retry_after: str) -> float | None:
    """Return the pause that a Retry-After header asks for, in seconds or as a date (RFC 9110, section 10.2.3)."""
    if retry_after.replace(".", "", 1).isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
