"""LLM behind an OpenAI-compatible server (vLLM, llama.cpp, hosted APIs): one request per question."""

import math
import re
from collections.abc import Sequence
from typing import Any

from services.clients.chat_server import ChatServer, Endpoint, ModelReply, ReplyToken
from services.clients.json_api import RequestRefused
from services.llms.sampling import derive_seed, list_reply_options
from services.types import Choice, Message, Reading, ReadingStyle, Sampling

LOGPROB_PARAMETERS = (None, "logprobs", "top_logprobs")  # None: the server names no parameter
SCHEMA_PARAMETERS = (None, "response_format")
NUM_TOP_LOGPROBS = 20  # the most that the API allows
ANSWER_LETTER = re.compile(r"[\s(*\"']*([A-Z])(?:[).:,*\"'\n]|\s*$)")  # not the article of "A dog barks"
MIN_MASS = 0.5  # probability that the option letters must hold together to count as the model's answer


class ServedLLM:
    """An LLM behind an OpenAI-compatible server."""

    revision = "served"
    style = ReadingStyle()  # one request per question

    def __init__(self, endpoint: Endpoint, *, name: str, sampling: Sampling | None = None) -> None:
        self.name = name
        self.takes_reply_options = endpoint.temperature is not None  # None: the model refuses such parameters
        self._sampling = sampling
        self._server = ChatServer(endpoint)
        self._chooser = Chooser(self._server, logprobs=endpoint.logprobs)
        self.takes_schema = True  # until the server refuses one

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Ask the server for a reply; sampling is seeded from the messages, so that a repeat gives the same."""
        seed = {} if self._sampling is None else {"seed": derive_seed(self._sampling, messages)}
        answer = await self._server.ask(self._build_body(messages) | seed | list_reply_options())
        return Reading(reply=answer.reply, usage=answer.usage, is_finished=answer.is_finished)

    async def complete_as(self, messages: tuple[Message, ...], schema: dict[str, Any]) -> Reading:
        """Ask the server for a reply in JSON of this schema; one that refuses to hold to it is asked without."""
        if self.takes_schema:
            body = self._build_body(messages) | {"response_format": format_schema(schema)}
            try:
                answer = await self._server.ask(body)
            except RequestRefused as error:
                if error.refused not in SCHEMA_PARAMETERS:
                    raise
            else:
                return Reading(reply=answer.reply, usage=answer.usage, is_finished=answer.is_finished)
        # Where the server does not name what it refuses, only asking again without it tells.
        reading = await self.complete(messages)
        self.takes_schema = False
        return reading

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Choose by the log-probabilities of the letters, or by the reply where the server returns none."""
        return await self._chooser.choose(self._build_body(messages), choices)

    def _build_body(self, messages: tuple[Message, ...]) -> dict[str, Any]:
        return self._server.build_body([message.model_dump() for message in messages])


def format_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Format a JSON schema as the parameter `response_format` of OpenAI's API."""
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}


class Chooser:
    """Asks a server for log-probabilities beside the reply, until it refuses them."""

    def __init__(self, server: ChatServer, *, logprobs: bool) -> None:
        self._server = server
        self._takes_logprobs = logprobs

    async def choose(self, body: dict[str, Any], choices: tuple[Choice, ...], *audio: bytes) -> Reading:
        """Send the request and read it as one about these options."""
        said = await self._ask(body, *audio)
        probabilities = read_letter_probabilities(said.reply, said.tokens, choices)
        return Reading(reply=said.reply, probabilities=probabilities, usage=said.usage)

    async def _ask(self, body: dict[str, Any], *audio: bytes) -> ModelReply:
        if not self._takes_logprobs:
            return await self._server.ask(body, *audio)
        try:
            return await self._server.ask(body | {"logprobs": True, "top_logprobs": NUM_TOP_LOGPROBS}, *audio)
        except RequestRefused as error:
            if error.refused not in LOGPROB_PARAMETERS:
                raise
        # Where the server does not name what it refuses, only asking again without it tells.
        reply = await self._server.ask(body, *audio)
        self._takes_logprobs = False
        return reply


def read_letter_probabilities(
    reply: str, tokens: Sequence[ReplyToken], choices: tuple[Choice, ...]
) -> dict[str, float]:
    """Return the probability of each letter at the token that answers; empty where the reply opens with no letter."""
    letters = {choice.letter for choice in choices}
    opening = ANSWER_LETTER.match(reply)
    if not opening or opening[1] not in letters:
        return {}
    answering = next((token for token in tokens if _strip_letter(token.token) == opening[1]), None)
    if answering is None:
        return {}
    mass = dict.fromkeys(sorted(letters), 0.0)
    for top in answering.top_logprobs:
        if _strip_letter(top.token) in letters:
            mass[_strip_letter(top.token)] += math.exp(top.logprob)
    total = sum(mass.values())
    return {letter: p / total for letter, p in mass.items()} if total >= MIN_MASS else {}


def _strip_letter(token: str) -> str:
    return token.strip(" \n(*\"'")
