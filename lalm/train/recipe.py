"""Training recipe (stage 2): from a configuration to a run folder, in the order in which a training happens.

What the run folder holds is listed in `lalm/train/checkpoint.py` and `lalm/train/run_folder.py`.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError

from lalm.model import parts
from lalm.model.backbone_check import check_backbone
from lalm.model.build import LalmComponents, build
from lalm.model.config import EncoderConfig
from lalm.train import checkpoint, run_files, run_folder
from lalm.train.alignment.bag_of_words import Aligner
from lalm.train.alignment.contrast import ContrastiveAligner, list_known_sounds
from lalm.train.beside import BesideText
from lalm.train.config import DeviceName, TrainConfig
from lalm.train.corpus import Corpus, load_corpus
from lalm.train.data import Sampler, show_whole
from lalm.train.measure import Meter, describe_run
from lalm.train.parallel import DataParallelGroup, join_processes
from lalm.train.steps import BEGINNING, StepFeed, StepPlace
from lalm.train.trainer import Trainer
from services.catalog import ASRS, CAPTIONERS, pick
from services.errors import BadConfig
from services.progress import report_stage
from services.telemetry.trackers import TrackerName
from services.terminal.display import show_progress
from services.weights import store as weights

CALIBRATION_STRIDE = 5  # every fifth frame is enough for mean and deviation


class TrainOptions(NamedTuple):
    """Options of a training that do not change its result."""

    dry_run: bool = False
    """Print parameters, memory and time of a step, and stop."""
    quiet: bool = False
    """Show no progress on stderr."""
    device: DeviceName = "auto"
    trackers: tuple[TrackerName, ...] = ()
    """Trackers that the metrics are logged to besides TensorBoard."""


def train(config: TrainConfig, root: Path, folder: Path, options: TrainOptions) -> None:
    """Run or resume the training that `config` describes; paths in it are relative to `root`.

    Args:
        config: of the run.
        root: folder of the configuration file.
        folder: run folder; created, or resumed.
        options: do not change the result.

    Raises:
        BadConfig: the configuration, the data or the run folder cannot be used.
        ModelError: a part cannot be loaded, the backbone does not take packed rows, or the loss is not finite.
    """
    config, quiet = resolve_sources(config, root), options.quiet
    with join_processes(options.device) as group, ExitStack() as held:
        # 1. Check the configuration and the run folder
        check_config(config, group)
        writes = group.is_first and not options.dry_run
        rows = run_folder.read_row_files(config, root)
        begins = writes and run_folder.prepare_folder(folder)
        if writes and not begins:
            held.enter_context(run_folder.lock_run(folder, config, rows))
        # 2. Build the model: load frozen parts, initialise trained parts from the seed
        torch.manual_seed(config.seed)
        built = build(config.model, group.device)
        if config.shard_backbone:
            group.shard(built.model.backbone)
        check_backbone(built.model, config.model.backbone)
        # 3. Load the data: tokenised rows, cached features
        corpus = load_corpus(config, built, root, group, quiet=quiet)
        feed = make_feed(config, built, corpus)
        # 4. Measure one step, and print what the run will take
        trainer, first = Trainer(config, built.model, corpus, group), next(feed.draw_steps())
        trial = trainer.measure_step(first)
        if group.is_first:
            print(describe_run(built, corpus, trial, config), flush=True)  # noqa: T201 - command-line output
        is_begun = (folder / run_files.RESUME).is_file()
        aligners = [] if is_begun else prepare_start(config, built, corpus, root)
        if options.dry_run:
            return
        # 5. Resume from the last checkpoint, or initialise the connector
        if begins:  # only now, so that a run that cannot start leaves nothing behind
            held.enter_context(run_folder.lock_run(folder, config, rows))
        if is_begun:
            place = resume(trainer, folder, group)
        else:
            place = BEGINNING
            calibrate(config, built, corpus)
            for aligner in aligners:
                align(aligner, folder, group, quiet=quiet)
            synchronise_weights(built, config.seed, group)
            checkpoint.save(place, trainer.model, trainer.optimizer, folder, group)
        # 6. Train
        metrics = folder / run_files.METRICS
        with Meter(metrics, config, built, group, done=place.num_done, trackers=options.trackers) as meter:
            for now in take_steps(config, trainer, feed, place, meter):
                checkpoint.save(now, trainer.model, trainer.optimizer, folder, group)


def take_steps(
    config: TrainConfig, trainer: Trainer, feed: StepFeed, place: StepPlace, meter: Meter
) -> Iterator[StepPlace]:
    """Take the steps that are left from a place in the rows.

    Yields:
        The place of each checkpoint, every `save_every` steps and after the last, when its validation is noted.
    """
    left = range(place.num_done, config.optimizer.num_steps)
    for step, packs in zip(left, feed.draw_steps(place), strict=False):
        meter.add_step(trainer.step(step, packs))
        if (step + 1) % config.save_every == 0 or step + 1 == config.optimizer.num_steps:
            meter.add_validation(step, trainer.compute_validation_loss())
            yield feed.locate(step + 1)


def make_feed(config: TrainConfig, built: LalmComponents, corpus: Corpus) -> StepFeed:
    """Make the feed of the training rows, with modality dropout if the configuration has it."""
    shares, seed, num_queries = config.data.beside, config.seed, config.model.connector.num_queries

    def open_part(epoch: int, part: int) -> Sampler | None:
        dataset = corpus.open_part(epoch, part)
        if dataset is None:
            return None
        show = BesideText(shares, dataset, built.template, seed=seed) if shares else show_whole
        return Sampler(dataset, config.batch, num_queries=num_queries, seed=seed, show=show)

    return StepFeed(open_part, config.batch.sequences_per_step)


def resolve_sources(config: TrainConfig, root: Path) -> TrainConfig:
    """Make the folders of the frozen parts absolute, and fill in the revisions of the listed encoders.

    The run can then be opened from anywhere, and only with the encoders that it was trained with.
    """
    model = config.model
    found = {
        "encoder": None if model.encoder is None else _resolve_source(model.encoder, root),
        "encoders": resolve_encoders(model.encoders, root),
        "backbone": _resolve_source(model.backbone, root),
    }
    return config.model_copy(update={"model": model.model_copy(update=found)})


def resolve_encoders(encoders: Sequence[EncoderConfig], root: Path) -> tuple[EncoderConfig, ...]:
    """Make the folders of encoders absolute, and fill in missing revisions."""
    found = [one.model_copy(update={"source": _resolve_source(one.source, root)}) for one in encoders]
    return tuple(
        one if one.revision else one.model_copy(update={"revision": parts.compute_revision(one.source)})
        for one in found
    )


def _resolve_source(source: str, root: Path) -> str:
    """Return the absolute path of a folder; return any other name unchanged."""
    is_folder = source not in weights.list_weights() and not Path(source).is_absolute() and (root / source).is_dir()
    return str((root / source).resolve()) if is_folder else source


def check_config(config: TrainConfig, group: DataParallelGroup) -> None:
    """Refuse an unknown ASR or captioner, and more processes than packed sequences in a step."""
    if config.model.asr is not None:
        pick(ASRS, "ASR", config.model.asr)
    if config.model.captioner is not None:
        pick(CAPTIONERS, "captioner", config.model.captioner)
    if group.world_size > config.batch.sequences_per_step:
        raise BadConfig(
            f"{group.world_size} processes share the batch.sequences_per_step={config.batch.sequences_per_step} packed "
            "sequences of a step: raise it to a multiple of the processes, or start fewer."
        )


def resume(trainer: Trainer, folder: Path, group: DataParallelGroup) -> StepPlace:
    """Resume from the last checkpoint; return the place of the next step."""
    try:
        return checkpoint.resume(trainer.model, trainer.optimizer, folder, group)
    except (OSError, SafetensorError, KeyError) as error:
        raise BadConfig(
            f"'{folder / run_files.RESUME}' is not a complete checkpoint ({str(error).splitlines()[0]}): remove it to "
            f"restart the run, or begin another with `start_from: {folder}`."
        ) from error


def prepare_start(
    config: TrainConfig, built: LalmComponents, corpus: Corpus, root: Path
) -> list[ContrastiveAligner | Aligner]:
    """Load the weights of another run, or return the alignments that are to run; nothing is trained yet.

    Raises:
        BadConfig: there are no such weights, or the rows hold nothing to align with.
    """
    if config.start_from:
        checkpoint.load_weights(built.model, root / config.start_from)
        return []
    torch.manual_seed(config.seed)
    aligners: list[ContrastiveAligner | Aligner] = []
    parts_of_run = (built.model, corpus, built.template)
    if config.contrast is not None:
        known = list_known_sounds()
        aligners.append(ContrastiveAligner(config.contrast, *parts_of_run, seed=config.seed, known=known))
    if config.alignment is not None:
        aligners.append(Aligner(config.alignment, *parts_of_run, seed=config.seed))
    return aligners


def calibrate(config: TrainConfig, built: LalmComponents, corpus: Corpus) -> None:
    """Set mean and deviation of what the connector hears from the clips of the training; other weights bring theirs."""
    if config.start_from:
        return
    heard = sorted({clip.sha256 for example in corpus.training.examples for clip in example.clips})
    built.model.connector.calibrate(
        tuple(part[:, ::CALIBRATION_STRIDE] for part in segment)
        for sha256 in heard
        for segment in corpus.features.load(sha256)
    )


def align(aligner: ContrastiveAligner | Aligner, folder: Path, group: DataParallelGroup, *, quiet: bool) -> None:
    """Run an alignment, identically in every process, and write its losses."""
    with (
        show_progress(quiet=quiet or not group.is_first),
        (folder / aligner.log if group.is_first else Path(os.devnull)).open("w") as file,
        report_stage(aligner.name, aligner.num_steps, "steps") as running,
    ):
        for loss in aligner.run():
            file.write(f"{loss:.4f}\n")
            running.advance()


def synchronise_weights(built: LalmComponents, seed: int, group: DataParallelGroup) -> None:
    """Give all processes the same weights, and each its own dropout seed."""
    for value in built.model.list_checkpoint_tensors().values():
        group.broadcast(value)  # GPUs may sum in different orders
    torch.manual_seed(seed + group.rank)
