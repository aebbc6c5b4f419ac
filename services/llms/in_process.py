"""LLM in this process through transformers: any causal LM in Hugging Face format, safetensors only, no remote code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedModel

from services.errors import ModelError
from services.llms.batching import Batch, Batcher
from services.llms.cancelled_replies import StopWhenCancelled, stop_between_layers
from services.llms.prefixes import count_shared, group_by_prefix
from services.llms.sampling import derive_seed, pick_likeliest
from services.types import Choice, Message, Reading, ReadingStyle, Sampling, Usage

MAX_BATCH = 16
LONG_TOKENS = 500  # of a prompt that others do not wait for

# Shape suffixes: B prompts, T tokens, D width, V vocabulary


class _PromptIds(NamedTuple):
    """A prompt whose next token is to be one of the letters, as token ids."""

    tokens: tuple[int, ...]
    letter_ids: tuple[int, ...]


class InProcessLLM:
    """A causal LM from a folder in Hugging Face format, on the GPU if there is one.

    Prompts that begin alike (the same clip, other questions or other orders of the options) are read
    in one forward pass over what they share and one over the rest.
    """

    revision = "local"
    style = ReadingStyle()

    def __init__(self, folder: Path, *, name: str, sampling: Sampling | None = None) -> None:
        self.name = name
        self._sampling = sampling or Sampling()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"'{folder}' holds no causal LM in Hugging Face format with safetensors: {str(error).splitlines()[0]}"
            ) from error
        self._model: PreTrainedModel = model.to(device).eval()
        stop_between_layers(self._model)
        ends = self._model.generation_config.eos_token_id
        self._ends = set(ends if isinstance(ends, list) else [ends])
        self._scores = Batcher(self._score, max_size=MAX_BATCH, is_long=lambda asked: _is_long(asked.tokens))
        # What is drawn at random is drawn from one state, for one batch at a time.
        self._replies = Batcher(
            self._reply, max_size=MAX_BATCH, is_long=None if self._sampling.temperature else _is_long
        )

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Generate a reply, batched with other prompts that wait."""
        return await self._replies.submit(self._format_prompt(messages))

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare the logits of the options' letters as the next token; no reply is generated."""
        letters = [choice.letter for choice in choices]
        ids = tuple(self._tokenizer.encode(letter, add_special_tokens=False)[0] for letter in letters)
        prompt = self._format_prompt(messages)
        logits = await self._scores.submit(_PromptIds(prompt, ids))
        return pick_likeliest(dict(zip(letters, logits, strict=True)), num_tokens=len(prompt))

    def _format_prompt(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        turns = [message.model_dump() for message in messages]
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def _score(self, requests: Batch[_PromptIds]) -> Sequence[tuple[float, ...]]:
        """Return the logits of the letters of each request."""
        scored: dict[int, tuple[float, ...]] = {}
        for group in group_by_prefix([request.tokens for request in requests]):
            if all(map(requests.is_cancelled, group)):
                scored |= dict.fromkeys(group, ())
                continue
            logits_BV = self._compute_logits([requests[number].tokens for number in group])
            for number, logits_V in zip(group, logits_BV, strict=True):
                scored[number] = tuple(logits_V[list(requests[number].letter_ids)].tolist())
        return [scored[number] for number in range(len(requests))]

    @torch.inference_mode()
    def _compute_logits(self, prompts: Sequence[tuple[int, ...]]) -> torch.Tensor:
        """Return the logits after each prompt, shape (num_prompts, vocabulary size).

        Suffixes are padded on the right: what a causal model puts after the last real token changes nothing before it.
        """
        shared = count_shared(prompts)
        cache = DynamicCache(config=self._model.config)
        if shared:
            prefix_1T = torch.tensor([prompts[0][:shared]], device=self._model.device)
            self._model.base_model(prefix_1T, past_key_values=cache)
            cache.batch_repeat_interleave(len(prompts))
        suffixes = [torch.tensor(prompt[shared:], device=self._model.device) for prompt in prompts]
        last_B = torch.tensor([len(suffix) - 1 for suffix in suffixes], device=self._model.device)
        hidden_BTD = self._model.base_model(pad_sequence(suffixes, batch_first=True), past_key_values=cache)[0]
        logits_BV: torch.Tensor = self._model.get_output_embeddings()(hidden_BTD[torch.arange(len(prompts)), last_B])
        return logits_BV.float()

    @torch.inference_mode()
    def _reply(self, prompts: Batch[tuple[int, ...]]) -> Sequence[Reading]:
        """Return replies; prompts are padded on the left, where generation does not see it."""
        ids = [torch.tensor(prompt, device=self._model.device) for prompt in prompts]
        padded_BT = pad_sequence(ids, batch_first=True, padding_side="left")
        mask_BT = pad_sequence([torch.ones_like(one) for one in ids], batch_first=True, padding_side="left")
        how: dict[str, Any] = {
            "max_new_tokens": self._sampling.max_tokens,
            "do_sample": False,
            "stopping_criteria": [StopWhenCancelled(prompts.is_cancelled)],
        }
        if self._sampling.temperature:
            torch.manual_seed(derive_seed(self._sampling, prompts))
            how |= {
                "do_sample": True,
                "temperature": self._sampling.temperature,
                "top_p": self._sampling.top_p,
                "top_k": 0,
            }
        out_BT = self._model.generate(padded_BT, attention_mask=mask_BT, **how)
        replies_BT = out_BT[:, padded_BT.shape[1] :]
        texts = self._tokenizer.batch_decode(replies_BT, skip_special_tokens=True)
        written = (replies_BT != self._tokenizer.pad_token_id).sum(-1).tolist()
        return [
            Reading(
                reply=text.strip(),
                usage=Usage(prompt_tokens=len(prompt), completion_tokens=num),
                is_finished=num < self._sampling.max_tokens or last in self._ends,
            )
            for text, prompt, num, last in zip(texts, prompts, written, replies_BT[:, -1].tolist(), strict=True)
        ]


def _is_long(prompt: Sequence[int]) -> bool:
    return len(prompt) > LONG_TOKENS
