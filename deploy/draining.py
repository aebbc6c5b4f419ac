"""Graceful shutdown: new requests are refused, and those in work are answered, within a time limit."""

import time
from pathlib import Path

from services.telemetry.metrics import count_in_flight

NAME = "stopping"
DRAIN_S = 30.0  # what Kubernetes, too, gives a process before it is killed
POLL_S = 0.05
LAST_BYTES_S = 0.2  # from the end of a response in a replica to its last byte from the proxy


def drain(folder: Path) -> None:
    """Let the replicas refuse new requests, and wait until those in work are answered."""
    (folder / NAME).touch()
    deadline = time.monotonic() + DRAIN_S
    while count_in_flight() and time.monotonic() < deadline:
        time.sleep(POLL_S)
    time.sleep(LAST_BYTES_S)
