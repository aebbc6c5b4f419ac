"""Has vLLM say a given reply, so that its tokens are scored and the prompt before it is kept.

    vllm serve exported --logits-processors lalm.export.vllm_reply:ForcedReplyProcessor

Where the log-probabilities of a prompt are asked for, vLLM reads all of it again. A reply that is decoded instead, one
given token after another, begins with what was kept; its log-probabilities are those of the unchanged logits.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from lalm.export.vllm_plugin import REPLY


class ForcedReply(NamedTuple):
    """A reply that is being said."""

    reply: Sequence[int]

    def __call__(self, said: Sequence[int], logits_V: Tensor) -> Tensor:
        """Rule out all tokens but the next of the reply; behind its end, or where there is no such token, none."""
        token = self.reply[len(said)] if len(said) < len(self.reply) else -1
        if 0 <= token < len(logits_V):
            kept = logits_V[token].clone()
            logits_V.fill_(float("-inf"))
            logits_V[token] = kept
        return logits_V


class ForcedReplyProcessor(AdapterLogitsProcessor):  # type: ignore[misc]
    """Serves the requests that name their reply, as `vllm_xargs`."""

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuse a reply that is no list of tokens; vLLM answers 400."""
        reply = _get_reply(sampling_params)
        if not isinstance(reply, list) or not all(type(token) is int for token in reply):
            raise ValueError(f"{REPLY} is a list of token ids, not {reply!r}.")

    def is_argmax_invariant(self) -> bool:
        """Say that it changes what greedy decoding chooses."""
        return False

    def new_req_logits_processor(self, params: SamplingParams) -> ForcedReply | None:
        """Return what is to be said in a request, if anything."""
        reply = _get_reply(params)
        return ForcedReply(reply) if reply else None


def _get_reply(params: SamplingParams) -> Sequence[int]:
    reply: Sequence[int] = (params.extra_args or {}).get(REPLY, [])
    return reply
