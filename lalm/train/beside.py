"""Modality dropout: in each epoch a clip is shown with all, some or another clip's text beside it, or is silenced.

The model thereby learns to answer from the audio alone and from the text alone, and to doubt text that does not fit the
audio. The draw depends only on the seed, the epoch and the clip.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lalm.model.packing import PackedRow
from lalm.model.template import ChatTemplate
from lalm.train.config import BesideConfig
from lalm.train.data import Dataset, ShownRows, TrainClip, TrainExample

Vary: TypeAlias = Callable[[TrainClip], TrainClip]


class BesideText:
    """Draws the text beside the clips of a training; a call returns rows about the same clips as they are shown.

    Args:
        shares: relative frequency of each variant.
        dataset: the training rows, whose clips may exchange their text.
        template: of the backbone.
        seed: of the draws.
    """

    def __init__(self, shares: BesideConfig, dataset: Dataset, template: ChatTemplate, *, seed: int) -> None:
        self._shares: dict[str, float] = shares.model_dump()
        self._template, self._seed = template, seed
        clips = {clip.sha256: clip for example in dataset.examples for clip in example.clips}
        self._clips = [clips[sha256] for sha256 in sorted(clips)]

    def __call__(self, examples: Sequence[TrainExample], epoch: int, part: int) -> ShownRows:
        """Return rows as they are shown in an epoch; those of one part share the draw, and thus a common prefix."""
        clips = self.vary(examples[0].clips, epoch=epoch, part=part)
        shown = [clip.in_prompt for clip in clips]
        rows = (PackedRow(self._template.join_prompt(one.pieces, shown), one.row.reply) for one in examples)
        return ShownRows(tuple(rows), clips)

    def vary(self, clips: Sequence[TrainClip], *, epoch: int, part: int) -> tuple[TrainClip, ...]:
        """Return the clips of a prompt as they are shown in a part of an epoch."""
        key = f"{self._seed} beside {epoch} {part} {' '.join(clip.sha256 for clip in clips)}"
        rng = random.Random(key)  # noqa: S311 - no secret
        (name,) = rng.choices(list(self._shares), list(self._shares.values()))
        if name == "other":
            return tuple(self._exchange(clip, rng) for clip in clips)
        return tuple(VARIANTS[name](clip) for clip in clips)

    def _exchange(self, clip: TrainClip, rng: random.Random) -> TrainClip:
        """Return a clip with the text of another clip; without text where there is no other."""
        drawn = rng.sample(self._clips, min(2, len(self._clips)))
        others = [one for one in drawn if one.sha256 != clip.sha256]
        if not others:
            return VARIANTS["nothing"](clip)
        return clip._replace(transcript=others[0].transcript, evidence=others[0].evidence)


VARIANTS: Mapping[str, Vary] = {
    "nothing": lambda clip: clip._replace(transcript="", evidence=()),
    "transcript": lambda clip: clip._replace(evidence=()),
    "evidence": lambda clip: clip._replace(transcript=""),
    "both": lambda clip: clip,
    "silenced": lambda clip: clip._replace(sha256=clip.silence),
}
