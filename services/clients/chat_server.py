"""Client of an OpenAI-compatible chat server: its requests and replies."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, Field, SecretStr

from services.clients.json_api import NotFound, Server, insert_audio
from services.types import Usage, Value

STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
EVENT, DONE = b"data:", b"[DONE]"


class Endpoint(Value):
    """A model on a server, and the parameters of requests to it."""

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
    top_p: float | None = None
    """None: not sent; the server's own."""
    logprobs: bool = True
    """Ask for log-probabilities; a server that gives none is read by its reply."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request, e.g. `chat_template_kwargs`."""
    streams: bool = False
    """The server replies in a stream only; it is read as a whole."""
    num_retries: int = 4
    timeout_s: float = 300.0


class TokenAlternative(BaseModel):
    """A token that was considered at a place of the reply."""

    token: str
    logprob: float


class ReplyToken(TokenAlternative):
    """A token of the reply."""

    top_logprobs: list[TokenAlternative] = []


class CompletionLogprobs(BaseModel):
    """Log-probabilities of the reply."""

    content: list[ReplyToken] | None = None


def _join_parts(content: object) -> object:
    """Join the parts that some servers send in place of a text."""
    if not isinstance(content, list):
        return content
    return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


class CompletionMessage(BaseModel):
    """The text of the reply."""

    content: Annotated[str | None, BeforeValidator(_join_parts)] = None


class CompletionChoice(BaseModel):
    """One reply."""

    message: CompletionMessage
    finish_reason: str | None = None
    logprobs: CompletionLogprobs | None = None


class TokenCounts(BaseModel):
    """Token counts, as the server gives them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Completion(BaseModel):
    """The response to a chat completion request."""

    choices: list[CompletionChoice] = Field(min_length=1)
    usage: TokenCounts | None = None


class StreamedChoice(BaseModel):
    """What a chunk of a streamed reply adds to it."""

    delta: CompletionMessage = CompletionMessage()
    finish_reason: str | None = None


class StreamedChunk(BaseModel):
    """One event of a streamed reply."""

    choices: list[StreamedChoice] = []
    usage: TokenCounts | None = None


class ModelReply(NamedTuple):
    """The parts of a reply that are used."""

    reply: str
    """Empty where the server sent none."""
    tokens: Sequence[ReplyToken]
    """With log-probabilities; empty where the server gives none."""
    usage: Usage
    is_finished: bool
    """False where the server says that it cut the reply off."""


def connect(endpoint: Endpoint) -> Server:
    """Return a connection to the server of an endpoint."""
    return Server(
        endpoint.url,
        f"asked for {endpoint.model!r}",
        api_key=endpoint.api_key,
        timeout_s=endpoint.timeout_s,
        num_retries=endpoint.num_retries,
    )


class ChatServer:
    """A connection to one model on one server."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._names = (endpoint.model, *endpoint.aliases)
        self._server = connect(endpoint)

    def build_body(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the body of a request with these messages and the parameters of the endpoint."""
        body = {
            "messages": messages,
            "max_tokens": self._endpoint.max_tokens,
            "temperature": self._endpoint.temperature,
            "top_p": self._endpoint.top_p,
        }
        asked = {key: value for key, value in body.items() if value is not None}
        return asked | (STREAMED if self._endpoint.streams else {}) | self._endpoint.extra_body

    async def ask(self, body: dict[str, Any], *audio: bytes) -> ModelReply:
        """Send a chat completion request; `ModelError` where the server gives no usable reply.

        `audio` is the base64 that each `AUDIO_PLACE` in the body stands for.
        """
        names = self._names
        for number, name in enumerate(names[:-1], start=1):
            try:
                return await self._ask(name, body, *audio)
            except NotFound:
                self._names = names[number:]
        return await self._ask(names[-1], body, *audio)

    async def _ask(self, name: str, body: dict[str, Any], *audio: bytes) -> ModelReply:
        request = insert_audio(json.dumps({"model": name, **body}), *audio)
        return await self._server.post(
            "/chat/completions", request, _read_stream if self._endpoint.streams else _read_reply
        )


def _read_stream(content: bytes) -> ModelReply:
    """Read the events of a streamed reply (server-sent events, each a chunk of the completion) as one reply."""
    lines = (line.removeprefix(EVENT).strip() for line in content.split(b"\n") if line.startswith(EVENT))
    chunks = [StreamedChunk.model_validate_json(line) for line in lines if line != DONE]
    ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    usage = next((chunk.usage for chunk in reversed(chunks) if chunk.usage), None)
    message = CompletionMessage(content=text)
    end = next((reason for reason in ends if reason), None)
    return _make_reply(Completion(choices=[CompletionChoice(message=message, finish_reason=end)], usage=usage))


def _read_reply(content: bytes) -> ModelReply:
    return _make_reply(Completion.model_validate_json(content))


def _make_reply(completion: Completion) -> ModelReply:
    """Make the reply of a completion: its first choice with a text, as some servers add one with spoken audio."""
    first = next((one for one in completion.choices if one.message.content), completion.choices[0])
    counted = completion.usage or TokenCounts()
    return ModelReply(
        reply=first.message.content or "",
        tokens=(first.logprobs.content if first.logprobs else None) or (),
        usage=Usage(
            prompt_tokens=counted.prompt_tokens or 0,
            completion_tokens=counted.completion_tokens or 0,
        ),
        is_finished=first.finish_reason != "length",
    )
