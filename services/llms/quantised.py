"""A small LLM as 8-bit integers in CTranslate2: the embedded readers, fast on a CPU and light in memory."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ctranslate2 import GenerationStepResult, Generator, set_random_seed
from jinja2.sandbox import ImmutableSandboxedEnvironment
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.llms.batching import Batch, Batcher
from services.llms.prefixes import count_shared, group_by_prefix
from services.llms.sampling import derive_seed, pick_likeliest
from services.types import Choice, Message, Reading, ReadingStyle, Sampling, Usage

MAX_BATCH = 16
MAX_COMPARED = 8  # tokens of an option's text: each costs a line of a batch, and the first ones tell options apart

ANSWER_CUE = "Answer:"  # begun for the model, so that a letter is what comes next; see docs/log for what it gains
END_TOKENS = ("<|im_end|>", "<|endoftext|>", "<end_of_turn>", "<eos>")


class _PromptTokens(NamedTuple):
    """A prompt whose next token is to be one of the letters."""

    tokens: tuple[str, ...]
    letter_ids: tuple[int, ...]


class _Continued(NamedTuple):
    """A prompt, and the texts that may follow it."""

    tokens: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]


class QuantisedLLM:
    """A causal LM in CTranslate2 format, with its tokenizer.json and its chat_template.jinja.

    Args:
        folder: what `services.weights.conversion` made of a GGUF file.
        name: the catalogue name.
        revision: identifies the weights.
        style: how it reads best.
        sampling: how replies are sampled.
    """

    def __init__(
        self, folder: Path, *, name: str, revision: str, style: ReadingStyle, sampling: Sampling | None = None
    ) -> None:
        self.name, self.revision, self.style = name, revision, style
        self._folder, self._sampling = folder, sampling or Sampling()
        self._generator = self._open_generator()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        source = (folder / "chat_template.jinja").read_text()
        self._template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(source)
        self._ends = [token for token in END_TOKENS if self._tokenizer.token_to_id(token) is not None]
        self._scores = Batcher(self._score, max_size=MAX_BATCH)
        self._likelihoods = Batcher(self._score_continuations, max_size=MAX_BATCH)
        self._replies = Batcher(self._reply, max_size=MAX_BATCH)

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Generate a reply, batched with other prompts that wait."""
        return await self._replies.submit(self._format_prompt(messages))

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare the likelihoods of the options' texts, or of their letters, as the style of the model says."""
        if self.style.scores == "texts":
            return await self.compare(messages, choices)
        letters = [choice.letter for choice in choices]
        prompt = self._format_prompt(messages, cue=ANSWER_CUE)
        ids = tuple(self._tokenizer.encode(f" {letter}", add_special_tokens=False).ids[-1] for letter in letters)
        logits = await self._scores.submit(_PromptTokens(prompt, ids))
        return pick_likeliest(dict(zip(letters, logits, strict=True)), num_tokens=len(prompt))

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare the likelihoods of the options' texts, by their first tokens."""
        prompt = self._format_prompt(messages, cue=ANSWER_CUE)
        options = tuple(self._tokenise_continuation(choice.text or choice.letter)[:MAX_COMPARED] for choice in choices)
        logprobs = await self._likelihoods.submit(_Continued(prompt, options))
        by_letter = {choice.letter: logprob for choice, logprob in zip(choices, logprobs, strict=True)}
        return pick_likeliest(by_letter, num_tokens=len(prompt))

    def _format_prompt(self, messages: tuple[Message, ...], *, cue: str = "") -> tuple[str, ...]:
        turns = [message.model_dump() for message in messages]
        text = self._template.render(messages=turns, add_generation_prompt=True).removesuffix(cue) + cue
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).tokens)

    def _tokenise_continuation(self, text: str) -> tuple[str, ...]:
        return tuple(self._tokenizer.encode(f" {text.strip()}", add_special_tokens=False).tokens)

    def _score_continuations(self, requests: Batch[_Continued]) -> Sequence[tuple[float, ...]]:
        """Return the mean log-probability of a token of each option, one forward pass a prompt."""
        return [() if requests.is_cancelled(n) else self._average_logprobs(one) for n, one in enumerate(requests)]

    def _average_logprobs(self, request: _Continued) -> tuple[float, ...]:
        # What follows each beginning of an option: the prompt is read once, and each beginning once.
        *prompt, cue = request.tokens
        beginnings = list({option[:place]: None for option in request.options for place in range(len(option))})
        results = self._generator.generate_batch(
            [[cue, *beginning] for beginning in beginnings],
            static_prompt=prompt,
            cache_static_prompt=False,
            max_length=1,
            include_prompt_in_result=False,
            return_logits_vocab=True,
        )
        following = {
            beginning: _log_softmax(np.asarray(result.logits[0]).reshape(-1))
            for beginning, result in zip(beginnings, results, strict=True)
        }
        ids = self._tokenizer.token_to_id
        return tuple(
            float(np.mean([following[option[:place]][ids(token)] for place, token in enumerate(option)]))
            for option in request.options
        )

    def _score(self, requests: Batch[_PromptTokens]) -> Sequence[tuple[float, ...]]:
        """Return the logits of the letters, one forward pass for all prompts that begin alike."""
        logits: dict[int, tuple[float, ...]] = {}
        for group in _split_by_length(requests, group_by_prefix([request.tokens for request in requests])):
            if all(map(requests.is_cancelled, group)):
                logits |= dict.fromkeys(group, ())
                continue
            shared = count_shared([requests[number].tokens for number in group])
            results = self._generator.generate_batch(
                [list(requests[number].tokens[shared:]) for number in group],
                static_prompt=list(requests[group[0]].tokens[:shared]) or None,
                cache_static_prompt=False,  # that cache never forgets: 10 MB more for each clip
                max_length=1,
                include_prompt_in_result=False,
                return_logits_vocab=True,
            )
            for number, result in zip(group, results, strict=True):
                vocabulary = np.asarray(result.logits[0]).reshape(-1)
                logits[number] = tuple(float(vocabulary[token]) for token in requests[number].letter_ids)
        return [logits[number] for number in range(len(requests))]

    def _open_generator(self) -> Generator:
        return Generator(str(self._folder), compute_type="int8", intra_threads=os.cpu_count() or 1)

    def _reply(self, prompts: Batch[tuple[str, ...]]) -> Sequence[Reading]:
        def is_cancelled(step: GenerationStepResult) -> bool:
            """Say after each token whether its reply was cancelled."""
            return prompts.is_cancelled(step.batch_id)

        results = self._seed_generator(prompts).generate_batch(
            [list(prompt) for prompt in prompts],
            max_length=self._sampling.max_tokens,
            include_prompt_in_result=False,
            end_token=self._ends,
            sampling_temperature=self._sampling.temperature or 1.0,
            sampling_topk=0 if self._sampling.temperature else 1,
            sampling_topp=self._sampling.top_p,
            callback=is_cancelled,
        )
        return [
            self._make_reading(prompt, result.sequences_ids[0]) for prompt, result in zip(prompts, results, strict=True)
        ]

    def _seed_generator(self, prompts: Sequence[tuple[str, ...]]) -> Generator:
        """Return the generator for these prompts: CTranslate2 takes a seed only when its threads start."""
        if not self._sampling.temperature:
            return self._generator
        set_random_seed(derive_seed(self._sampling, prompts))
        return self._open_generator()

    def _make_reading(self, prompt: tuple[str, ...], written: Sequence[int]) -> Reading:
        return Reading(
            reply=self._tokenizer.decode(written).strip(),
            usage=Usage(prompt_tokens=len(prompt), completion_tokens=len(written)),
            is_finished=len(written) < self._sampling.max_tokens,
        )


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = logits - logits.max()
    logprobs: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum())
    return logprobs


def _split_by_length(requests: Sequence[_PromptTokens], groups: list[list[int]]) -> list[list[int]]:
    """Split the groups by length: CTranslate2 reads what exceeds the shortest prompt of a batch token by token."""
    split: dict[tuple[int, int], list[int]] = {}
    for which, group in enumerate(groups):
        for number in group:
            split.setdefault((which, len(requests[number].tokens)), []).append(number)
    return list(split.values())
