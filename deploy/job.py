"""Messages between `deploy.serving` and its child process that runs Ray: one line of JSON each.

First a `Job`, then each `ServeConfig` that is to take the place of the one before; each is answered by a `JobStatus`,
the first one after others that say how many models are loaded.
"""

from pathlib import Path
from typing import Literal

from deploy.config import ServeConfig
from services.types import Value


class Job(Value):
    """What to serve and where."""

    config: ServeConfig
    host: str
    port: int
    folder: Path
    """Folder for Ray's sockets and logs."""


class JobStatus(Value):
    """What became of it."""

    what: Literal["loading", "ready", "kept", "failed", "no_ray"]
    """kept: the new configuration could not be used, and the service goes on as it was; no_ray: Ray did not start."""
    message: str = ""
    num_ready: int = 0
    """While loading: deployments (models, and the agent in front of them) that are ready."""
    num_deployments: int = 0
