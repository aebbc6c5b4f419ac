"""Tool choice: a linear classifier of a question's text estimates which tool it asks for, or that none does.

Multinomial logistic regression on hashed n-grams beside a sentence embedding, which carries it over to other wordings;
n-grams carry it to other languages as far as it has seen them. `planner.safetensors` beside this file holds its
weights, which `benchmarks/planner/fit.py` fits; there stand the labelled questions too.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from math import sqrt
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from services.captioners.frames import Floats
from services.captioners.head import read_head
from services.sentences.encoder import Vectors, open_sentence_encoder

FILE = "planner.safetensors"
NO_TOOL = "none"
"""Label of a question that no tool answers."""
NUM_BUCKETS = 2**14
"""Of each of the two groups of n-grams: of characters, and of words."""
CHARACTERS, WORDS = (2, 5), (1, 3)
"""Shortest and longest n-grams; those of characters do not cross the edge of a word."""


class SparseFeatures(NamedTuple):
    """Features of a text that are not zero."""

    indices: NDArray[np.int64]
    """Shape (num_features,), each below twice `NUM_BUCKETS`."""
    values: NDArray[np.float64]


class TextClassifier(NamedTuple):
    """A fitted classifier."""

    labels: tuple[str, ...]
    weights: Floats
    """Shape (num_labels, 2 * NUM_BUCKETS), whole numbers of eight bits."""
    scale: Floats
    """Shape (num_labels, 1): what a weight of 1 stands for."""
    bias: Floats
    """Shape (num_labels,)."""
    meaning: Floats | None = None
    """Weights of the sentence embedding, shape (num_labels, 384); None: n-grams alone."""

    def estimate(self, text: str) -> Mapping[str, float]:
        """Estimate the probability of each label for a question, the likeliest first; they sum to 1."""
        found = extract_features(text)
        logits = (self.weights[:, found.indices] * self.scale) @ found.values + self.bias
        if self.meaning is not None:
            logits = logits + self.meaning @ embed_question(text)
        powers = np.exp(logits - logits.max())
        shares = powers / powers.sum()
        return {self.labels[i]: float(shares[i]) for i in np.argsort(-shares, kind="stable")}


@lru_cache(maxsize=64)  # the classifiers of a question look at it one after the other
def extract_features(text: str) -> SparseFeatures:
    """Extract the hashed n-grams of a text; those of characters, and those of words, have a norm of 1 each."""
    words = re.findall(r"\w+|[^\w\s]", _mask_digits(text))
    characters = Counter(gram for word in words for gram in _cut(f" {word} ", CHARACTERS))
    spoken = [word for word in words if word[0].isalnum()]
    phrases = Counter(
        " ".join(spoken[start : start + size])
        for size in range(WORDS[0], WORDS[1] + 1)
        for start in range(len(spoken) - size + 1)
    )
    groups = [_hash(grams, first) for grams, first in ((characters, 0), (phrases, NUM_BUCKETS))]
    indices = np.array([index for group in groups for index in group], np.int64)
    return SparseFeatures(indices, np.array([value for group in groups for value in group.values()], np.float64))


@lru_cache(maxsize=64)
def embed_question(text: str) -> Vectors:
    """Embed a text, whose numbers do not matter; shape (384,)."""
    return np.asarray(open_sentence_encoder()([_mask_digits(text)])[0], np.float32)


def _mask_digits(text: str) -> str:
    return re.sub(r"\d", "0", text.lower())


def _cut(word: str, sizes: tuple[int, int]) -> list[str]:
    return [
        word[start : start + size] for size in range(sizes[0], sizes[1] + 1) for start in range(len(word) - size + 1)
    ]


def _hash(grams: Mapping[str, int], first: int) -> dict[int, float]:
    """Return bucket -> value of n-grams, their signs hashed too, so that collisions cancel out on average."""
    values: dict[int, float] = {}
    for gram, count in grams.items():
        code = crc32(gram.encode())
        bucket = first + code % NUM_BUCKETS
        values[bucket] = values.get(bucket, 0.0) + (count if code & 0x8000_0000 else -count)
    norm = sqrt(sum(value * value for value in values.values()))
    return {bucket: value / norm for bucket, value in values.items() if value}


def open_tool_classifier() -> TextClassifier:
    """Read the classifier of tools that ships, once."""
    return open_text_classifier(FILE)


@cache
def open_text_classifier(file: str) -> TextClassifier:
    """Read a classifier whose weights ship beside this file, once."""
    labels, tensors = read_head(__package__, file)
    return TextClassifier(labels, tensors["weights"], tensors["scale"], tensors["bias"], tensors.get("meaning"))
