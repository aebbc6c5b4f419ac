"""Corpus of a run: tokenised rows, split into training and validation, with features and transcripts of their clips."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lalm.messages import MessageAudio, read_conversations
from lalm.model import parts
from lalm.model.build import LalmComponents
from lalm.model.frames import count_segments
from lalm.model.template import ChatTemplate, format_evidence, truncate_evidence, truncate_transcript
from lalm.statements import join_transcript
from lalm.train.config import DataConfig, RowSource, TrainConfig
from lalm.train.data import Dataset, TrainClip, split_dataset, tokenise
from lalm.train.features import FeatureStore
from lalm.train.parallel import DataParallelGroup
from lalm.train.streaming import DrawnRow, RowStream, Stretch, list_origins
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
    """All rows, or those of the first buffer."""
    validation: Dataset
    features: FeatureStore
    stream: "StreamedRows | None" = None
    """The other buffers, where not all rows are in memory."""

    @property
    def num_drawn(self) -> float:
        """Rows drawn per epoch, on average."""
        return sum(one.weight for one in self.training.examples) if self.stream is None else self.stream.num_drawn

    def open_part(self, epoch: int, part: int) -> Dataset | None:
        """Return the rows of a part of an epoch; None where it has no such part."""
        if (epoch, part) == (0, 0):
            return self.training
        if self.stream is None:
            return self.training if part == 0 else None
        return self.stream.load(epoch, part)


def load_corpus(
    config: TrainConfig, built: LalmComponents, root: Path, group: DataParallelGroup, *, quiet: bool = False
) -> Corpus:
    """Read the rows, encode and transcribe every clip once, and split off the validation set; paths start from `root`.

    Raises:
        BadConfig: a file cannot be read, or no row is left to train on.
    """
    features = open_features(config, built)
    loader = _DatasetLoader(config, built.template, features, root, group)
    held = _read_rows([RowSource(file=file) for file in config.data.validation_files], config.data, root)
    with show_progress(quiet=quiet or not group.is_first):
        validation = loader.load(held)
        if config.data.buffer:
            origins = frozenset(origin for one in held for origin in list_origins(one.row))
            rows = RowStream(config.data, config.data.buffer, root, seed=config.seed, held=origins)
            stream = StreamedRows(rows, loader, validation, group)
            corpus = Corpus(stream.load_first(), validation, features, stream)
        else:
            corpus = _split(loader.load(_read_rows(config.data.files, config.data, root)), validation, features, config)
    if 0 < corpus.num_drawn < 1:
        raise BadConfig(
            f"The weights in data.files add up to {corpus.num_drawn:g} rows per epoch: at least 1 is needed."
        )
    return corpus


def _split(dataset: Dataset, validation: Dataset, features: FeatureStore, config: TrainConfig) -> Corpus:
    """Return a corpus of rows that are all in memory, with the validation rows of their files or held back."""
    if config.data.validation_files:
        _require_rows(dataset)
        _require_separation(dataset, validation)
        return Corpus(dataset, validation, features)
    _require_training(dataset, config.data)
    return Corpus(*split_dataset(dataset, config.data.validation, config.seed), features)


class _DatasetLoader:
    """Encodes the clips of rows, and tokenises the rows."""

    def __init__(
        self,
        config: TrainConfig,
        template: ChatTemplate,
        features: FeatureStore,
        root: Path,
        group: DataParallelGroup,
    ) -> None:
        self._max_length, self._template, self._group = config.data.max_length, template, group
        self._reader = _ClipReader(config, features, root / config.data.audio_root)

    def load(self, rows: Sequence[DrawnRow]) -> Dataset:
        """Load rows, with the features of their clips on disk; every process has to load the same ones."""
        audios = list(dict.fromkeys(audio for one in rows for audio in one.row.audios))
        if not self._group.is_first:
            self._group.wait_for_all()  # the first process fills the caches that the others read
        clips = asyncio.run(self._reader.read_clips(audios))
        if self._group.is_first:
            self._group.wait_for_all()
        return tokenise(
            [one.row for one in rows],
            self._template,
            clips.__getitem__,
            max_length=self._max_length,
            weights=[one.weight for one in rows],
        )


class StreamedRows:
    """Datasets of the buffers of a stream; what is dropped of each is printed in the first epoch.

    Args:
        rows: the stream.
        loader: makes a dataset of rows.
        validation: rows that share no clip or recording with any buffer.
        group: the processes of the run, all of which load the same buffers.
    """

    def __init__(self, rows: RowStream, loader: _DatasetLoader, validation: Dataset, group: DataParallelGroup) -> None:
        self._rows, self._loader, self._validation, self._group = rows, loader, validation, group
        self.num_rows, self.num_drawn = rows.num_rows, rows.num_drawn

    def load_first(self) -> Dataset:
        """Load the first buffer of the first epoch; raise `BadConfig` if it holds no row to train on."""
        dataset = self._read(self._rows.list_buffers(0)[0])
        _require_rows(dataset)
        return dataset

    def load(self, epoch: int, part: int) -> Dataset | None:
        """Load a buffer; None where the epoch has no such buffer."""
        buffers = self._rows.list_buffers(epoch)
        if part >= len(buffers):
            return None
        dataset = self._read(buffers[part])
        if epoch == 0 and dataset.dropped and self._group.is_first:
            what = f"buffer {part + 1} of {len(buffers)}; dropped: {dataset.describe_dropped()}"
            print(f"Rows       {what}", flush=True)  # noqa: T201 - command-line output
        return dataset

    def _read(self, buffer: Sequence[Stretch]) -> Dataset:
        dataset = self._loader.load(self._rows.read(buffer))
        _require_separation(dataset, self._validation)
        return dataset


def open_features(config: TrainConfig, built: LalmComponents) -> FeatureStore:
    """Open the cached features of the encoders of a run."""
    revisions = [one.revision or parts.compute_revision(one.source) for one in config.model.list_encoders()]
    dtype = torch.float16 if config.data.features == "float16" else torch.float32
    return FeatureStore(built.encoders, read_settings().home / "features", revisions=revisions, dtype=dtype)


def _read_rows(sources: Sequence[RowSource], config: DataConfig, root: Path) -> list[DrawnRow]:
    rows = [DrawnRow(row, one.weight) for one in sources for row in read_conversations(root / one.file)]
    return _select_styles(rows, config)


def _require_rows(training: Dataset) -> None:
    """Refuse a training without rows."""
    if not training.examples:
        raise BadConfig(f"No row of data.files can be trained on: {training.describe_dropped() or 'they are empty'}.")


def _require_separation(training: Dataset, validation: Dataset) -> None:
    """Refuse validation rows about a clip or a recording that is trained on."""
    trained = {origin for one in training.examples for origin in one.origins}
    if shared := {origin for one in validation.examples for origin in one.origins} & trained:
        paths = {clip.sha256: clip.path for one in validation.examples for clip in one.clips}
        names = sorted(paths.get(origin, origin) for origin in shared)
        raise BadConfig(
            f"data.validation_files has {len(shared)} clips or recordings that data.files has too, such as "
            f"{names[0]!r}: leave them out of one."
        )


def _select_styles(rows: Sequence[DrawnRow], config: DataConfig) -> list[DrawnRow]:
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
