"""Any OpenAI-compatible server (vLLM, llama.cpp, hosted APIs) as an LLM: one request per question.

aiohttp, not the openai client, whose overhead is several times as large when 32 requests are in flight.
"""

import asyncio
import math
import re
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, Field, SecretStr, ValidationError

from services.errors import BadConfig, ModelError
from services.types import Choice, Message, Reading, Value

NUM_TOP_LOGPROBS = 20  # the most that the API allows
ANSWER_LETTER = re.compile(r"[\s(*\"']*([A-Z])(?:[).:,*\"'\n]|\s*$)")  # not the article of "A dog barks"
MIN_MASS = 0.5  # probability that the option letters must hold together to count as the model's answer
RETRY_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
CONNECT_TIMEOUT_S = 10.0
MAX_WAIT_S = 60.0  # longest pause that a server may ask for


class Endpoint(Value):
    """Where a model is served, and how it is asked."""

    url: str
    """Base URL, up to and including `/v1`."""
    model: str
    """The name that the server knows the model by."""
    api_key: SecretStr | None = None
    max_tokens: int = 1024
    temperature: float | None = 0.0
    """None: not sent, for models that refuse it."""
    logprobs: bool = True
    """Ask for log-probabilities; a server that gives none is read by its reply."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request, e.g. `chat_template_kwargs`."""
    num_retries: int = 4
    timeout_s: float = 300.0


class _Top(BaseModel):
    token: str
    logprob: float


class _Token(_Top):
    top_logprobs: list[_Top] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    logprobs: _Logprobs | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class OpenAIServer:
    """An LLM behind an OpenAI-compatible server."""

    revision = "served"

    def __init__(self, endpoint: Endpoint, *, name: str) -> None:
        if urlsplit(endpoint.url).scheme not in {"http", "https"}:
            raise BadConfig(f"{endpoint.url!r} is no server URL; one looks like http://127.0.0.1:8000/v1.")
        self.name = name
        self._endpoint = endpoint
        self._takes_logprobs = endpoint.logprobs
        self._loop: asyncio.AbstractEventLoop | None = None

    async def complete(self, messages: tuple[Message, ...]) -> str:
        return (await self._ask(self._body(messages))).message.content or ""

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        answer = await self._ask_with_logprobs(self._body(messages))
        reply = answer.message.content or ""
        tokens = (answer.logprobs.content if answer.logprobs else None) or []
        return Reading(reply=reply, probabilities=_letter_probabilities(reply, tokens, choices))

    async def _ask_with_logprobs(self, body: dict[str, Any]) -> _Choice:
        if not self._takes_logprobs:
            return await self._ask(body)
        try:
            return await self._ask(body | {"logprobs": True, "top_logprobs": NUM_TOP_LOGPROBS})
        except ModelError as error:
            if "logprobs" not in str(error):
                raise
        self._takes_logprobs = (
            False  # the server refuses the parameter: ask this once again, and without it from now on
        )
        return await self._ask(body)

    def _body(self, messages: tuple[Message, ...]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": [message.model_dump() for message in messages],
            "max_tokens": self._endpoint.max_tokens,
        }
        if self._endpoint.temperature is not None:
            body["temperature"] = self._endpoint.temperature
        return body | self._endpoint.extra_body

    async def _ask(self, body: dict[str, Any]) -> _Choice:
        problem = ""
        for attempt in range(self._endpoint.num_retries + 1):
            try:
                return await self._post(body)
            except _Retryable as error:
                problem = str(error)
                if attempt < self._endpoint.num_retries:
                    await asyncio.sleep(min(error.wait_s or 2.0**attempt / 2, MAX_WAIT_S))
        raise ModelError(f"{problem} Tried {self._endpoint.num_retries + 1} times.")

    async def _post(self, body: dict[str, Any]) -> _Choice:
        session = await self._open()
        try:
            async with session.post(self._endpoint.url.rstrip("/") + "/chat/completions", json=body) as response:
                content = await response.read()
                if response.status == HTTPStatus.OK:
                    return _Completion.model_validate_json(content).choices[0]
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


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.replace(".", "", 1).isdigit() else None


def _letter_probabilities(reply: str, tokens: list[_Token], choices: tuple[Choice, ...]) -> dict[str, float]:
    """Return the probability of each letter at the token that answers; empty where the reply opens with no letter."""
    letters = {choice.letter for choice in choices}
    opening = ANSWER_LETTER.match(reply)
    if not opening or opening[1] not in letters:
        return {}
    answering = next((token for token in tokens if _letter(token.token) == opening[1]), None)
    if answering is None:
        return {}
    mass = dict.fromkeys(sorted(letters), 0.0)
    for top in answering.top_logprobs:
        if _letter(top.token) in letters:
            mass[_letter(top.token)] += math.exp(top.logprob)
    total = sum(mass.values())
    return {letter: p / total for letter, p in mass.items()} if total >= MIN_MASS else {}


def _letter(token: str) -> str:
    return token.strip(" \n(*\"'")
