"""Connector pre-alignment (stage 2a): bag-of-words loss against the backbone's input embeddings, before training.

Each audio embedding is softly matched with the input embeddings of the words of all replies. The mean match of a clip
is trained to predict the words of the replies about that clip, weighted by rarity (inverse document frequency). No
forward pass through the backbone is needed, so a step is cheap, and training starts from embeddings close to those of
words. Not part of DeSTA's recipe; docs/log has its effect.
"""

# Shape suffixes: S segments, Q queries, H backbone width, V words of the dictionary

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lalm.model.model import AudioLanguageModel
from lalm.model.template import ChatTemplate
from lalm.train.alignment.clip_batches import ClipBatches, optimise
from lalm.train.config import AlignmentConfig
from lalm.train.corpus import Corpus
from lalm.train.data import Dataset, TrainClip
from services.errors import BadConfig

SHARPNESS = 4.0  # inverse temperature of the softmax over words
PULL = 0.1  # weight of the squared distance between an embedding and its matched words
MIN_CLIPS = 2  # a word must occur in the replies about this many clips to be in the vocabulary


class AlignmentVocabulary(NamedTuple):
    """Words of the replies, as token ids."""

    ids: tuple[int, ...]
    weights: Mapping[int, float]
    """Token id -> inverse document frequency: the logarithm of clips over clips with this token."""


class Aligner:
    """Aligns the connector of a model with its backbone's input embeddings.

    Args:
        config: steps, batch size, learning rate.
        model: its connector is trained; its backbone provides the input embeddings.
        corpus: replies and features.
        template: of the backbone.
        seed: of crops and order.

    Raises:
        BadConfig: no word occurs in the replies about some clips, but not all.
    """

    name, log = "align the connector", "alignment.txt"

    def __init__(
        self, config: AlignmentConfig, model: AudioLanguageModel, corpus: Corpus, template: ChatTemplate, *, seed: int
    ) -> None:
        self._config = config
        self.num_steps = config.num_steps
        self._connector = model.connector
        self._words = collect_words(corpus.training, template)
        self._dictionary = build_vocabulary(self._words.values())
        if not self._dictionary.ids:
            raise BadConfig(
                "There is nothing to align the connector with: no word is in the replies about some clips that are "
                "heard alone, but not about all. Take `alignment` out of the configuration, or add rows."
            )
        embed = model.backbone.get_input_embeddings()
        embeddings_VH = embed(torch.arange(embed.num_embeddings, device=embed.weight.device)).detach()  # Gemma scales
        self._place = {token: number for number, token in enumerate(self._dictionary.ids)}
        self._mean_H = embeddings_VH.float().mean(0)
        centred_VH = embeddings_VH[list(self._dictionary.ids)].float() - self._mean_H
        self._scale = centred_VH.square().sum(-1).mean().sqrt()
        self._words_VH = centred_VH / self._scale
        self._batches = ClipBatches(config, corpus, seed=seed)

    def run(self) -> Iterator[float]:
        """Train the connector, and yield the loss of each step."""
        parameters = list(self._connector.parameters())
        self._connector.train()
        return optimise(self._config, parameters, lambda: self._compute_loss(self._batches.draw(sorted(self._words))))

    def _compute_loss(self, clips: Sequence[TrainClip]) -> Tensor:
        device = self._mean_H.device
        features = self._batches.load(clips, device)
        with torch.autocast(device.type, torch.bfloat16):
            heard_SQH = self._connector(features)
        centred_SQH = (heard_SQH.float() - self._mean_H) / self._scale
        guess_SQV = (SHARPNESS * centred_SQH @ self._words_VH.T).log_softmax(-1)
        guess_SV = guess_SQV.logsumexp(1) - math.log(guess_SQV.shape[1])
        missed: Tensor = -(self._compute_word_shares(clips).to(device) * guess_SV).sum(-1).mean()
        guessed_SQH = guess_SQV.exp() @ self._words_VH
        far: Tensor = (centred_SQH - guessed_SQH).square().sum(-1).mean()
        return missed + PULL * far

    def _compute_word_shares(self, clips: Sequence[TrainClip]) -> Tensor:
        """Return the target distribution over words for each clip, shape (S, V)."""
        shares_SV = torch.zeros(len(clips), len(self._dictionary.ids))
        for row, clip in enumerate(clips):
            for token in self._words[clip] & self._dictionary.weights.keys():
                shares_SV[row, self._place[token]] = self._dictionary.weights[token]
        return shares_SV / shares_SV.sum(-1, keepdim=True).clamp(min=1e-6)


def collect_words(dataset: Dataset, template: ChatTemplate) -> dict[TrainClip, frozenset[int]]:
    """Collect the reply tokens of each clip that is alone in its prompt, without the tokens of its transcript.

    Where there are replies from metadata, which are short and name things, distilled replies are not used.
    """
    words: dict[TrainClip, set[int]] = defaultdict(set)
    best = "metadata" if any(example.source == "metadata" for example in dataset.examples) else "distilled"
    for example in dataset.examples:
        if len(example.clips) == 1 and example.source == best:
            words[example.clips[0]].update(example.row.reply)
    return {clip: frozenset(tokens - template.collect_tokens(clip.transcript)) for clip, tokens in words.items()}


def build_vocabulary(words: Iterable[frozenset[int]]) -> AlignmentVocabulary:
    """Build the vocabulary from the words that occur for more than one clip, but not for all."""
    everyone = list(words)
    counts = Counter(token for tokens in everyone for token in tokens)
    kept = sorted(token for token, count in counts.items() if MIN_CLIPS <= count < len(everyone))
    return AlignmentVocabulary(tuple(kept), {token: math.log(len(everyone) / counts[token]) for token in kept})
