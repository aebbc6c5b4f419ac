"""Log-probability of a given reply on a vLLM server, by forced decoding or by prompt log-probabilities.

A server with the logits processor of `lalm.export.vllm_reply` decodes the reply after a cached prompt. Without it, the
log-probabilities of prompt and reply are requested, which cannot use the cache. The tokens are compared either way.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from lalm.export.vllm_version import REPLY
from services.clients.chat_server import CompletionLogprobs, Endpoint, connect
from services.clients.json_api import insert_audio
from services.errors import ModelError


class ScoreRequest(NamedTuple):
    """A prompt about a clip, and the reply to score."""

    turns: list[dict[str, Any]]
    """Messages of a request, with an empty audio part for the clip."""
    audio: bytes
    """The clip as base64."""
    prompt: tuple[int, ...]
    """Token ids of the prompt, as encoded here; audio as negative numbers."""
    reply: tuple[int, ...]
    text: str
    """Text of the reply, without the end of its turn."""


class _PromptTokenLogprob(BaseModel):
    """Log-probability of a token of the prompt."""

    logprob: float


class _PromptLogprobsReply(BaseModel):
    """Response of vLLM to a request for prompt log-probabilities."""

    prompt_logprobs: list[dict[int, _PromptTokenLogprob] | None]


class _ForcedReplyChoice(BaseModel):
    """A reply with its token ids and log-probabilities."""

    token_ids: tuple[int, ...] | None = None
    logprobs: CompletionLogprobs | None = None


class _ForcedReplyResponse(BaseModel):
    """Response of vLLM with token ids; other servers omit them."""

    prompt_token_ids: tuple[int, ...] | None = None
    choices: list[_ForcedReplyChoice] = Field(min_length=1)


class ReplyScorer:
    """Scores replies on a vLLM server.

    Args:
        endpoint: of the server.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._model, self._server = endpoint.model, connect(endpoint)
        self._forces_replies = True  # until a response shows that the server lacks the logits processor

    async def compute_mean_logprob(self, asked: ScoreRequest) -> float:
        """Return the mean log-probability per token of the reply, its end of turn included, in nats.

        Raises:
            ModelError: the server fails, or tokenises the prompt differently.
        """
        values = await self._score_by_decoding(asked) if self._forces_replies else None
        if values is None:
            self._forces_replies = False
            values = await self._score_by_prompt(asked)
        return sum(values) / len(values)

    async def _score_by_decoding(self, asked: ScoreRequest) -> list[float] | None:
        """Score by forced decoding; None if the server does not support it and generated something else."""
        how = {
            "max_tokens": len(asked.reply),
            "ignore_eos": True,
            "logprobs": True,
            "return_token_ids": True,
            "vllm_xargs": {REPLY: asked.reply},
        }
        request = self._build_request(asked, asked.turns, how)
        said = await self._server.post("/chat/completions", request, _ForcedReplyResponse.model_validate_json)
        first = said.choices[0]
        if first.token_ids != asked.reply or first.logprobs is None:
            return None
        self._check_tokens(asked.prompt, said.prompt_token_ids or ())
        return [token.logprob for token in first.logprobs.content or ()]

    async def _score_by_prompt(self, asked: ScoreRequest) -> list[float]:
        """Score by the log-probabilities of a prompt that includes the reply."""
        turns = [*asked.turns, {"role": "assistant", "content": asked.text}]
        how = {"max_tokens": 1, "prompt_logprobs": 0, "add_generation_prompt": False}
        request = self._build_request(asked, turns, how)
        read = await self._server.post("/chat/completions", request, _PromptLogprobsReply.model_validate_json)
        start, end = len(asked.prompt), len(asked.prompt) + len(asked.reply)
        tail = zip(read.prompt_logprobs[start:end], asked.reply, strict=False)
        values = [top[token].logprob for top, token in tail if top and token in top]
        self._check_tokens(asked.reply, asked.reply[: len(values)])
        return values

    def _build_request(self, asked: ScoreRequest, turns: list[dict[str, Any]], how: dict[str, Any]) -> bytes:
        body = {"model": self._model, "messages": turns, "temperature": 0, **how}
        return insert_audio(json.dumps(body), asked.audio)

    def _check_tokens(self, ours: Sequence[int], theirs: Sequence[int]) -> None:
        if len(ours) != len(theirs) or any(0 <= a != b for a, b in zip(ours, theirs, strict=True)):
            raise ModelError(
                f"The server's {self._model!r} reads other tokens than the run here: export this run with "
                "`python -m lalm.export RUN FOLDER`, and serve that folder with vLLM."
            )
