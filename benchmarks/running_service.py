"""Starts, monitors and stops a service for a benchmark: `noop_service.py`, or `earwitness serve` itself."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

NOOP = (sys.executable, str(Path(__file__).with_name("noop_service.py")))
EMBEDDED = (sys.executable, "-m", "deploy.cli", "serve", "--port")
START_S, STOP_S = 300.0, 60.0  # generous: other work may have the cores
PARENT, SESSION, TICKS = 1, 3, slice(11, 15)  # fields of /proc/PID/stat behind the name; ticks with ended children


def find_free_port() -> int:
    """Return a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class ProcessMemory(NamedTuple):
    """Of one process, in megabytes."""

    pss: float
    """Proportional set size: a page that several processes share counts once over all of them."""
    own: float
    """The part of it that no file stands behind. The rest moves whenever another program on the machine ends."""


class RunningService:
    """A running service and its process tree."""

    def __init__(self, process: subprocess.Popen[str], port: int, folder: Path) -> None:
        self._process = process
        self.folder = folder
        """Its folder for temporary files."""
        self.url = f"http://127.0.0.1:{port}"

    def wait_until_ready(self) -> None:
        """Wait until the service prints that it listens."""
        assert self._process.stdout
        readable, _, _ = select.select([self._process.stdout], [], [], START_S)
        said = self._process.stdout.readline() if readable else ""
        if not said.startswith("Listening"):
            told = (self.folder / "stderr").read_text().splitlines() or ["it said nothing."]
            sys.exit(f"The service did not start within {START_S:g} s: {told[-1]}")

    def processes(self) -> dict[int, str]:
        """Return all living processes of the service: process id -> name."""
        pids = _find_descendants(self._process.pid)
        named = ((pid, _read_name(pid)) for pid in sorted(pids))
        return {pid: name for pid, name in named if name}

    def memory_mb(self) -> dict[int, ProcessMemory]:
        """Return the memory of each process."""
        sizes = ((pid, _read_memory(pid)) for pid in self.processes())
        return {pid: memory for pid, memory in sizes if memory.pss}

    def cpu_s(self) -> dict[int, float]:
        """Return the processor seconds that each process has used, its children that have ended included."""
        return {pid: _read_cpu_s(pid) for pid in self.processes()}

    def stop(self) -> None:
        """Stop the service and all its child processes."""
        before = self.processes()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        for pid, name in before.items():
            if _read_name(pid) == name:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def start_service(command: Sequence[str], *arguments: str) -> Iterator[RunningService]:
    """Start a command that takes a port, with a folder for temporary files of its own, and end it afterwards."""
    port = find_free_port()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # so that the service stops too
    with TemporaryDirectory(prefix="load-", dir="/tmp") as folder:
        environment = os.environ | {"TMPDIR": folder, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(  # noqa: S603
            [*command, str(port), *arguments],
            stdout=subprocess.PIPE,
            stderr=(Path(folder) / "stderr").open("w"),
            text=True,
            env=environment,
            start_new_session=True,
        )
        service = RunningService(process, port, Path(folder))
        try:
            service.wait_until_ready()
            yield service
        finally:
            service.stop()


def _find_descendants(pid: int) -> set[int]:
    """Return a process and all that it or its descendants started, sessions of their own included."""
    stats = {int(entry.name): _read_stat(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    family, size = {pid}, 0
    while len(family) > size:
        size = len(family)
        family |= {
            one for one, stat in stats.items() if stat and (int(stat[PARENT]) in family or int(stat[SESSION]) in family)
        }
    return {one for one in family if stats.get(one, ["Z"])[:1] != ["Z"]}


def _read_stat(pid: int) -> list[str]:
    """Return state, parent, group, session and so on; empty if the process has just ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _read_name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if words[0].startswith("ray::"):
        return words[0].removeprefix("ray::").strip()
    scripts = [Path(word).name for word in words if word.endswith(".py")]
    modules = [words[place + 1] for place, word in enumerate(words[:-1]) if word == "-m"]
    return (modules or scripts or [Path(words[0]).name])[0]


def _read_memory(pid: int) -> ProcessMemory:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return ProcessMemory(0.0, 0.0)
    kb = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return ProcessMemory(kb["Pss"] / 1024, (kb["Pss_Anon"] + kb["Pss_Shmem"]) / 1024)


def _read_cpu_s(pid: int) -> float:
    stat = _read_stat(pid)
    return sum(map(int, stat[TICKS])) / os.sysconf("SC_CLK_TCK")
