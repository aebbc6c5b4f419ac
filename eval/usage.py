"""Usage errors: a command line that cannot be parsed is one line on stderr and exit code 2."""

import sys
from collections.abc import Sequence

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from services.terminal.command import UNUSABLE


def run_app(app: typer.Typer, arguments: Sequence[str] | None, program: str) -> None:
    """Run the command that the arguments name, and end the process with its exit code.

    Args:
        app: the commands.
        arguments: the command line; None: that of this process.
        program: its name, as errors and help say it.
    """
    try:
        code = app(arguments, prog_name=program, standalone_mode=False)  # which raises what Typer would draw a box for
    except TyperException as error:
        context: object = getattr(error, "ctx", None)
        message = error.format_message() + _name_value(error.__cause__)
        _explain_usage(message, program, getattr(context, "command_path", program))
        sys.exit(UNUSABLE)
    except typer.Abort:
        print(f"{program}: stopped, as the input ended.", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _name_value(cause: BaseException | None) -> str:
    return f" (given: {cause.errors()[0]['input']!r})" if isinstance(cause, ValidationError) else ""


def _explain_usage(message: str, program: str, command: str) -> None:
    """Print what is wrong as one line, and the help of a command without arguments as it is."""
    if "\n" in message.strip():
        print(message, file=sys.stderr)  # noqa: T201
    elif message:
        end = "" if message.endswith((".", "?")) else "."
        print(f"{program}: {message}{end} See '{command} -h'.", file=sys.stderr)  # noqa: T201
