"""Allowed folders: the only places where an MCP client may name recordings (path traversal, symbolic links)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from services.audio.load import is_recording
from services.errors import BadConfig, BadRequest

MOST_LISTED = 500  # recordings in one list
LONGEST_QUOTED = 255  # characters of a name in an error; file systems have no longer ones


class ListedNames(NamedTuple):
    """The recordings that can be named."""

    names: tuple[str, ...]
    num_unnameable: int
    """Recordings beside them whose names are not UTF-8: JSON, and so a client, cannot write them."""
    is_cut_off: bool
    """Whether there are more."""


class AllowedFolders:
    """Folders below which recordings may be named.

    Args:
        folders: at least one; each must exist.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        if not folders:
            raise BadConfig("No folder is named whose recordings may be heard: name one with --folder DIR.")
        for folder in folders:
            if not folder.is_dir():
                raise BadConfig(f"'{folder}' is not a folder: name one that exists with --folder DIR.")
            if not is_text(str(folder.resolve())):
                raise BadConfig(
                    f"The path of the folder {str(folder)!r} is not UTF-8, so no client can name what it holds."
                )
        self.roots = tuple(dict.fromkeys(folder.resolve() for folder in folders))

    def find(self, name: str) -> Path:
        """Find the recording of a name: relative to a folder, or absolute.

        Whatever the name goes through (`..`, symbolic links), the file itself has to lie below a folder. One that lies
        elsewhere gets the same error as one that does not exist, so it does not tell which other files there are.
        Accents may be in either form of Unicode: some file systems keep one, and language models write the other.
        """
        for root in self.roots:
            for written in dict.fromkeys((name, normalize("NFC", name), normalize("NFD", name))):
                if found := _resolve_below(root, written):
                    return found
        where = ", ".join(f"'{root}'" for root in self.roots)
        raise BadRequest(f"No recording {_shorten(name)!r} below {where}.", param="recording")

    def list_names(self) -> ListedNames:
        """List the recordings by the names that `find` takes, at most 500: relative where there is one folder."""
        names: list[str] = []
        num_unnameable = 0
        for path in self._walk_all():
            if len(names) == MOST_LISTED:
                return ListedNames(tuple(names), num_unnameable, is_cut_off=True)
            name = str(path.relative_to(self.roots[0]) if len(self.roots) == 1 else path)
            if is_text(name):
                names.append(name)
            else:
                num_unnameable += 1
        return ListedNames(tuple(names), num_unnameable, is_cut_off=False)

    def _walk_all(self) -> Iterator[Path]:
        """Yield the recordings of all folders, each once where one folder lies below another."""
        for number, root in enumerate(self.roots):
            before = self.roots[:number]
            yield from (path for path in _walk(root) if not any(map(path.is_relative_to, before)))


def is_text(name: str) -> bool:
    """Whether a file's name is valid UTF-8; Python holds other bytes in it as surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST_QUOTED else f"{name[:LONGEST_QUOTED]}…"


def _resolve_below(root: Path, name: str) -> Path | None:
    """Return the regular file of a name if it lies below a folder, with all symbolic links resolved."""
    try:
        path = (root / name).resolve(strict=True)
        return path if path.is_relative_to(root) and path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # not there, a circle of links, a NUL
        return None


def _walk(root: Path) -> Iterator[Path]:
    """Yield the recordings below a folder in the order of their paths, none behind a link that leads out of it."""
    for path in sorted(root.rglob("*")):
        if not path.name.startswith(".") and _resolve_below(root, str(path)) and is_recording(path):
            yield path
