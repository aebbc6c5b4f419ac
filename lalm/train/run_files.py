"""Files of a run folder: names, configuration and revisions, without loading the weights or importing PyTorch."""

from hashlib import file_digest
from pathlib import Path

from lalm.model.config import ModelConfig
from lalm.train.config import TrainConfig
from services import yaml_file
from services.errors import BadConfig
from services.types import ReadingStyle

CONFIG, WEIGHTS, METRICS, RESUME = "config.yaml", "model.safetensors", "metrics.jsonl", "resume.safetensors"
NAMING_CONFIG, NAMING_WEIGHTS = "naming.yaml", "naming.safetensors"


def read_config(folder: Path) -> TrainConfig:
    """Read the configuration of a run folder; raise `BadConfig` if it cannot be."""
    return yaml_file.read_config(folder / CONFIG, TrainConfig)


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
