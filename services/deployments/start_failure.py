"""Start failures of replicas: typed reports from a replica that cannot open its model to the process that deployed it.

Ray Serve passes on the text of a traceback only.
"""

import shutil
from pathlib import Path

from services.errors import EarwitnessError
from services.files import write_atomic
from services.settings import read_settings
from services.types import Value

FOLDER_NAME = "start-failures"


class StartFailure(Value):
    """Report of a deployment whose model could not be opened, for a reason that the user can fix."""

    deployment: str
    code: str
    """Of the error, for programs."""
    message: str


def report_start_failure(deployment: str, error: EarwitnessError) -> None:
    """Write the report of a deployment, if `EARWITNESS_START_FAILURES` names a folder; a later one replaces it."""
    if folder := read_settings().start_failures:
        folder.mkdir(parents=True, exist_ok=True)
        failure = StartFailure(deployment=deployment, code=error.code, message=str(error))
        write_atomic(folder / f"{deployment}.json", failure.model_dump_json())


def read_start_failures(folder: Path) -> tuple[StartFailure, ...]:
    """Read the reports in a folder, ordered by deployment; empty where there are none."""
    return tuple(StartFailure.model_validate_json(file.read_bytes()) for file in sorted(folder.glob("*.json")))


def clear_start_failures(folder: Path) -> None:
    """Remove the reports of an earlier deployment."""
    shutil.rmtree(folder, ignore_errors=True)
