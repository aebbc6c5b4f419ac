"""What the system refuses a command is one line."""

import errno

import pytest

from services.errors import BadConfig
from services.terminal.command import UNUSABLE, explain_surroundings, run


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The output cannot be written or read: No space left"),
        (OSError(errno.EROFS, "Read-only file system", "a.txt"), "'a.txt' cannot be written or read: Read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "b"), "'b' cannot be written or read: Permission denied"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "c"), "'c' cannot be written or read: File name too long"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "d/e"), "'d/e' cannot be written or read: Not a dir"),
    ],
)
def test_a_full_disk_or_a_missing_permission_is_named(error: OSError, said: str, capfd: pytest.CaptureFixture) -> None:
    def fail() -> None:
        raise error

    assert run("tool", fail) == UNUSABLE
    assert capfd.readouterr().err.startswith(f"tool: {said}")


def test_an_error_that_the_system_did_not_cause_keeps_its_traceback() -> None:
    with pytest.raises(FileNotFoundError), explain_surroundings():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "ours")


def test_a_reader_that_has_enough_ends_the_command_silently(capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as left, explain_surroundings():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
    assert left.value.code == 1
    assert capfd.readouterr().err == ""


def test_the_cause_stays_with_the_line() -> None:
    with pytest.raises(BadConfig) as raised, explain_surroundings():
        raise OSError(errno.EDQUOT, "Disk quota exceeded", "x")
    assert isinstance(raised.value.__cause__, OSError)
