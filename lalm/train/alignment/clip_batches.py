"""Training batches and optimisation loop of both alignments of the connector: random crops of clips."""

import random
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from lalm.model.frames import AudioFeatures, EncodedSegment, pad_segments
from lalm.train.config import AlignmentConfig, ScheduleConfig
from lalm.train.corpus import Corpus
from lalm.train.data import TrainClip
from lalm.train.trainer import compute_learning_rate

CLIP_NORM = 1.0


class ClipBatches:
    """Draws clips, and loads a random crop of each.

    Args:
        config: clips of a step and frames of a crop.
        corpus: features.
        seed: of clips and crops.
    """

    def __init__(self, config: AlignmentConfig, corpus: Corpus, *, seed: int) -> None:
        self._config, self._features = config, corpus.features
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def draw(self, clips: Sequence[TrainClip]) -> list[TrainClip]:
        """Draw the clips of a step."""
        return self._random.sample(clips, min(self._config.clips, len(clips)))

    def load(self, clips: Sequence[TrainClip], device: torch.device) -> AudioFeatures:
        """Load a random crop of each clip."""
        segments = [self.crop(self._features.load(clip.sha256)) for clip in clips]
        return pad_segments([tuple(part.to(device) for part in segment) for segment in segments])

    def crop(self, segments: Sequence[EncodedSegment]) -> EncodedSegment:
        """Crop a random window of `config.frames` frames of the first encoder from a random segment."""
        segment = segments[0] if len(segments) == 1 else self._random.choice(segments)
        length = segment[0].shape[1]
        spare = length - self._config.frames
        start = self._random.randint(0, spare) if spare > 0 else 0
        return tuple(crop_frames(part, start / length, (start + self._config.frames) / length) for part in segment)


def optimise(
    config: ScheduleConfig, parameters: Sequence[nn.Parameter], compute_loss: Callable[[], Tensor]
) -> Iterator[float]:
    """Run the optimisation steps of an alignment, and yield the loss of each."""
    optimizer = AdamW(parameters, weight_decay=config.weight_decay)
    for step in range(config.num_steps):
        rate = compute_learning_rate(config.learning_rate, step, config.warmup_steps, config.num_steps)
        for settings in optimizer.param_groups:
            settings["lr"] = rate
        loss = compute_loss()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        yield loss.item()


def crop_frames(frames_KTD: Tensor, start: float, end: float) -> Tensor:
    """Crop frames between two fractions of their length, to at least one frame; shape (K, T, D)."""
    length = frames_KTD.shape[1]
    first = min(round(start * length), length - 1)
    return frames_KTD[:, first : max(first + 1, round(end * length))]
