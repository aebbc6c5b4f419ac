"""Structured logs: one line of JSON per event, to the pipe that `EARWITNESS_LOG_PIPE` names, else to stderr.

Ray puts `(ServeReplica:…)` before all that its processes print; a pipe of our own leaves the lines intact.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from services.settings import read_settings

LOGGER = logging.getLogger("earwitness.http")
BUG_MESSAGE = "An error of Earwitness itself; its log has the traceback."


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
        pipe = read_settings().log_pipe
        handler = logging.FileHandler(pipe) if pipe else logging.StreamHandler(sys.stderr)
        handler.setFormatter(JSONLines())
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False


def log_bug(error: BaseException, **facts: str) -> None:
    """Log where a bug happened, without its message, which may quote what was said or asked."""
    frames = traceback.format_tb(error.__traceback__)
    LOGGER.log(logging.ERROR, "bug", extra={"facts": facts | {"error": type(error).__name__, "frames": frames}})
