"""Content digest of code: a SHA-256 over the source and data files of named modules and packages.

A cache key or a run record that holds such a digest changes with any line of the code behind a result, so that no
stale result is served as a current one. Names, not imports: hashing a module does not load it.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]  # what the packages lie in


def hash_modules(*names: str, root: Path = ROOT) -> str:
    """Return the SHA-256, 64 hex digits, of these modules.

    A module counts with the data files of its own name (`languages.py` with `languages.json`), a package with all
    that lies in it.

    The relative name of each file is part of the hash, and files count in the order of their names, so the digest
    is the same on every machine. Compiled files do not count.

    Args:
        names: dotted names, such as `services.captioners.music`; one that does not exist is a mistake of ours.
        root: the folder in which the packages are looked for.
    """
    digest = sha256()
    for path in sorted({path for name in names for path in _find_files(root, name)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _find_files(root: Path, name: str) -> Iterator[Path]:
    place = root.joinpath(*name.split("."))
    files = list(place.rglob("*") if place.is_dir() else place.parent.glob(f"{place.name}.*"))
    assert files, f"nothing named {name} in {root}"
    yield from (path for path in files if path.is_file() and "__pycache__" not in path.parts)
