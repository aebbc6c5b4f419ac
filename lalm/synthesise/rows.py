"""Rows about synthesised clips: for each clip some of its questions, those that any clip answers less often."""

import random
from collections.abc import Sequence

from lalm.distill.metadata import Metadata
from lalm.distill.targets import TargetWriter
from lalm.messages import Conversation
from lalm.synthesise.config import SynthesiseConfig

PLAIN = frozenset(
    {"describe", "domain", "english_accent", "gender", "has_drums", "music_present", "speech_present", "vocals"}
)
SHARE_OF_PLAIN = 0.15  # of their usual chance: many clips answer them, and often alike


def write_rows(clips: Sequence[Metadata], config: SynthesiseConfig) -> list[Conversation]:
    """Write the rows about clips of one side of the split; wrong answers come from these clips too."""
    writer = TargetWriter(clips)
    rows: list[Conversation] = []
    for clip in clips:
        rng = random.Random(f"{config.seed} rows {clip.id}")  # noqa: S311 - no secret
        rows += _choose_rows(writer.write_rows(clip, rng), config.rows_per_clip, rng)
    return rows


def _choose_rows(written: Sequence[Conversation], count: int, rng: random.Random) -> list[Conversation]:
    """Choose rows about different facts of a clip, as far as there are so many."""
    chosen: dict[str, Conversation] = {}
    for one in rng.sample(written, len(written)):
        chosen.setdefault(one.question_kind, one)
    weights = {kind: rng.random() ** (1 / (SHARE_OF_PLAIN if kind in PLAIN else 1.0)) for kind in chosen}
    return [chosen[kind] for kind in sorted(chosen, key=weights.__getitem__, reverse=True)[:count]]
