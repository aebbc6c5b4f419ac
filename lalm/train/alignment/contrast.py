"""Contrastive alignment (stage 2a): the audio embeddings of a clip against the names of what is heard in it (InfoNCE).

The mean audio embedding of a clip and the mean input embedding of a name's tokens are compared by their cosine, divided
by a learnt temperature, as in CLIP (arXiv:2103.00020) and CLAP (arXiv:2206.04769). The negatives are all other names:
of the rows, and of YAMNet's 521 classes in plain words, so that names without a training clip are separated too.
No forward pass through the backbone is needed.
"""

# Shape suffixes: S segments, one of each clip, Q queries, H backbone width, B names of the bank

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lalm.model.model import AudioLanguageModel
from lalm.model.name_space import NameSpace
from lalm.model.template import ChatTemplate
from lalm.train.alignment.clip_batches import ClipBatches, optimise
from lalm.train.config import AlignmentConfig
from lalm.train.corpus import Corpus
from lalm.train.data import Dataset, TrainClip
from services.captioners.sounds.tags import map_phrases
from services.captioners.sounds.yamnet import read_class_names
from services.errors import BadConfig
from services.weights import store as weights

TEMPERATURE = 0.07  # at the start, as in CLIP
MAX_SCALE = 100.0  # of the cosine: the temperature stays above 0.01
PULL = 0.1  # weight of the squared logarithm of the ratio of the lengths of an audio embedding and a name


class ContrastiveAligner:
    """Aligns the connector of a model with the names of what is heard, in its backbone's input embeddings.

    Args:
        config: steps, batch size, learning rate.
        model: its connector is trained; its backbone provides the input embeddings.
        corpus: rows with labels, and features.
        template: of the backbone.
        seed: of crops and order.
        known: names beside those of the rows.

    Raises:
        BadConfig: no row has labels.
    """

    name, log = "contrast the connector", "contrast.txt"

    def __init__(
        self,
        config: AlignmentConfig,
        model: AudioLanguageModel,
        corpus: Corpus,
        template: ChatTemplate,
        *,
        seed: int,
        known: Sequence[str] = (),
    ) -> None:
        self._config, self.num_steps = config, config.num_steps
        self._connector = model.connector
        self._labels = collect_labels(corpus.training)
        if not self._labels:
            raise BadConfig(
                "There is nothing to contrast the connector with: no row about one clip has `labels`. Write the rows "
                "again (`python -m lalm.synthesise`, `python -m lalm.distill`), or take `contrast` out."
            )
        bank = sorted({*known, *(name for names in self._labels.values() for name in names)})
        self._place = {name: number for number, name in enumerate(bank)}
        space = NameSpace(model.backbone.get_input_embeddings(), template)
        self._mean_H = space.origin_H
        names_BH = space.embed_names(bank)
        self._length = names_BH.norm(dim=-1).mean()
        self._names_BH = F.normalize(names_BH, dim=-1)
        self._log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE), device=self._mean_H.device))
        self._batches = ClipBatches(config, corpus, seed=seed)

    @property
    def temperature(self) -> float:
        """The learnt temperature."""
        return math.exp(-self._log_scale.item())

    def run(self) -> Iterator[float]:
        """Train the connector and the temperature, and yield the loss of each step."""
        self._connector.train()
        parameters = [*self._connector.parameters(), self._log_scale]
        clips = sorted(self._labels)
        return optimise(self._config, parameters, lambda: self._compute_loss(self._batches.draw(clips)))

    def _compute_loss(self, clips: Sequence[TrainClip]) -> Tensor:
        device = self._mean_H.device
        with torch.autocast(device.type, torch.bfloat16):
            heard_SQH = self._connector(self._batches.load(clips, device))
        audio_SH = heard_SQH.float().mean(1) - self._mean_H
        scale = self._log_scale.exp().clamp(max=MAX_SCALE)
        logits_SB = scale * F.normalize(audio_SH, dim=-1) @ self._names_BH.T
        heard_SB = self._mark_labels(clips).to(device)
        is_named_B = heard_SB.any(0)
        by_clip, by_name = logits_SB, logits_SB.T[is_named_B]
        missed = compute_info_nce(by_clip, heard_SB) + compute_info_nce(by_name, heard_SB.T[is_named_B])
        off: Tensor = (audio_SH.norm(dim=-1) / self._length).log().square().mean()
        return missed / 2 + PULL * off

    def _mark_labels(self, clips: Sequence[TrainClip]) -> Tensor:
        """Mark the names of each clip, shape (S, B), bool."""
        heard_SB = torch.zeros(len(clips), len(self._place), dtype=torch.bool)
        for row, clip in enumerate(clips):
            heard_SB[row, [self._place[name] for name in self._labels[clip]]] = True
        return heard_SB


def compute_info_nce(logits: Tensor, is_match: Tensor) -> Tensor:
    """Compute InfoNCE (arXiv:1807.03748) over the last dimension, averaged over the matches of each row."""
    logprobs = logits.log_softmax(-1)
    per_row: Tensor = (logprobs * is_match).sum(-1) / is_match.sum(-1)
    return -per_row.mean()


def collect_labels(dataset: Dataset) -> Mapping[TrainClip, frozenset[str]]:
    """Collect the names of what is heard in each clip that is alone in its prompt, in lower case."""
    labels: dict[TrainClip, set[str]] = defaultdict(set)
    for example in dataset.examples:
        if len(example.clips) == 1 and example.labels:
            labels[example.clips[0]].update(name.strip().lower() for name in example.labels)
    return {clip: frozenset(names) for clip, names in labels.items()}


def list_known_sounds() -> tuple[str, ...]:
    """List YAMNet's classes in plain words."""
    return tuple(map_phrases(read_class_names(weights.ensure_folder("yamnet"))))
