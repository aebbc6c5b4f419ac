"""Stage 2: train the connector (and LoRA) so that the frozen backbone answers from sound.

    python -m lalm.train lalm/configs/tiny.yaml runs/tiny            # trains; the same command goes on where it stopped
    python -m lalm.train lalm/configs/tiny.yaml runs/tiny --dry-run  # parameters, memory and time, then stops
    torchrun --nproc-per-node 2 -m lalm.train CONFIG RUN             # data-parallel: the same loss

What the run folder holds is listed in `lalm/train/checkpoint.py` and `lalm/train/run_folder.py`.
"""

import argparse
import os
import sys
from contextlib import ExitStack
from itertools import chain, islice
from json import JSONDecodeError
from pathlib import Path

import torch
from rich.progress import track
from safetensors import SafetensorError

from lalm.model.build import LalmComponents, build
from lalm.train import checkpoint, run_folder
from lalm.train.alignment import Aligner
from lalm.train.config import TrainConfig
from lalm.train.corpus import Corpus, load_corpus
from lalm.train.data import Sampler
from lalm.train.measure import Meter, describe_run
from lalm.train.parallel import DataParallelGroup, join_processes
from lalm.train.trainer import Trainer
from services.catalog import ASRS, pick
from services.command import INTERRUPTED, run
from services.errors import BadConfig
from services.weights import store as weights
from services.yaml_file import read_config

CALIBRATION_STRIDE = 5  # frames between two that mean and deviation are taken from


def train(config: TrainConfig, root: Path, folder: Path, *, dry_run: bool = False) -> None:
    """Run, or go on with, the training that `config` describes; paths in it start from `root`."""
    config = resolve_sources(config, root)
    with join_processes() as group, ExitStack() as held:
        # 1. What is wrong with the configuration, or with the folder of a run that is to go on
        check_config(config, group)
        writes = group.is_first and not dry_run
        rows = run_folder.read_row_files(config, root)
        begins = writes and run_folder.prepare_folder(folder)
        if writes and not begins:
            held.enter_context(run_folder.lock_run(folder, config, rows))
        # 2. The model: frozen parts loaded, trained parts initialised from the seed
        torch.manual_seed(config.seed)
        built = build(config.model, group.device)
        if config.shard_backbone:
            group.shard(built.model.backbone)
        # 3. The rows, with the features of their clips on disk
        corpus = load_corpus(config, built, root, group)
        num_queries = config.model.connector.num_queries
        steps = Sampler(corpus.training, config.batch, num_queries=num_queries, seed=config.seed).steps()
        # 4. What it will take
        trainer = Trainer(config, built.model, corpus, group)
        first = next(steps)
        trial = trainer.measure_step(first)
        if group.is_first:
            print(describe_run(built, corpus, trial, config), flush=True)  # noqa: T201 - what the run is, before it begins
        if dry_run:
            return
        # 5. Go on where an earlier run stopped, or give the connector its start
        is_begun = (folder / checkpoint.RESUME).is_file()
        aligner = None if is_begun else initialise_connector(config, built, corpus, root)
        if begins:  # nothing is left behind by a run that cannot begin
            held.enter_context(run_folder.lock_run(folder, config, rows))
        if is_begun:
            done = resume(trainer, folder, group)
        else:
            done = 0
            if aligner is not None:
                align(aligner, folder, group)
            synchronise_weights(built, config.seed, group)
            checkpoint.save(0, trainer.model, trainer.optimizer, folder, group)
        # 6. Train
        with open_meter(folder, config, built, group, done=done) as meter:
            for step, packs in islice(enumerate(chain([first], steps)), done, config.optimizer.num_steps):
                meter.add_step(trainer.step(step, packs))
                if (step + 1) % config.save_every == 0 or step + 1 == config.optimizer.num_steps:
                    meter.add_validation(step, trainer.compute_validation_loss())
                    checkpoint.save(step + 1, trainer.model, trainer.optimizer, folder, group)


def resolve_sources(config: TrainConfig, root: Path) -> TrainConfig:
    """Name the folders of the frozen parts so that the run can be opened from anywhere."""
    model = config.model
    found = {
        part: str((root / source).resolve())
        for part, source in (("encoder", model.encoder), ("backbone", model.backbone))
        if source not in weights.list_weights() and not Path(source).is_absolute() and (root / source).is_dir()
    }
    return config.model_copy(update={"model": model.model_copy(update=found)})


