"""Forced decoding in vLLM: a logits processor that makes it generate a given reply, in order to score its tokens.

    vllm serve exported --logits-processors lalm.export.vllm_reply:ForcedReplyProcessor

When log-probabilities of a prompt are requested, vLLM cannot use its prefix cache (KV cache). A forced reply is decoded
after the cached prompt instead; the log-probabilities returned are those of the unmodified logits.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from lalm.export.vllm_version import REPLY


class ForcedReply(NamedTuple):
    """Logits processor of one request: allows only the next token of a given reply."""

    reply: Sequence[int]

    def __call__(self, said: Sequence[int], logits_V: Tensor) -> Tensor:
        """Mask all logits, shape (V,), except the next token of the reply; none after its end."""
        token = self.reply[len(said)] if len(said) < len(self.reply) else -1
        if 0 <= token < len(logits_V):
            kept = logits_V[token].clone()
            logits_V.fill_(float("-inf"))
            logits_V[token] = kept
        return logits_V


class ForcedReplyProcessor(AdapterLogitsProcessor):  # type: ignore[misc]
    """Creates a `ForcedReply` for requests that give their reply in `vllm_xargs`."""

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuse a reply that is not a list of token ids; vLLM then returns status 400."""
        reply = _get_reply(sampling_params)
        if not isinstance(reply, list) or not all(type(token) is int for token in reply):
            raise ValueError(f"{REPLY} is a list of token ids, not {reply!r}.")

    def is_argmax_invariant(self) -> bool:
        """Tell vLLM that the result of greedy decoding changes."""
        return False

    def new_req_logits_processor(self, params: SamplingParams) -> ForcedReply | None:
        """Return the forced reply of a request, if it has one."""
        reply = _get_reply(params)
        return ForcedReply(reply) if reply else None


def _get_reply(params: SamplingParams) -> Sequence[int]:
    reply: Sequence[int] = (params.extra_args or {}).get(REPLY, [])
    return reply
