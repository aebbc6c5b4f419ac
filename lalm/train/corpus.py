"""Corpus of a run: tokenised rows, split into training and validation, with features and transcripts of their clips."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from lalm.messages import Conversation, MessageAudio, read_conversations
from lalm.model import parts
from lalm.model.build import LalmComponents
from lalm.model.frames import count_segments
from lalm.model.template import format_evidence, truncate_evidence, truncate_transcript
from lalm.statements import join_transcript
from lalm.train.config import DataConfig, RowSource, TrainConfig
from lalm.train.data import Dataset, TrainClip, split_dataset, tokenise
from lalm.train.features import FeatureStore
from lalm.train.parallel import DataParallelGroup
from services.audio import load as audio
from services.catalog import open_asr, open_captioner
from services.errors import BadAudio, BadConfig
from services.files import find_file
from services.progress import report_stage
from services.settings import read_settings
from services.terminal.display import show_progress
from services.types import SAMPLE_RATE, AudioClip


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rows and features of a run."""

    training: Dataset
    validation: Dataset
    features: FeatureStore


def load_corpus(
    config: TrainConfig, built: LalmComponents, root: Path, group: DataParallelGroup, *, quiet: bool = False
) -> Corpus:
    """Read the rows, encode and transcribe every clip once, and split off the validation set; paths start from `root`.

    Raises:
        BadConfig: a file cannot be read, or no row is left to train on.
    """
    features = open_features(config, built)
    drawn = _read_rows(config.data.files, config.data, root)
    held = _read_rows([RowSource(file=file) for file in config.data.validation_files], config.data, root)
    conversations = [row for row, _ in drawn]
    audios = list(dict.fromkeys(audio for one in (*conversations, *(row for row, _ in held)) for audio in one.audios))
    reader = _ClipReader(config, features, root / config.data.audio_root)
    if not group.is_first:
        group.wait_for_all()  # the first process fills the caches that the others read
    with show_progress(quiet=quiet or not group.is_first):
        clips = asyncio.run(reader.read_clips(audios))
    if group.is_first:
        group.wait_for_all()
    dataset = tokenise(
        conversations,
        built.template,
        clips.__getitem__,
        max_length=config.data.max_length,
        weights=[weight for _, weight in drawn],
    )
    if held:
        validation = tokenise(
            [row for row, _ in held], built.template, clips.__getitem__, max_length=config.data.max_length
        )
        _require_separation(dataset, validation)
        return Corpus(dataset, validation, features)
    _require_training(dataset, config.data)
    training, validation = split_dataset(dataset, config.data.validation, config.seed)
    return Corpus(training, validation, features)


def open_features(config: TrainConfig, built: LalmComponents) -> FeatureStore:
    """Open the cached features of the encoders of a run."""
    revisions = [one.revision or parts.compute_revision(one.source) for one in config.model.list_encoders()]
    dtype = torch.float16 if config.data.features == "float16" else torch.float32
    return FeatureStore(built.encoders, read_settings().home / "features", revisions=revisions, dtype=dtype)


class _DrawnRow(NamedTuple):
    """A row, and how often it is drawn per epoch."""

    row: Conversation
    weight: float


def _read_rows(sources: Sequence[RowSource], config: DataConfig, root: Path) -> list[_DrawnRow]:
    rows = [_DrawnRow(row, one.weight) for one in sources for row in read_conversations(root / one.file)]
    return _select_styles(rows, config)


def _require_separation(training: Dataset, validation: Dataset) -> None:
    """Refuse validation rows about a clip or a recording that is trained on, and a training without rows."""
    if not training.examples:
        raise BadConfig(f"No row of data.files can be trained on: {training.describe_dropped() or 'they are empty'}.")
    trained = {origin for one in training.examples for origin in one.origins}
    if shared := {origin for one in validation.examples for origin in one.origins} & trained:
        paths = {clip.sha256: clip.path for one in validation.examples for clip in one.clips}
        names = sorted(paths.get(origin, origin) for origin in shared)
        raise BadConfig(
            f"data.validation_files has {len(shared)} clips or recordings that data.files has too, such as "
            f"{names[0]!r}: leave them out of one."
        )


