"""Sentence encoder: all-MiniLM-L6-v2 (Sentence-BERT, arXiv:1908.10084) in CTranslate2, on one thread of the CPU."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.lazy import Lazy

Vectors: TypeAlias = NDArray[np.float32]

FOLDER = Path(__file__).with_name("all-minilm-l6-v2")
WIDTH = 384
MAX_TOKENS = 128  # of the model's training; a question is cut to them
BATCH = 32


class SentenceEncoder:
    """Embeds English texts; other languages only by the words that they share with it. Opened with the first text.

    Args:
        folder: model in CTranslate2's format, and its tokenizer.
    """

    def __init__(self, folder: Path) -> None:
        self._embed = Lazy(lambda: _OpenedEncoder(folder))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Embed texts: the mean of the states of their tokens, of length 1; shape (num_texts, WIDTH)."""
        found = [self._embed()(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(found) if found else np.zeros((0, WIDTH), np.float32)


class _OpenedEncoder:
    def __init__(self, folder: Path) -> None:
        from ctranslate2 import Encoder  # takes a third of a second to import
        from tokenizers import Tokenizer

        self._encoder = Encoder(str(folder), device="cpu", compute_type="int8", intra_threads=1, inter_threads=1)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        states = np.asarray(self._encoder.forward_batch(ids).last_hidden_state, dtype=np.float32)
        means = np.stack([state[: len(tokens)].mean(axis=0) for state, tokens in zip(states, ids, strict=True)])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


@cache
def open_sentence_encoder() -> SentenceEncoder:
    """Return the encoder that ships with the package, one for all of this process."""
    return SentenceEncoder(FOLDER)
