"""Recordings named on the command line: files, folders, and patterns such as 'takes/*.wav'."""

import re
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from os.path import isfile
from pathlib import Path

from services.audio.load import is_recording, require_file
from services.errors import BadAudio, BadConfig
from services.questions import check_num_clips

URL = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)


def parse_path(name: str) -> Path:
    """Return the path of a recording; `BadAudio` where what was named is a URL, standard input or nothing."""
    if not name:
        raise BadAudio("The name of the recording is empty, as where a variable of the shell is not set.")
    path = Path(name)
    if name == "-" and not path.exists():
        raise BadAudio("'-' is not a file; /dev/stdin reads what is piped in.")
    if URL.match(name) and not path.exists():
        raise BadAudio(f"'{name}' is a URL, and recordings are read from files: download it, and name the file.")
    return path


def require_named(named: Sequence[str], question: str) -> tuple[Path, ...]:
    """Return the recordings that come before a question, in their order: it is about all of them.

    A recording may be named twice; a folder or a pattern names none, as it does not say which comes first.
    """
    if not named:
        raise BadConfig(
            f"{question!r} is the only argument: name a recording and then the question about it, or the question "
            "with -q."
        )
    if isfile(question):  # noqa: PTH113 - pathlib's raises where a name is too long for a file's
        raise BadConfig(f"'{question}' is a file, and the last argument is the question: add one.")
    check_num_clips(len(named))
    paths = tuple(map(parse_path, named))
    if folder := next((path for path in paths if path.is_dir()), None):
        raise BadAudio(f"'{folder}' is a directory, not a recording. With -q QUESTION, each recording in it is asked.")
    return paths


def find_recordings(named: Sequence[str]) -> tuple[Path, ...]:
    """Find the recordings, each once, in the order of the names; those of a folder or a pattern sorted by path.

    Of a folder, and of the folders in it, every file whose name or content is that of a recording is taken.

    Raises:
        BadAudio: a file is not there or is empty, or a folder or a pattern brings none.
    """
    return tuple(dict.fromkeys(path for name in named for path in _find(name)))


def _find(name: str) -> Iterator[Path]:
    path = parse_path(name)
    if path.is_dir():
        yield from _require_some(sorted(filter(is_recording, path.rglob("*"))), f"The folder '{name}' holds none")
    elif has_magic(name) and not path.exists():
        matches = glob(name, recursive=True)  # noqa: PTH207 - of pathlib's, none takes an absolute pattern
        found = sorted(file for file in map(Path, matches) if file.is_file())
        yield from _require_some(found, f"Nothing matches '{name}'")
    else:
        require_file(path)
        yield path


def _require_some(found: list[Path], none: str) -> list[Path]:
    if not found:
        raise BadAudio(f"{none}: name recordings, a folder that holds some, or a pattern such as 'takes/*.wav'.")
    return found