def _select_styles(rows: Sequence[_DrawnRow], config: DataConfig) -> list[_DrawnRow]:
    """Return the rows of the chosen styles; raise `BadConfig` with the styles that exist if there are none."""
    wanted = [one for one in rows if not config.styles or one.row.style in config.styles]
    if rows and not wanted:
        found = ", ".join(sorted({one.row.style or "none" for one in rows}))
        raise BadConfig(
            f"None of the {len(rows)} rows has a style of data.styles ({', '.join(config.styles)}); theirs: {found}."
        )
    return wanted


def _require_training(dataset: Dataset, config: DataConfig) -> None:
    """Refuse a validation share that leaves nothing to train on."""
    num_held = round(config.validation * dataset.num_clips)
    if 0 < dataset.num_clips == num_held:
        raise BadConfig(
            f"No row is left to train on: data.validation={config.validation} holds back all clips of the rows that "
            f"can be used, {num_held} of {num_held}. Lower it, or add clips."
        )


class _ClipReader:
    """Encodes, transcribes and captions each clip once; features, transcripts and captions are cached on disk."""

    def __init__(self, config: TrainConfig, features: FeatureStore, audio_root: Path) -> None:
        self._features, self._audio_root = features, audio_root
        model, data = config.model, config.data
        self._shows_words, self._shows_evidence = model.asr is not None, model.captioner is not None
        self._asr = open_asr(model.asr) if model.asr and data.transcripts == "asr" else None
        asks = data.evidence == "captioner"
        self._captioner = open_captioner(model.captioner) if model.captioner and asks else None
        self._needs_silence = data.beside is not None and data.beside.silenced > 0

    async def read_clips(self, audios: Sequence[MessageAudio]) -> dict[MessageAudio, TrainClip | BadAudio]:
        """Return the clip of each audio of the rows, or why it cannot be used."""
        clips = {}
        with report_stage("encode clips", len(audios), "clips") as running:
            for one in audios:
                clips[one] = await self._read_clip(one)
                running.advance()
        return clips

    async def _read_clip(self, one: MessageAudio) -> TrainClip | BadAudio:
        try:
            clip = audio.load(find_file(self._audio_root, one.path))
        except BadAudio as error:
            return error
        self._encode(clip)
        words = await self._read_words(one, clip)
        lines = await self._read_evidence(one, clip)
        silence = self._encode(make_silence(clip)) if self._needs_silence else ""
        return TrainClip(
            path=one.path,
            sha256=clip.sha256,
            num_segments=count_segments(clip),
            transcript=words,
            evidence=lines,
            silence=silence,
        )

    def _encode(self, clip: AudioClip) -> str:
        """Encode a clip that is not cached; return its key."""
        if not self._features.has_features(clip.sha256):
            self._features.encode_once(clip)
        return clip.sha256

    async def _read_words(self, one: MessageAudio, clip: AudioClip) -> str:
        if not self._shows_words:
            return ""
        words = one.text if self._asr is None else join_transcript(await self._asr.transcribe(clip))
        return truncate_transcript(words)

    async def _read_evidence(self, one: MessageAudio, clip: AudioClip) -> tuple[str, ...]:
        if not self._shows_evidence:
            return ()
        if self._captioner is None:
            return truncate_evidence(one.evidence)
        return format_evidence(await self._captioner.caption(clip))


def make_silence(clip: AudioClip) -> AudioClip:
    """Make silence as long as a clip, rounded up to whole seconds, so that few such clips have to be encoded."""
    return AudioClip(np.zeros(math.ceil(clip.duration_s) * SAMPLE_RATE, dtype=np.float32))
