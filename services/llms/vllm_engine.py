"""LLM in this process through vLLM: continuous batching, prefix caching and tensor parallelism, on a GPU or CPU."""

from itertools import count
from typing import Any

from torch import cuda
from vllm import SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.inputs import TokensPrompt
from vllm.outputs import RequestOutput
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.async_llm import AsyncLLM

from services.llms.sampling import derive_seed, pick_likeliest
from services.settings import read_settings
from services.types import Choice, Message, Reading, ReadingStyle, Sampling, Usage

REPLY_TOKENS = 1024
THINKING_TOKENS = 8192


class VllmEngine:
    """A Hugging Face model inside vLLM's asynchronous engine.

    Args:
        model: a Hub id, or a folder in Hugging Face format.
        name: the catalogue name.
        revision: the pinned revision on the Hub; None for a folder.
        thinking: whether a model with a thinking mode thinks; None for a model without one.
        sampling: how replies are sampled.
    """

    style = ReadingStyle()

    def __init__(
        self,
        model: str,
        *,
        name: str,
        revision: str | None = None,
        thinking: bool | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        self.name = name
        self.revision = revision or "unpinned"
        self._thinking = thinking
        self._sampling = sampling or Sampling(max_tokens=THINKING_TOKENS if thinking else REPLY_TOKENS)
        self._engine = AsyncLLM.from_engine_args(
            AsyncEngineArgs(
                model=model,
                revision=revision,
                enable_prefix_caching=True,
                trust_remote_code=False,
                gpu_memory_utilization=read_settings().vllm_memory,
                tensor_parallel_size=max(1, cuda.device_count()),  # Ray shows a replica the GPUs that are its own
            )
        )
        self._numbers = count()

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Generate a reply with vLLM, seeded from the messages."""
        sampling = SamplingParams(
            temperature=self._sampling.temperature,
            top_p=self._sampling.top_p,
            max_tokens=self._sampling.max_tokens,
            seed=derive_seed(self._sampling, messages),
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        output = await self._run(messages, sampling)
        first = output.outputs[0]
        return Reading(reply=str(first.text), usage=_count_tokens(output), is_finished=first.finish_reason != "length")

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Score the letters in one decoding step; a thinking model thinks first, so it is read by its reply."""
        if self._thinking:
            return await self.complete(messages)
        encode = self._engine.get_tokenizer().encode
        letters = {choice.letter: encode(choice.letter, add_special_tokens=False)[0] for choice in choices}
        sampling = SamplingParams(
            temperature=0.0,
            max_tokens=1,
            logprob_token_ids=list(letters.values()),
            allowed_token_ids=list(letters.values()),
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        output = await self._run(messages, sampling)
        first = (output.outputs[0].logprobs or [{}])[0]
        return pick_likeliest(
            {letter: first[token].logprob for letter, token in letters.items()},
            num_tokens=_count_tokens(output).prompt_tokens,
        )

    async def _run(self, messages: tuple[Message, ...], sampling: SamplingParams) -> RequestOutput:
        template: dict[str, Any] = {} if self._thinking is None else {"enable_thinking": self._thinking}
        turns = [message.model_dump() for message in messages]
        tokenizer = self._engine.get_tokenizer()
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **template)
        prompt = TokensPrompt(prompt_token_ids=tokenizer.encode(text, add_special_tokens=False))
        request = self._engine.generate(prompt, sampling, request_id=f"{self.name}-{next(self._numbers)}")
        return [output async for output in request][-1]


def _count_tokens(output: RequestOutput) -> Usage:
    return Usage(prompt_tokens=len(output.prompt_token_ids or ()), completion_tokens=len(output.outputs[0].token_ids))
