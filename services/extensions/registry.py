"""Registry of extensions: entry points of installed packages, and tables of included files.

An entry is what a catalogue holds: a function or class that opens the model. It is looked up only where the catalogue
has no such name, so an extension can replace nothing, and installed packages cost nothing until one is asked for.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeAlias

from services.errors import BadConfig
from services.extensions.checked import check_opener
from services.extensions.error_boundary import contain_errors
from services.files import is_file

Opener: TypeAlias = Callable[..., Any]


class ExtensionKind(NamedTuple):
    """Where extensions of a kind are found."""

    table: str
    """Name of the dict in an included file: that of our own catalogue."""
    group: str
    """Group of entry points."""


KINDS: Mapping[str, ExtensionKind] = {
    "LLM": ExtensionKind("LLMS", "earwitness.llms"),
    "captioner": ExtensionKind("CAPTIONERS", "earwitness.captioners"),
    "ASR": ExtensionKind("ASRS", "earwitness.asrs"),
    "LALM": ExtensionKind("LALMS", "earwitness.lalms"),
    "benchmark": ExtensionKind("BENCHMARKS", "earwitness.benchmarks"),
}
"""What an entry is called in messages -> where it is found."""
_tables: dict[Path, dict[str, dict[str, Opener]]] = {}
"""Included file -> kind -> name -> what opens it."""
_contents: dict[Path, bytes] = {}


def include_files(files: Iterable[str]) -> None:
    """Run files, and know the entries of their tables from then on; one that has not changed is not run again.

    Raises:
        BadConfig: a file cannot be run, holds no table, or names what another one has named.
    """
    for file in files:
        path = Path(file).resolve()
        if not is_file(str(path)):
            raise BadConfig(f"There is no file '{path}' to include.")
        content = path.read_bytes()
        if content != _contents.get(path):
            _tables[path] = _read_tables(path, _run_file(path))
            _contents[path] = content


def _run_file(path: Path) -> dict[str, object]:
    name = f"earwitness_include_{path.stem}_{sha256(str(path).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadConfig(f"'{path}' cannot be included: it is not a Python file (.py).")
    spec.loader = _TextLoader(name, str(path))
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    with contain_errors(f"Included file '{path}'", BadConfig):
        spec.loader.exec_module(module)
    return vars(module)


class _TextLoader(SourceFileLoader):
    """Runs a file from its text: bytecode is known by size and whole seconds, which an edit may leave as they were."""

    def path_stats(self, path: str) -> NoReturn:
        """Say that there are no times to keep bytecode by."""
        raise OSError(f"no bytecode is kept of {path!r}")


def _read_tables(path: Path, found: Mapping[str, object]) -> dict[str, dict[str, Opener]]:
    tables = {kind: found[where.table] for kind, where in KINDS.items() if where.table in found}
    if not tables:
        known = ", ".join(where.table for where in KINDS.values())
        raise BadConfig(f"'{path}' defines none of {known}; one of them has to be a dict, name -> what opens it.")
    checked: dict[str, dict[str, Opener]] = {}
    for kind, table in tables.items():
        if not isinstance(table, dict) or not all(isinstance(name, str) and callable(table[name]) for name in table):
            raise BadConfig(f"{KINDS[kind].table} in '{path}' has to be a dict, name -> a function or class.")
        for other, theirs in _tables.items():
            if twice := sorted(table.keys() & theirs.get(kind, {}).keys()) if other != path else []:
                raise BadConfig(f"'{path}' and '{other}' both name the {kind} {twice[0]!r}: rename one of them.")
        checked[kind] = {
            name: check_opener(opener, kind, f"the {kind} {name!r} of '{path.name}'") for name, opener in table.items()
        }
    return checked


def find_extension(kind: str, name: str) -> Opener | None:
    """Return what opens the extension of that name, checked against its protocol; None where there is none.

    Raises:
        BadConfig: the entry point cannot be loaded, or two packages have one of this name.
    """
    for tables in _tables.values():
        if name in tables.get(kind, {}):
            return tables[kind][name]
    points = [point for point in _find_entry_points(kind) if point.name == name]
    if not points:
        return None
    if len(points) > 1:
        owners = " and ".join(sorted(_name_owner(point) for point in points))
        raise BadConfig(f"The {kind} {name!r} is offered by {owners}: uninstall one of them.")
    (point,) = points
    what = f"the {kind} {name!r} of {_name_owner(point)}"
    with contain_errors(f"Entry point {point.value!r}, {what},", BadConfig):
        opener = point.load()
    if not callable(opener):
        raise BadConfig(f"Entry point {point.value!r}, {what}, is not a function or class that opens it.")
    return check_opener(opener, kind, what)


def list_included(kind: str) -> tuple[str, ...]:
    """Return the names that included files have added to a kind."""
    return tuple(name for tables in _tables.values() for name in tables.get(kind, {}))


def list_extensions(kind: str) -> tuple[str, ...]:
    """Return all names beyond the catalogue: those of included files, then those of installed packages."""
    return (*list_included(kind), *sorted(point.name for point in _find_entry_points(kind)))


def _find_entry_points(kind: str) -> tuple[EntryPoint, ...]:
    where = KINDS.get(kind)
    return tuple(entry_points(group=where.group)) if where else ()


def _name_owner(point: EntryPoint) -> str:
    return f"package {point.dist.name!r}" if point.dist else "a package"
