"""Structured logs: one line of JSON per event, to the pipe that `EARWITNESS_LOG_PIPE` names, else to stderr.

Ray puts `(ServeReplica:…)` before all that its processes print; a pipe of our own leaves the lines intact.
"""

import json
import logging
import sys
from datetime import UTC, datetime

from services.settings import settings

LOGGER = logging.getLogger("earwitness.http")


class JSONLines(logging.Formatter):
    """Formats a log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level, event and the facts given as `extra={"facts": …}`."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps(line | getattr(record, "facts", {}))


def start_logging() -> None:
    """Configure `LOGGER`; further calls change nothing."""
    if not LOGGER.handlers:
        pipe = settings().log_pipe
        handler = logging.FileHandler(pipe) if pipe else logging.StreamHandler(sys.stderr)
        handler.setFormatter(JSONLines())
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False