def check_config(config: TrainConfig, group: DataParallelGroup) -> None:
    """Refuse a recogniser that there is not, and processes that would have nothing to do."""
    if config.model.asr is not None:
        pick(ASRS, "ASR", config.model.asr)
    if group.world_size > config.batch.sequences_per_step:
        raise BadConfig(
            f"{group.world_size} processes share the batch.sequences_per_step={config.batch.sequences_per_step} packed "
            "sequences of a step: raise it to a multiple of the processes, or start fewer."
        )


def resume(trainer: Trainer, folder: Path, group: DataParallelGroup) -> int:
    """Go on from the last checkpoint, if there is one: return the number of steps done."""
    try:
        return checkpoint.resume(trainer.model, trainer.optimizer, folder, group)
    except (OSError, SafetensorError, KeyError) as error:
        raise BadConfig(
            f"'{folder / checkpoint.RESUME}' is no whole checkpoint ({str(error).splitlines()[0]}): remove it, and the "
            f"run begins anew, or begin another with `start_from: {folder}`."
        ) from error


def open_meter(
    folder: Path, config: TrainConfig, built: LalmComponents, group: DataParallelGroup, *, done: int
) -> Meter:
    """Open the metrics of a run behind the steps that are done."""
    path = folder / checkpoint.METRICS
    try:
        return Meter(path, config, built, group, done=done)
    except (JSONDecodeError, UnicodeDecodeError, KeyError) as error:
        raise BadConfig(
            f"'{path}' holds a line that is no step ({error}): remove that line, or the file, and the run goes on."
        ) from error


def initialise_connector(config: TrainConfig, built: LalmComponents, corpus: Corpus, root: Path) -> Aligner | None:
    """Give the connector the weights of another run, or calibrate it; return what is to align it, if anything is."""
    if config.start_from:
        checkpoint.load_weights(built.model, root / config.start_from)
        return None
    torch.manual_seed(config.seed)
    heard = sorted({clip.sha256 for example in corpus.training.examples for clip in example.clips})
    built.model.connector.calibrate(
        part[:, ::CALIBRATION_STRIDE] for sha256 in heard for part in corpus.features.load(sha256)
    )
    if config.alignment is None:
        return None
    return Aligner(config.alignment, built.model, corpus, built.template, seed=config.seed)


def align(aligner: Aligner, folder: Path, group: DataParallelGroup) -> None:
    """Align the connector; the same in every process."""
    steps = track(aligner.run(), "Aligning", aligner.num_steps, transient=True, disable=not group.is_first)
    with (folder / checkpoint.ALIGNMENT if group.is_first else Path(os.devnull)).open("w") as file:
        file.writelines(f"{loss:.4f}\n" for loss in steps)


def synchronise_weights(built: LalmComponents, seed: int, group: DataParallelGroup) -> None:
    """Give every process the same weights, and dropout of its own."""
    for value in built.model.checkpoint_tensors().values():
        group.broadcast(value)  # GPUs may add up the same numbers in another order
    torch.manual_seed(seed + group.rank)


def main(argv: list[str] | None = None) -> int:
    """Parse and train; 2 and one line on stderr where the user can mend it, 130 and one after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m lalm.train", description="Train a LALM (stage 2).")
    parser.add_argument("config", type=Path, help="YAML file, such as lalm/configs/tiny.yaml")
    parser.add_argument("run", type=Path, help="run folder; made, or gone on with")
    parser.add_argument("--dry-run", action="store_true", help="print parameters, memory and time, then stop")
    options = parser.parse_args(argv)
    folder: Path = options.run
    try:
        return run(
            "lalm.train",
            lambda: train(
                read_config(options.config, TrainConfig), options.config.parent, folder, dry_run=options.dry_run
            ),
        )
    except KeyboardInterrupt:
        is_kept = (folder / checkpoint.RESUME).is_file()
        kept = f"The last checkpoint is kept in '{folder}'" if is_kept else "There was no checkpoint yet"
        how = "goes on from it" if is_kept else "begins anew"
        print(f"lalm.train: interrupted. {kept}; the same command {how}.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
