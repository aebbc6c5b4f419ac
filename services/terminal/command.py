"""Exit codes of every command: an error that the user can fix is one line on stderr and exit code 2."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

from services.errors import BadConfig, EarwitnessError

SURROUNDINGS = frozenset(
    [
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE),
        *(errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ESTALE, errno.ENOTCONN),
    ]
)
"""Errors of the system that no code of ours causes: a full disk, a missing permission, a name that no file can have."""
UNUSABLE = 2  # exit code where the user can fix it
INTERRUPTED = 130  # of what Ctrl-C ended, as shells have it


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say on stderr what is wrong, and exit with code 2."""
        self.exit(UNUSABLE, f"{self.prog}: {' '.join(message.split())}. See '{self.prog} -h'.\n")


class RecipeArguments(NamedTuple):
    """What the command of a recipe is given."""

    config: Path
    quiet: bool


def parse_recipe_arguments(
    name: str, description: str, config_module: str, argv: Sequence[str] | None
) -> RecipeArguments:
    """Parse the command line of `python -m NAME CONFIG`; `config_module` is the file that says what CONFIG holds."""
    parser = CommandParser(prog=f"python -m {name}", description=description)
    parser.add_argument("config", type=Path, help=f"YAML file ({config_module})")
    parser.add_argument("--quiet", action="store_true", help="show no progress on stderr")
    options = parser.parse_args(argv)
    return RecipeArguments(options.config, options.quiet)


def run_recipe(module: str, doc: str | None, argv: Sequence[str] | None, work: Callable[[RecipeArguments], int]) -> int:
    """Parse the command line of a recipe, `python -m MODULE CONFIG`, do the work and return its exit code.

    Args:
        module: name of the package; its config.py says what CONFIG holds.
        doc: docstring of the recipe, whose first line says what it is for.
        argv: the command line; None: that of this process.
        work: does what the arguments ask for, prints what came of it, and returns the exit code.
    """
    config_module = f"{module.replace('.', '/')}/config.py"
    arguments = parse_recipe_arguments(module, (doc or "").split("\n", 1)[0], config_module, argv)
    return run(module, lambda: work(arguments))


def run(name: str, command: Callable[[], int | None]) -> int:
    """Run `command` and return its exit code, 0 where it gives none; any other error keeps its traceback."""
    try:
        with explain_surroundings():
            return command() or 0
    except EarwitnessError as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201 - this is the command's answer
        return UNUSABLE


@contextmanager
def explain_surroundings() -> Iterator[None]:
    """Raise `BadConfig` where the system refuses a file or the output of the block, such as on a full disk."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None and not sys.stdout.closed:
                sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()  # who read it has enough
        sys.exit(1)
    except OSError as error:
        if error.errno not in SURROUNDINGS:
            raise
        if error.filename is None:
            _drop_output()
        what = "The output" if error.filename is None else f"'{error.filename}'"
        raise BadConfig(f"{what} cannot be written or read: {error.strerror}.") from error


def _drop_output() -> None:
    """Let what is still to be written to stdout go nowhere, as Python would report it again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
