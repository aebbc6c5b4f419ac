"""Tokenised prompts of a reader, which end right before the letter of the answer, in training as in inference."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from lalm.reader.rows import ReaderRow
from services.llms.generator import ANSWER_CUE

POOL = 16  # batches whose rows are sorted by length together, as a batch is padded to its longest


class ReaderExample(NamedTuple):
    """A row as token ids."""

    ids: tuple[int, ...]
    letter_ids: tuple[int, ...]
    target: tuple[float, ...]
    row: ReaderRow


class ReaderDataset(NamedTuple):
    """Examples, and the lengths of the rows that were too long."""

    examples: tuple[ReaderExample, ...]
    dropped: tuple[int, ...]
    """Tokens of the prompt of each row that was dropped."""

    def describe_dropped(self) -> str:
        """Describe how many rows were dropped, and what they would need; empty where none was."""
        if not self.dropped:
            return ""
        shortest, longest = min(self.dropped), max(self.dropped)
        sizes = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        return f"too long {len(self.dropped)} (they take {sizes} tokens)"


def encode_rows(rows: Iterable[ReaderRow], tokenizer: PreTrainedTokenizerBase, *, max_length: int) -> ReaderDataset:
    """Encode rows; those whose prompt is longer than `max_length` tokens are dropped whole, never cut."""
    examples, dropped = [], []
    for row in rows:
        turns = [message.model_dump() for message in row.messages]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text.removesuffix(ANSWER_CUE) + ANSWER_CUE, add_special_tokens=False)["input_ids"]
        if len(ids) > max_length:
            dropped.append(len(ids))
            continue
        letters = tuple(tokenizer(f" {letter}", add_special_tokens=False)["input_ids"][-1] for letter in row.letters)
        examples.append(ReaderExample(tuple(ids), letters, row.probabilities, row))
    return ReaderDataset(tuple(examples), tuple(dropped))


def draw_batches(examples: Sequence[ReaderExample], size: int, seed: int) -> Iterator[tuple[ReaderExample, ...]]:
    """Yield batches of similar length without end; their content depends only on the seed and their number."""
    epoch = 0
    while True:
        rng = random.Random(f"{seed} {epoch}")  # noqa: S311 - no secret
        mixed = rng.sample(examples, len(examples))
        for start in range(0, len(mixed), POOL * size):
            pool = sorted(mixed[start : start + POOL * size], key=lambda one: len(one.ids))
            batches = [tuple(pool[first : first + size]) for first in range(0, len(pool), size)]
            yield from rng.sample(batches, len(batches))
        epoch += 1
