"""Files of a run folder: names, configuration and revisions, without loading the weights or importing PyTorch."""

from hashlib import file_digest
from pathlib import Path

from lalm.model.config import ModelConfig
from lalm.train.config import TrainConfig
from services import yaml_file
from services.errors import BadConfig
from services.types import ReadingStyle, Value

CONFIG, WEIGHTS, METRICS, RESUME = "config.yaml", "model.safetensors", "metrics.jsonl", "resume.safetensors"
NAMING_CONFIG, NAMING_WEIGHTS = "naming.yaml", "naming.safetensors"


def read_config(folder: Path) -> TrainConfig:
    """Read the configuration of a run folder; raise `BadConfig` if it cannot be."""
    return yaml_file.read_config(folder / CONFIG, TrainConfig)


def require_same_config(folder: Path, recorded: Value, wanted: Value) -> None:
    """Refuse to resume a run with another configuration; `BadConfig` names each setting that differs."""
    was, now = _flatten(recorded), _flatten(wanted)
    differing = [
        f"{key} was {was.get(key)!r} and is now {now.get(key)!r}"
        for key in sorted(was.keys() | now.keys())
        if was.get(key) != now.get(key)
    ]
    if differing:
        raise BadConfig(
            f"The run folder '{folder}' holds a run of another configuration: {'; '.join(differing)}. "
            "Name another folder, or remove this one."
        )


def _flatten(value: Value, prefix: str = "") -> dict[str, object]:
    """Flatten a configuration: dotted key -> setting."""
    settings: dict[str, object] = {}
    for name in type(value).model_fields:
        setting = getattr(value, name)
        nested = _flatten(setting, f"{prefix}{name}.") if isinstance(setting, Value) else {f"{prefix}{name}": setting}
        settings |= nested
    return settings


def find_style(model: ModelConfig) -> ReadingStyle:
    """Return the reading style of the LALM of a run: the texts of options are scored, not their letters."""
    return ReadingStyle(scores="texts", takes_evidence=model.captioner is not None)


def compute_revision(folder: Path) -> str:
    """Return the first 12 hex digits of the SHA-256 of the trained weights; raise `BadConfig` where there are none."""
    return _hash(folder / WEIGHTS)[:12]


def compute_whole_revision(folder: Path) -> str:
    """Return the revision of the trained weights and, if there is one, of the naming head."""
    revision, head = compute_revision(folder), folder / NAMING_WEIGHTS
    return f"{revision}-{_hash(head)[:8]}" if head.is_file() else revision


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadConfig(f"'{path}' cannot be read: {error.strerror}.") from error
