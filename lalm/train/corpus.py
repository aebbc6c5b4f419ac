"""Corpus of a run: tokenised rows, split into training and validation, with features and transcripts of their clips."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lalm.messages import Conversation, MessageAudio, read_conversations
from lalm.model import parts
from lalm.model.build import LalmComponents
from lalm.model.encoder import count_segments
from lalm.model.template import join_transcript, truncate_transcript
from lalm.train.config import DataConfig, TrainConfig
from lalm.train.data import Dataset, TrainClip, split_dataset, tokenise
from lalm.train.features import FeatureStore
from lalm.train.parallel import DataParallelGroup
from services.audio import load as audio
from services.catalog import open_asr
from services.errors import BadAudio, BadConfig
from services.files import find_file
from services.progress import stage
from services.protocols import ASR
from services.settings import settings
from services.terminal.display import show_progress


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
    revision = parts.compute_revision(config.model.encoder)
    features = FeatureStore(built.encoder, settings().home / "features", revision=revision)
    conversations = _read_rows(config.data.files, config.data, root)
    held = _read_rows(config.data.validation_files, config.data, root)
    audios = list({audio.path: audio for one in (*conversations, *held) for audio in one.audios}.values())
    listener = _ClipReader(config, features, root / config.data.audio_root)
    if not group.is_first:
        group.barrier()  # the first process fills the caches that the others read
    with show_progress(quiet=quiet or not group.is_first):
        clips = asyncio.run(listener.read_clips(audios))
    if group.is_first:
        group.barrier()
    dataset = tokenise(conversations, built.template, clips.get, max_length=config.data.max_length)
    if held:
        validation = tokenise(held, built.template, clips.get, max_length=config.data.max_length)
        _require_separation(dataset, validation)
        return Corpus(dataset, validation, features)
    _require_training(dataset, config.data)
    training, validation = split_dataset(dataset, config.data.validation, config.seed)
    return Corpus(training, validation, features)


def _read_rows(files: Sequence[Path], config: DataConfig, root: Path) -> list[Conversation]:
    return _select_styles([one for file in files for one in read_conversations(root / file)], config)


def _require_separation(training: Dataset, validation: Dataset) -> None:
    """Refuse validation rows about a clip or a recording that is trained on, and a training without rows."""
    if not training.examples:
        raise BadConfig(f"No row of data.files can be trained on ({dict(training.dropped)}).")
    trained = {origin for one in training.examples for origin in one.origins}
    if shared := sorted({origin for one in validation.examples for origin in one.origins} & trained):
        raise BadConfig(
            f"data.validation_files has {len(shared)} clips or recordings that data.files has too, such as "
            f"{shared[0]!r}: leave them out of one."
        )


def _select_styles(rows: Sequence[Conversation], config: DataConfig) -> list[Conversation]:
    """Return the rows of the chosen styles; raise `BadConfig` with the styles that exist if there are none."""
    wanted = [one for one in rows if not config.styles or one.style in config.styles]
    if rows and not wanted:
        found = ", ".join(sorted({one.style or "none" for one in rows}))
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
    """Encodes and transcribes each clip once; features are cached on disk."""

    def __init__(self, config: TrainConfig, features: FeatureStore, audio_root: Path) -> None:
        self._features, self._audio_root = features, audio_root
        self._asr: ASR | None = None
        self._shows_words = config.model.asr is not None
        if config.model.asr is not None and config.data.transcripts == "asr":
            self._asr = open_asr(config.model.asr)

    async def read_clips(self, audios: Sequence[MessageAudio]) -> dict[str, TrainClip]:
        """Return the usable clips by their path in the rows; unreadable ones are left out."""
        clips = {}
        with stage("encode clips", len(audios), "clips") as running:
            for one in audios:
                if (clip := await self._read_clip(one)) is not None:
                    clips[one.path] = clip
                running.advance()
        return clips

    async def _read_clip(self, one: MessageAudio) -> TrainClip | None:
        try:
            clip = audio.load(find_file(self._audio_root, one.path))
        except BadAudio:
            return None
        if not self._features.has_features(clip.sha256):
            self._features.encode_once(clip)
        words = one.text
        if self._asr is not None:
            words = join_transcript(await self._asr.transcribe(clip))
        return TrainClip(
            one.path, clip.sha256, count_segments(clip), truncate_transcript(words) if self._shows_words else ""
        )
