"""Named clips: the labels of each clip of a set of rows, and the pooled features that a naming head reads."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from lalm.messages import Conversation, read_conversations
from lalm.model.naming_head import pool_over_time
from lalm.naming.config import RowFolder
from lalm.train.features import FeatureStore
from services.audio import load as audio
from services.errors import BadAudio, BadConfig
from services.files import find_file
from services.progress import report_stage


class LocatedRow(NamedTuple):
    """A row about one clip, and the file of the clip."""

    row: Conversation
    clip: Path


class NamedClips(NamedTuple):
    """Clips with the names of their sounds."""

    pooled_CP: Tensor
    """Statistics of the features of each clip (`lalm/model/naming_head.py`)."""
    labels: tuple[frozenset[str], ...]
    """Names of what is heard in each clip, in lower case."""
    num_unread: int
    """Unreadable clips, which were left out."""


def read_rows(folders: Sequence[RowFolder], root: Path) -> list[LocatedRow]:
    """Read the rows about one clip each; paths start from `root`."""
    return [
        LocatedRow(row, root / one.audio_root / row.audio_paths[0])
        for one in folders
        for row in read_conversations(root / one.file)
        if len(row.audio_paths) == 1
    ]


def drop_shared_recordings(rows: Sequence[LocatedRow], held: Sequence[LocatedRow]) -> list[LocatedRow]:
    """Drop rows that share a clip or a recording with held-back rows."""
    kept_apart = {origin for one in held for origin in (*one.row.recordings, one.clip)}
    return [one for one in rows if kept_apart.isdisjoint((*one.row.recordings, one.clip))]


def collect_labels(rows: Sequence[LocatedRow]) -> Mapping[Path, frozenset[str]]:
    """Collect the names of what is heard in each clip that has some, in lower case."""
    labels: dict[Path, frozenset[str]] = {}
    for one in rows:
        if names := frozenset(name.strip().lower() for name in one.row.labels):
            labels[one.clip] = labels.get(one.clip, frozenset()) | names
    return labels


def pool_clips(labels: Mapping[Path, frozenset[str]], features: FeatureStore, *, seed: int) -> NamedClips:
    """Encode each clip once, and pool one segment of it; unreadable clips are left out.

    Raises:
        BadConfig: no clip has a name, or none can be read.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    pooled, names = [], []
    with report_stage("encode clips", len(labels), "clips") as running:
        for path, heard in sorted(labels.items()):
            running.advance()
            try:
                clip = audio.load(find_file(path.parent, path.name))
            except BadAudio:
                continue
            pooled.append(pool_over_time(rng.choice(features.encode_once(clip))))
            names.append(heard)
    if not pooled:
        raise BadConfig(
            "There is nothing to name: no row about one clip has `labels`, or no clip can be read. Write the rows "
            "again (`python -m lalm.synthesise`, `python -m lalm.distill`)."
        )
    return NamedClips(torch.stack(pooled), tuple(names), num_unread=len(labels) - len(names))
