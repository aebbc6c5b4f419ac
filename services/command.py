"""Exit codes of every command: an error that the user can mend is one line on stderr and exit code 2."""

import sys
from collections.abc import Callable

from services.errors import EarwitnessError

UNUSABLE = 2  # exit code where the user can mend it
INTERRUPTED = 130  # of what Ctrl-C ended, as shells have it


def run(name: str, command: Callable[[], int | None]) -> int:
    """Run `command` and return its exit code, 0 where it gives none; any other error keeps its traceback."""
    try:
        return command() or 0
    except EarwitnessError as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201 - this is the command's answer
        return UNUSABLE
