"""Command line of training (stage 2): trains the connector and LoRA so that the frozen backbone answers about audio.

python -m lalm.train lalm/configs/tiny.yaml runs/tiny            # trains; run it again to resume
python -m lalm.train lalm/configs/tiny.yaml runs/tiny --dry-run  # prints parameters, memory and time
python -m lalm.train lalm/configs/tiny.yaml runs/tiny --track wandb --device cuda
torchrun --nproc-per-node 2 -m lalm.train CONFIG RUN             # data-parallel: the same loss
"""

import sys
from pathlib import Path
from typing import get_args

from lalm.train.config import DeviceName, TrainConfig
from services.telemetry.trackers import TrackerName, import_tracker
from services.terminal.command import INTERRUPTED, CommandParser, run
from services.terminal.interruption import raise_on_interrupt
from services.yaml_file import read_config


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and train; exit code 2 for an error that the user can fix, 130 after Ctrl-C."""
    parser = CommandParser(prog="python -m lalm.train", description="Train a LALM (stage 2).")
    parser.add_argument("config", type=Path, help="YAML file, such as lalm/configs/tiny.yaml")
    parser.add_argument("run", type=Path, help="run folder; created, or resumed")
    parser.add_argument("--dry-run", action="store_true", help="print parameters, memory and time, then stop")
    parser.add_argument("--quiet", action="store_true", help="show no progress on stderr")
    parser.add_argument("--device", choices=get_args(DeviceName), default="auto", help="auto: CUDA, else the CPU")
    parser.add_argument(
        "--track",
        choices=get_args(TrackerName),
        action="append",
        default=[],
        help="also log each step there; may be repeated. TensorBoard, where it is installed, is always written",
    )
    options = parser.parse_args(argv)
    folder: Path = options.run
    try:
        return run(
            "lalm.train",
            lambda: train_from_file(
                options.config,
                folder,
                dry_run=options.dry_run,
                quiet=options.quiet,
                device=options.device,
                trackers=tuple(options.track),
            ),
        )
    except KeyboardInterrupt:
        print(f"lalm.train: interrupted. {describe_what_is_kept(folder)}", file=sys.stderr)  # noqa: T201
        return INTERRUPTED


def train_from_file(
    path: Path,
    folder: Path,
    *,
    dry_run: bool,
    quiet: bool,
    device: DeviceName = "auto",
    trackers: tuple[TrackerName, ...] = (),
) -> None:
    """Read a configuration file and train; PyTorch is imported only once the file can be read.

    Raises:
        BadConfig: the configuration, the data, the run folder or a tracker cannot be used.
        ModelError: a part cannot be loaded, or the loss is not finite.
    """
    config = read_config(path, TrainConfig)
    for name in trackers:
        import_tracker(name)
    from lalm.train.recipe import TrainOptions, train

    with raise_on_interrupt():
        train(config, path.parent, folder, TrainOptions(dry_run, quiet, device, trackers))


def describe_what_is_kept(folder: Path) -> str:
    """Say whether an interrupted run can be resumed from a checkpoint."""
    from lalm.train import run_files

    if (folder / run_files.RESUME).is_file():
        return f"The last checkpoint is kept in '{folder}'; the same command continues from it."
    return "There was no checkpoint yet; the same command begins again."
