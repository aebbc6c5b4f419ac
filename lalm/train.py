"""Stage 2: train the connector (and LoRA) so that the frozen backbone answers from sound.

    python -m lalm.train lalm/configs/tiny.yaml runs/tiny            # trains; the same command goes on where it stopped
    python -m lalm.train lalm/configs/tiny.yaml runs/tiny --dry-run  # parameters, memory and time, then stops
    torchrun --nproc-per-node 2 -m lalm.train CONFIG RUN             # data-parallel: the same loss

What the run folder holds is listed in `lalm/checkpoint.py`.
"""

import argparse
import os
import sys
from itertools import islice
from pathlib import Path

import torch
from rich.progress import track

from lalm import checkpoint
from lalm.alignment import Aligner
from lalm.build import Built, build
from lalm.config import TrainConfig
from lalm.corpus import Corpus, load_corpus
from lalm.data import Sampler
from lalm.measure import Meter, describe
from lalm.parallel import Processes, processes
from lalm.trainer import Trainer
from lalm.yaml_config import read_config
from services.command import run
from services.errors import BadConfig

CALIBRATION_STRIDE = 5  # frames between two that mean and deviation are taken from


def train(config: TrainConfig, root: Path, folder: Path, *, dry_run: bool = False) -> None:
    """Run, or go on with, the training that `config` describes; paths in it start from `root`."""
    with processes() as group:
        # 1. The run folder, which refuses another configuration
        check(config, group)
        if group.is_first and not dry_run:
            checkpoint.open_run(folder, config)
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
        if dry_run:
            trial = trainer.trial(next(steps))
            if group.is_first:
                print(describe(built, corpus, trial, config))  # noqa: T201 - this is what was asked for
            return
        # 5. Go on where an earlier run stopped, or give the connector its start
        done = checkpoint.resume(trainer.model, trainer.optimizer, folder, group)
        if not (folder / checkpoint.RESUME).is_file():
            if config.start_from:
                checkpoint.load_weights(built.model, root / config.start_from)
            else:
                align(config, built, corpus, folder, group)
            alike(built, config.seed, group)
            checkpoint.save(0, trainer.model, trainer.optimizer, folder, group)
        # 6. Train
        with Meter(folder / checkpoint.METRICS, config, built, group, done=done) as meter:
            for step, packs in islice(enumerate(steps), done, config.optimizer.num_steps):
                meter.add(trainer.step(step, packs))
                if (step + 1) % config.save_every == 0 or step + 1 == config.optimizer.num_steps:
                    meter.validated(step, trainer.validation_loss())
                    checkpoint.save(step + 1, trainer.model, trainer.optimizer, folder, group)


def check(config: TrainConfig, group: Processes) -> None:
    """Refuse processes that would have nothing to do."""
    if group.world_size > config.batch.sequences_per_step:
        raise BadConfig(
            f"{group.world_size} processes share the batch.sequences_per_step={config.batch.sequences_per_step} packed "
            "sequences of a step: raise it to a multiple of the processes, or start fewer."
        )


def align(config: TrainConfig, built: Built, corpus: Corpus, folder: Path, group: Processes) -> None:
    """Calibrate the connector, and align it if the configuration says so; the same in every process."""
    torch.manual_seed(config.seed)
    heard = sorted({clip.sha256 for example in corpus.training.examples for clip in example.clips})
    built.model.connector.calibrate(
        part[:, ::CALIBRATION_STRIDE] for sha256 in heard for part in corpus.features.load(sha256)
    )
    if config.alignment is not None:
        aligner = Aligner(config.alignment, built.model, corpus, built.template, seed=config.seed)
        steps = track(aligner.run(), "Aligning", config.alignment.num_steps, transient=True, disable=not group.is_first)
        with (folder / checkpoint.ALIGNMENT if group.is_first else Path(os.devnull)).open("w") as file:
            file.writelines(f"{loss:.4f}\n" for loss in steps)


def alike(built: Built, seed: int, group: Processes) -> None:
    """Give every process the same weights, and dropout of its own."""
    for value in built.model.kept().values():
        group.share(value)  # GPUs may add up the same numbers in another order
    torch.manual_seed(seed + group.rank)


def main(argv: list[str] | None = None) -> int:
    """Parse and train; 2 and one line on stderr where the user can mend it."""
    parser = argparse.ArgumentParser(prog="python -m lalm.train", description="Train a LALM (stage 2).")
    parser.add_argument("config", type=Path, help="YAML file, such as lalm/configs/tiny.yaml")
    parser.add_argument("run", type=Path, help="run folder; made, or gone on with")
    parser.add_argument("--dry-run", action="store_true", help="print parameters, memory and time, then stop")
    options = parser.parse_args(argv)
    return run(
        "lalm.train",
        lambda: train(
            read_config(options.config, TrainConfig), options.config.parent, options.run, dry_run=options.dry_run
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
