"""Training of a reader: LoRA adapters for an LLM that answers from evidence, with the options in one order.

    python -m agents.rows CONFIG.yaml           # writes the rows
    python -m lalm.reader CONFIG.yaml RUN       # trains; run it again to resume
    torchrun --nproc-per-node 2 -m lalm.reader CONFIG.yaml RUN    # data-parallel: the same loss

The run folder holds config.yaml, metrics.jsonl (one line a step), quality.json (accuracy and loss on the validation
rows) and the adapters in PEFT's format: adapter_model.safetensors and adapter_config.json.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import yaml

from lalm.model import parts
from lalm.reader.adapters import save_adapters
from lalm.reader.config import ReaderConfig
from lalm.reader.model import ReaderModel, add_reader_lora
from lalm.reader.prompts import ReaderDataset, encode_rows
from lalm.reader.rows import ReaderRow, read_reader_rows
from lalm.reader.trainer import ReaderQuality, ReaderTrainer, measure_quality
from lalm.train.parallel import DataParallelGroup, join_processes
from lalm.train.run_files import require_same_config
from services.errors import BadConfig
from services.files import write_atomic
from services.terminal.command import CommandParser, run
from services.terminal.display import show_progress
from services.yaml_file import read_config

RUN_CONFIG, QUALITY = "config.yaml", "quality.json"


def train_reader(config: ReaderConfig, root: Path, folder: Path, group: DataParallelGroup) -> ReaderQuality | None:
    """Train or resume; return the quality on the validation rows, if there are any. Paths start from `root`.

    Raises:
        BadConfig: rows cannot be read, or the folder holds another run.
        ModelError: the backbone cannot be loaded, or the loss is not finite.
    """
    # 1. Read the rows
    rows = [row for file in config.files for row in read_reader_rows(root / file)]
    held = [row for file in config.validation_files for row in read_reader_rows(root / file)]
    _require_separation(rows, held)
    if group.is_first:
        _open_folder(folder, config)
    group.wait_for_all()
    # 2. Load the backbone, and add adapters
    tokenizer = parts.open_tokenizer(config.backbone)
    training = encode_rows(rows, tokenizer, max_length=config.max_length)
    validation = encode_rows(held, tokenizer, max_length=config.max_length)
    if not training.examples:
        why = f"max_length={config.max_length}, {training.describe_dropped()}" if rows else "they are empty"
        raise BadConfig(f"No row of 'files' can be trained on: {why}.")
    if group.is_first:
        print(describe_rows(training, validation, config), flush=True)  # noqa: T201 - command-line output
    torch.manual_seed(config.seed)
    backbone = parts.open_backbone(config.backbone, parts.pick_dtype(config.dtype, group.device)).to(group.device)
    add_reader_lora(backbone, config.lora)
    model = ReaderModel(backbone)
    # 3. Train
    trainer = ReaderTrainer(config, model, folder, group)
    trainer.train(training.examples)
    if not group.is_first:
        return None
    save_adapters(folder, model.list_trained_tensors(), config, backbone.config.num_hidden_layers)
    # 4. Measure
    if not validation.examples:
        return None
    quality = measure_quality(model, validation.examples, config.rows_per_step)
    write_atomic(folder / QUALITY, quality.model_dump_json() + "\n")
    return quality


def _require_separation(rows: Sequence[ReaderRow], held: Sequence[ReaderRow]) -> None:
    """Refuse validation rows about a clip or a recording that is trained on."""
    trained = {origin for row in rows for origin in (row.id, *row.recordings)}
    if shared := sorted({origin for row in held for origin in (row.id, *row.recordings)} & trained):
        raise BadConfig(
            f"validation_files has {len(shared)} clips or recordings that files has too, such as {shared[0]!r}: "
            "leave them out of one."
        )


def describe_rows(training: ReaderDataset, validation: ReaderDataset, config: ReaderConfig) -> str:
    """Describe how many rows are trained on and held back, and how many of each were dropped."""
    counts = f"Rows       {len(training.examples)} to train on, {len(validation.examples)} held back"
    dropped = [
        f"{one.describe_dropped()} of the rows {name}"
        for one, name in ((training, "to train on"), (validation, "held back"))
        if one.dropped
    ]
    return f"{counts}; dropped by max_length={config.max_length}: {' and '.join(dropped) or 'none'}"


def _open_folder(folder: Path, config: ReaderConfig) -> None:
    """Create the run folder, or refuse that of another configuration."""
    path = folder / RUN_CONFIG
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            require_same_config(folder, read_config(path, ReaderConfig), config)
        write_atomic(path, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    except OSError as error:
        raise BadConfig(f"The run folder '{folder}' cannot be used: {error.strerror}.") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, train and print the quality; exit code 2 for an error that the user can fix."""
    parser = CommandParser(prog="python -m lalm.reader", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("config", type=Path, help="YAML file (lalm/reader/config.py)")
    parser.add_argument("run", type=Path, help="run folder; created, or resumed")
    parser.add_argument("--quiet", action="store_true", help="show no progress on stderr")
    options = parser.parse_args(argv)
    path, folder, quiet = options.config, options.run, options.quiet
    return run("lalm.reader", lambda: _train_and_print(path, folder, quiet=quiet))


def _train_and_print(path: Path, folder: Path, *, quiet: bool) -> int:
    config = read_config(path, ReaderConfig)
    with join_processes() as group, show_progress(quiet=quiet or not group.is_first):
        quality = train_reader(config, path.parent, folder, group)
        if not group.is_first:
            return 0
    print(quality.model_dump_json() if quality else f"The adapters are in '{folder}'.")  # noqa: T201
    return 0
