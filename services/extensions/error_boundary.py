"""Error boundary: whatever exception crosses it becomes one typed error that names what failed.

Behind it runs the code of others, which may raise anything (extensions, and what a configuration names), and work of
our own whose bugs must not end the process around it (a tool of the MCP server, a configuration that is read again).
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.errors import EarwitnessError, ModelError


@contextmanager
def contain_errors(what: str, kind: type[EarwitnessError] = ModelError) -> Iterator[None]:
    """Raise any exception of the block as an error of that kind, and our own errors as they are.

    Args:
        what: ran, such as `the captioner 'peak' of 'peak.py'`: the message begins with it.
        kind: of the error raised; its `__cause__` is the exception.
    """
    try:
        yield
    except EarwitnessError:
        raise
    except (Exception, SystemExit) as error:
        where = "" if isinstance(error, SyntaxError) else f" ({_locate(error)})"  # a SyntaxError says where it is
        message = f"{what[:1].upper()}{what[1:]} failed: {type(error).__name__}: {error}{where}."
        raise kind(message) from error


def _locate(error: BaseException) -> str:
    """Return file and line where an exception was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"
