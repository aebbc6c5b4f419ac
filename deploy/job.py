"""What `deploy.serving` and the process that runs Ray tell each other: one line of JSON each."""

from pathlib import Path
from typing import Literal

from deploy.config import ServeConfig
from services.types import Value


class Job(Value):
    """What to serve and where."""

    config: ServeConfig
    listening: int
    """Descriptor of the socket to listen on, bound already."""
    folder: Path
    """Folder for Ray's sockets and logs."""


class Said(Value):
    """What became of it."""

    what: Literal["ready", "failed"]
    message: str = ""
