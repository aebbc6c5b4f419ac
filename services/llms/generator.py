"""Reading and writing with a causal LM as 8-bit integers in CTranslate2, with its tokenizer and its chat template."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ctranslate2 import GenerationStepResult, Generator, set_random_seed
from jinja2.sandbox import ImmutableSandboxedEnvironment
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.llms.batching import Batch, Lanes, Prompt
from services.llms.prefixes import count_shared, group_by_prefix
from services.llms.sampling import derive_seed, pick_likeliest
from services.types import Message, Reading, Sampling, Usage

MAX_KEPT = 8  # beginnings of prompts whose state CTranslate2 keeps, 2 MB each: it never forgets one
MAX_COMPARED = 8  # tokens of an option's text: each costs a line of a batch, and the first ones tell options apart

ANSWER_CUE = "Answer:"  # begun for the model, so that a letter is what comes next; see docs/log for what it gains
END_TOKENS = ("<|im_end|>", "<|endoftext|>", "<end_of_turn>", "<eos>")
CANCELLED = Reading(reply="")  # for nobody: whoever asked has given up


class _TokenPrompt(NamedTuple):
    """A prompt as tokens, and how many of them stand before the words of its last message, the same for any words."""

    tokens: tuple[str, ...]
    num_fixed: int


class _LetterPrompt(NamedTuple):
    """A prompt whose next token is to be one of the letters."""

    tokens: tuple[str, ...]
    num_fixed: int
    letters: tuple[str, ...]
    letter_ids: tuple[int, ...]


class TextGenerator:
    """A causal LM in CTranslate2 format, with its tokenizer.json and its chat_template.jinja.

    Args:
        folder: what `services.weights.conversion` made of a GGUF file.
        compute_type: CTranslate2's name of the arithmetic.
        sampling: how replies are sampled.
    """

    def __init__(self, folder: Path, compute_type: str, sampling: Sampling) -> None:
        self._folder, self._compute_type, self._sampling = folder, compute_type, sampling
        self._generator = self._open_generator()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        source = (folder / "chat_template.jinja").read_text()
        self._template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(source)
        self._kept = set[tuple[str, ...]]()
        self._ends = [token for token in END_TOKENS if self._tokenizer.token_to_id(token) is not None]

    def compare_letters(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Compare the likelihoods of the options' letters, one forward pass for all prompts that begin alike."""
        prompts = [self._tokenise_letters(request) for request in requests]
        readings = [CANCELLED] * len(prompts)
        for group in _split_by_length(prompts, group_by_prefix([prompt.tokens for prompt in prompts])):
            if all(map(requests.is_cancelled, group)):
                continue
            for number, logits in zip(group, self._score([prompts[number] for number in group]), strict=True):
                prompt = prompts[number]
                by_letter = dict(zip(prompt.letters, logits, strict=True))
                readings[number] = pick_likeliest(by_letter, num_tokens=len(prompt.tokens))
        return readings

    def compare_texts(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Compare the likelihoods of the options' texts by their first tokens, one forward pass a prompt."""
        return [CANCELLED if requests.is_cancelled(n) else self._compare_texts(one) for n, one in enumerate(requests)]

    def write(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Write a reply to each prompt."""

        def is_cancelled(step: GenerationStepResult) -> bool:
            """Say after each token whether its reply was cancelled."""
            return requests.is_cancelled(step.batch_id)

        prompts = [self._format_prompt(request.messages) for request in requests]
        fixed = {prompt.tokens[: prompt.num_fixed] for prompt in prompts}
        beginning = fixed.pop() if len(fixed) == 1 else ()
        results = self._seed_generator([prompt.tokens for prompt in prompts]).generate_batch(
            [list(prompt.tokens[len(beginning) :]) for prompt in prompts],
            static_prompt=list(beginning) or None,
            cache_static_prompt=self._keeps(beginning),
            max_length=self._sampling.max_tokens,
            include_prompt_in_result=False,
            end_token=self._ends,
            sampling_temperature=self._sampling.temperature or 1.0,
            sampling_topk=0 if self._sampling.temperature else 1,
            sampling_topp=self._sampling.top_p,
            callback=is_cancelled,
        )
        return [
            self._make_reading(prompt.tokens, result.sequences_ids[0])
            for prompt, result in zip(prompts, results, strict=True)
        ]

    def _format_prompt(self, messages: Sequence[Message], *, cue: str = "") -> _TokenPrompt:
        turns = [message.model_dump() for message in messages]
        text = self._template.render(messages=turns, add_generation_prompt=True).removesuffix(cue) + cue
        tokens, before = self._tokenise(text), text[: max(0, text.find(messages[-1].content))]
        return _TokenPrompt(tokens, count_shared([(*self._tokenise(before), ""), tokens]))

    def _keeps(self, beginning: tuple[str, ...]) -> bool:
        """Say whether the state after this beginning of prompts is kept: the first ones are."""
        if beginning and len(self._kept) < MAX_KEPT:
            self._kept.add(beginning)
        return beginning in self._kept

    def _tokenise(self, text: str) -> tuple[str, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).tokens)

    def _tokenise_letters(self, request: Prompt) -> _LetterPrompt:
        letters = tuple(choice.letter for choice in request.choices)
        ids = tuple(self._tokenizer.encode(f" {letter}", add_special_tokens=False).ids[-1] for letter in letters)
        return _LetterPrompt(*self._format_prompt(request.messages, cue=ANSWER_CUE), letters, ids)

    def _tokenise_continuation(self, text: str) -> tuple[str, ...]:
        return self._tokenise(f" {text.strip()}")

    def _compare_texts(self, request: Prompt) -> Reading:
        """Return the mean log-probability of a token of each option as likelihoods."""
        # What follows each beginning of an option: the prompt is read once, and each beginning once.
        tokens = self._format_prompt(request.messages, cue=ANSWER_CUE).tokens
        *prompt, cue = tokens
        options = [
            self._tokenise_continuation(choice.text or choice.letter)[:MAX_COMPARED] for choice in request.choices
        ]
        beginnings = list({option[:place]: None for option in options for place in range(len(option))})
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
        by_letter = {
            choice.letter: float(np.mean([following[option[:place]][ids(token)] for place, token in enumerate(option)]))
            for choice, option in zip(request.choices, options, strict=True)
        }
        return pick_likeliest(by_letter, num_tokens=len(tokens))

    def _score(self, prompts: Sequence[_LetterPrompt]) -> list[tuple[float, ...]]:
        """Return the logits of the letters of prompts that begin alike and are equally long.

        What one prompt alone begins with whatever is asked is read once and kept. What several share is read once for
        all of them: their clip's evidence, which is not kept, as it would be 10 MB more for each clip.
        """
        is_alone = len(prompts) == 1
        shared = prompts[0].num_fixed if is_alone else count_shared([prompt.tokens for prompt in prompts])
        beginning = prompts[0].tokens[:shared]
        results = self._generator.generate_batch(
            [list(prompt.tokens[shared:]) for prompt in prompts],
            static_prompt=list(beginning) or None,
            cache_static_prompt=is_alone and self._keeps(beginning),
            max_length=1,
            include_prompt_in_result=False,
            return_logits_vocab=True,
        )
        vocabularies = [np.asarray(result.logits[0]).reshape(-1) for result in results]
        return [
            tuple(float(vocabulary[token]) for token in prompt.letter_ids)
            for prompt, vocabulary in zip(prompts, vocabularies, strict=True)
        ]

    def _open_generator(self) -> Generator:
        return Generator(
            str(self._folder),
            compute_type=self._compute_type,
            inter_threads=len(Lanes._fields),  # they share the weights
            intra_threads=os.cpu_count() or 1,
        )

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


def _split_by_length(requests: Sequence[_LetterPrompt], groups: list[list[int]]) -> list[list[int]]:
    """Split the groups by length: CTranslate2 reads what exceeds the shortest prompt of a batch token by token."""
    split: dict[tuple[int, int], list[int]] = {}
    for which, group in enumerate(groups):
        for number in group:
            split.setdefault((which, len(requests[number].tokens)), []).append(number)
    return list(split.values())
