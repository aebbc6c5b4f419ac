"""Recordings named on the command line: files, folders, and patterns such as 'takes/*.wav'."""

import mimetypes
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from services.audio.formats import begins_like_a_recording
from services.audio.load import require_file
from services.errors import BadAudio, BadConfig

HEAD = 16  # bytes that tell a recording


def require_one(named: Sequence[str], question: str) -> Path:
    """Return the only recording that comes before a question; an error says how several are asked about."""
    if not named:
        raise BadConfig(
            f"{question!r} is the only argument: name a recording and then the question about it, or the question "
            "with -q."
        )
    if len(named) > 1:
        raise BadConfig(
            f"{len(named)} recordings come before {question!r}; with -q in front of the question, each is asked about."
        )
    if Path(named[0]).is_dir():
        raise BadAudio(
            f"'{named[0]}' is a directory, not a recording. With -q QUESTION, each recording in it is asked."
        )
    return Path(named[0])


def find_recordings(named: Sequence[str]) -> tuple[Path, ...]:
    """Find the recordings, each once, in the order of the names; those of a folder or a pattern sorted by path.

    Of a folder, and of the folders in it, every file whose name or content is that of a recording is taken.

    Raises:
        BadAudio: a file is not there or is empty, or a folder or a pattern brings none.
    """
    return tuple(dict.fromkeys(path for name in named for path in _find(name)))


def _find(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir():
        yield from _require_some(sorted(filter(_is_recording, path.rglob("*"))), f"The folder '{name}' holds none")
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


def _is_recording(path: Path) -> bool:
    """Say whether a file is a recording: by its name, or where that promises nothing else, by its content."""
    if not path.is_file() or path.name.startswith("."):
        return False
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    if kind in {"image", "text"}:
        return False
    if kind in {"audio", "video"}:
        return True
    try:
        with path.open("rb") as file:
            return begins_like_a_recording(file.read(HEAD))
    except OSError:
        return False
