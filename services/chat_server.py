"""An OpenAI-compatible chat server: requests, retries and what it answers.

aiohttp, not the openai client, whose overhead is several times as large when 32 requests are in flight.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, Field, SecretStr, ValidationError

from services.errors import BadConfig, ModelError
from services.types import Usage, Value

RETRY_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
CONNECT_TIMEOUT_S = 10.0
MAX_WAIT_S = 60.0  # longest pause that a server may ask for


class Endpoint(Value):
    """Where a model is served, and how it is asked."""

    url: str
    """Base URL, up to and including `/v1`."""
    model: str
    """The name that the server knows the model by."""
    aliases: tuple[str, ...] = ()
    """Other names the server may know the model by, tried when it answers that there is no such model."""
    api_key: SecretStr | None = None
    max_tokens: int | None = 1024
    """None: not sent, for models that want another field for it."""
    temperature: float | None = 0.0
    """None: not sent, for models that refuse it."""
    logprobs: bool = True
    """Ask for log-probabilities; a server that gives none is read by its reply."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request, e.g. `chat_template_kwargs`."""
    num_retries: int = 4
    timeout_s: float = 300.0


class Top(BaseModel):
    """A token that could have stood here."""

    token: str
    logprob: float


class Token(Top):
    """A token of the reply."""

    top_logprobs: list[Top] = []


class Logprobs(BaseModel):
    """Log-probabilities of the reply."""

    content: list[Token] | None = None


class Content(BaseModel):
    """The text of the reply."""

    content: str | None = None


class Candidate(BaseModel):
    """One reply."""

    message: Content
    logprobs: Logprobs | None = None


class Tokens(BaseModel):
    """Tokens as the server counts them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Completion(BaseModel):
    """What a server answers."""

    choices: list[Candidate] = Field(min_length=1)
    usage: Tokens | None = None


class Said(NamedTuple):
    """A reply, as far as it matters."""

    reply: str
    """Empty where the server sent none."""
    tokens: Sequence[Token]
    """With log-probabilities; empty where the server gives none."""
    usage: Usage


class ChatServer:
    """A connection to one model on one server."""

    def __init__(self, endpoint: Endpoint) -> None:
        parts = urlsplit(endpoint.url)
        if parts.username or parts.password or parts.query:
            raise BadConfig(
                "The server URL holds a user, a password or a query; a key belongs into EARWITNESS_API_KEY."
            )
        if parts.scheme not in {"http", "https"}:
            raise BadConfig(f"{endpoint.url!r} is no server URL; one looks like http://127.0.0.1:8000/v1.")
        self._endpoint = endpoint
        self._names = (endpoint.model, *endpoint.aliases)
        self._loop: asyncio.AbstractEventLoop | None = None

    def body(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a request with these messages, as the endpoint wants it."""
        body = {
            "messages": messages,
            "max_tokens": self._endpoint.max_tokens,
            "temperature": self._endpoint.temperature,
        }
        return {key: value for key, value in body.items() if value is not None} | self._endpoint.extra_body

    async def ask(self, body: dict[str, Any]) -> Said:
        """Send a chat completion request; `ModelError` after the last retry, or at once where retrying is no use."""
        problem = ""
        for attempt in range(self._endpoint.num_retries + 1):
            try:
                return await self._post(body)
            except _Retryable as error:
                problem = str(error)
                if attempt < self._endpoint.num_retries:
                    wait_s = 2.0**attempt / 2 if error.wait_s is None else error.wait_s
                    await asyncio.sleep(min(wait_s, MAX_WAIT_S))
        raise ModelError(f"{problem} Tried {self._endpoint.num_retries + 1} times.")

    async def _post(self, body: dict[str, Any]) -> Said:
        session = await self._open()
        names, url = self._names, self._endpoint.url.rstrip("/") + "/chat/completions"
        try:
            async with session.post(url, json={"model": names[0], **body}) as response:
                content = await response.read()
                if response.status == HTTPStatus.OK:
                    return _said(Completion.model_validate_json(content))
                if response.status == HTTPStatus.NOT_FOUND and len(names) > 1:
                    self._names = names[1:]
                    raise _Retryable(self._problem(f"knows no model {names[0]!r}"), wait_s=0.0)
                raise self._refused(response, content)
        except ValidationError as error:
            raise _Retryable(self._problem("sent a reply that is no chat completion")) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _Retryable(self._problem(f"did not answer: {error or type(error).__name__}")) from error

    def _refused(self, response: aiohttp.ClientResponse, content: bytes) -> Exception:
        said = " ".join(content[:300].decode(errors="replace").split())
        problem = self._problem(f"answered {response.status} {response.reason}: {said}")
        if response.status in RETRY_STATUS:
            return _Retryable(problem, wait_s=_seconds(response.headers.get("Retry-After", "")))
        return ModelError(problem)

    def _problem(self, what: str) -> str:
        return f"The server at {self._endpoint.url}, asked for {self._endpoint.model!r}, {what}."

    async def _open(self) -> aiohttp.ClientSession:
        """Return the session of the running event loop; aiohttp wants one per loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._sessions, self._loop = self._session(), loop
            self._current = await anext(self._sessions)
        return self._current

    async def _session(self) -> AsyncGenerator[aiohttp.ClientSession, None]:
        """Yield one session, closed when the event loop ends: asyncio closes open generators then."""
        key = self._endpoint.api_key
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else {},
            timeout=aiohttp.ClientTimeout(total=self._endpoint.timeout_s, sock_connect=CONNECT_TIMEOUT_S),
            connector=aiohttp.TCPConnector(limit=0),
        ) as session:
            yield session


class _Retryable(Exception):
    """A failure that may pass; `wait_s` is what the server asked for, if it did."""

    def __init__(self, problem: str, *, wait_s: float | None = None) -> None:
        super().__init__(problem)
        self.wait_s = wait_s


def _said(completion: Completion) -> Said:
    first, counted = completion.choices[0], completion.usage or Tokens()
    return Said(
        reply=first.message.content or "",
        tokens=(first.logprobs.content if first.logprobs else None) or (),
        usage=Usage(
            prompt_tokens=counted.prompt_tokens or 0,
            completion_tokens=counted.completion_tokens or 0,
        ),
    )


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.replace(".", "", 1).isdigit() else None
