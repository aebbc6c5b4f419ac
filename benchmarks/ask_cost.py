"""Processor seconds of a fresh 10 s clip by kind and stage, and of a warm `earwitness ask`, beside an earlier commit.

    python benchmarks/ask_cost.py
    python benchmarks/ask_cost.py --clips FOLDER --rounds 1

Without `--clips` it asks about clips made of the demo's recordings, which `earwitness models pull` fetches; with it,
about the recordings in the folders `speech`, `sound` and `music` of FOLDER. A sound is one where speech is suspected
if the earlier commit decodes words in it. Follow-up questions are left out of the fresh clips, not of the warm `ask`.

The earlier commit is the last one of 2026-11-26 unless `--commit` names another. It is checked out beside this one and
runs in the same environment, in turns with this one: clip by clip, so that both meet the same machine. The figures are
processor seconds of all threads, medians over the rounds; the last line gives seconds and ratio for each kind.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import IO, Annotated, Literal, NamedTuple, TypeAlias

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from services.settings import read_settings
from services.weights import store as weights

ROOT = Path(__file__).parents[1]
BEFORE = "2026-11-27"
CLIP_S = 10.0
STAGES = ("decode", "caption", "transcribe", "read")
SUSPECTED_S = 0.2  # seconds of transcribing from which words were decoded, not only looked for
FAINT = 0.3  # level of the voice under the water: the voice detector suspects it for half of the time
LEVEL_STEP = 0.97  # from round to round, so that no cache knows the samples

Kind: TypeAlias = Literal["speech", "sound, speech suspected", "sound", "music"]
Tree: TypeAlias = Literal["before", "now"]
Floats: TypeAlias = NDArray[np.float32]

QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "speech": ("What does the speaker talk about?", ("The weather", "A journey", "Old times", "A meal")),
    "sound": ("What is heard in this recording?", ("A dog barking", "Running water", "A violin", "People laughing")),
    "music": ("Which instrument is heard?", ("Flute", "Piano", "Drum kit", "Church organ")),
}

console = Console(highlight=False, soft_wrap=True)


class Recording(NamedTuple):
    """A clip and the kind of its question."""

    path: Path
    topic: str
    """A key of `QUESTIONS`."""


class Measured(NamedTuple):
    """Processor seconds of one clip in one tree, by stage."""

    recording: Recording
    tree: Tree
    stages: dict[str, float]

    @property
    def total_s(self) -> float:
        """Processor seconds of all stages."""
        return sum(self.stages.values())


class Cost(NamedTuple):
    """Processor seconds of both commits."""

    before_s: float
    now_s: float

    def __str__(self) -> str:
        """Return seconds and ratio as the last line has them."""
        return f"{self.now_s:.2f} s ({self.before_s:.2f} before, {self.before_s / self.now_s:.1f} times)"


def find_commit(before: str) -> str:
    """Return the last commit before a date."""
    return _git("log", f"--before={before}T00:00:00", "-1", "--format=%H").strip()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)  # noqa: S603, S607
    return done.stdout


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """Check a commit out into a folder, for as long as the block runs."""
    tree = folder / "before"
    _git("worktree", "add", "--detach", str(tree), commit)
    try:
        yield tree
    finally:
        _git("worktree", "remove", "--force", str(tree))


def make_clips(folder: Path) -> tuple[Recording, ...]:
    """Write clips of 10 s made of the demo's recordings: a reader, water, water over a faint voice, a drum loop."""
    speech, rate = _read("demo-speech", "two_cities.wav", 0.5)
    water, water_rate = _read("demo-water", "water.wav", 5.0)
    drums, drum_rate = _read("demo-drums", "drumloop.wav", 0.0)
    over_voice = _repeat(water, water_rate)
    voice = np.interp(np.arange(len(over_voice)) / water_rate, np.arange(len(speech)) / rate, speech)
    made = {
        "speech": (speech, rate, "speech"),
        "faint": (over_voice + FAINT * voice, water_rate, "sound"),
        "water": (over_voice, water_rate, "sound"),
        "drums": (_repeat(drums, drum_rate), drum_rate, "music"),
    }
    for name, (samples, its_rate, _) in made.items():
        soundfile.write(folder / f"{name}.wav", samples, its_rate)
    return tuple(Recording(folder / f"{name}.wav", topic) for name, (_, _, topic) in made.items())


def _read(name: str, file: str, start_s: float) -> tuple[Floats, int]:
    """Return up to 10 s of a recording of the demo, mono, and its rate."""
    with soundfile.SoundFile(weights.ensure_folder(name) / file) as recording:
        recording.seek(round(start_s * recording.samplerate))
        samples = recording.read(round(CLIP_S * recording.samplerate), dtype="float32", always_2d=True)
        return samples.mean(axis=1), recording.samplerate


def _repeat(samples: Floats, rate: int) -> Floats:
    return np.resize(samples, round(CLIP_S * rate))


def find_clips(folder: Path) -> tuple[Recording, ...]:
    """Return the recordings in the folders of the kinds."""
    found = tuple(Recording(path, topic) for topic in QUESTIONS for path in sorted((folder / topic).glob("*.*")))
    if not found:
        raise typer.BadParameter(f"No recordings in the folders {', '.join(QUESTIONS)} of '{folder}'.")
    return found


@contextmanager
def stage_process(tree: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run `stage_costs.py` with the code of a checkout, and one clip through it, so that every model is open."""
    script = ROOT / "benchmarks" / "stage_costs.py"
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tree,
    )
    try:
        yield process
    finally:
        _pipe(process.stdin).close()
        process.wait()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None, "opened as a pipe"
    return pipe


def measure_stages(process: "subprocess.Popen[str]", recording: Recording, level: float) -> dict[str, float]:
    """Have one question answered; return stage -> processor seconds."""
    question, choices = QUESTIONS[recording.topic]
    asked = {"clip": str(recording.path.resolve()), "question": question, "choices": choices, "level": level}
    _pipe(process.stdin).write(json.dumps(asked) + "\n")
    _pipe(process.stdin).flush()
    costs: dict[str, float] = json.loads(_pipe(process.stdout).readline())
    return costs


def measure_fresh(trees: dict[Tree, Path], recordings: tuple[Recording, ...], rounds: int) -> list[Measured]:
    """Measure every recording in both trees, in turns; the first pass over each recording's models is not counted."""
    found: list[Measured] = []
    with stage_process(trees["before"]) as before, stage_process(trees["now"]) as now:
        processes: dict[Tree, subprocess.Popen[str]] = {"before": before, "now": now}
        first = {one.topic: one for one in recordings}.values()
        for recording in first:
            for process in processes.values():
                measure_stages(process, recording, 1.0)
        for turn in range(1, rounds + 1):
            for recording in recordings:
                for tree, process in processes.items():
                    stages = measure_stages(process, recording, LEVEL_STEP**turn)
                    found.append(Measured(recording, tree, stages))
    return found


def name_kinds(found: Iterable[Measured]) -> dict[Recording, Kind]:
    """Return the kind of each recording: a sound is suspected of speech where the earlier commit decodes words."""
    kinds: dict[Recording, Kind] = {}
    for one in found:
        topic = one.recording.topic
        if one.tree == "before" and one.recording not in kinds:
            suspected = one.stages["transcribe"] >= SUSPECTED_S
            plain: Kind = "speech" if topic == "speech" else "music" if topic == "music" else "sound"
            kinds[one.recording] = "sound, speech suspected" if suspected and topic == "sound" else plain
    return kinds


def sum_up(found: list[Measured]) -> dict[Kind, dict[str, Cost]]:
    """Return kind -> stage -> cost of one clip: the mean over its recordings of the medians over the rounds."""
    kinds = name_kinds(found)
    order: tuple[Kind, ...] = ("speech", "sound, speech suspected", "sound", "music")
    summed: dict[Kind, dict[str, Cost]] = {}
    for kind in order:
        members = [recording for recording, its in kinds.items() if its == kind]
        if members:
            summed[kind] = {
                stage: Cost(*(mean(_median(found, one, tree, stage) for one in members) for tree in _TREES))
                for stage in (*STAGES, "in all")
            }
    return summed


_TREES: tuple[Tree, Tree] = ("before", "now")


def _median(found: list[Measured], recording: Recording, tree: Tree, stage: str) -> float:
    mine = [one for one in found if one.recording == recording and one.tree == tree]
    return median(one.total_s if stage == "in all" else one.stages[stage] for one in mine)


def measure_warm(trees: dict[Tree, Path], recordings: tuple[Recording, ...], rounds: int) -> Cost:
    """Return the cost of `earwitness ask` about clips that were perceived before: a whole process, start to end."""
    costs: dict[Tree, list[float]] = {"before": [], "now": []}
    with TemporaryDirectory() as name:
        homes = {tree: Path(name) / tree for tree in trees}
        for home in homes.values():
            home.mkdir()
            (home / "weights").symlink_to(read_settings().home / "weights")
        for turn in range(rounds + 1):
            for recording in recordings:
                for tree, place in trees.items():
                    seconds = _ask(place, homes[tree], recording)
                    costs[tree] += [seconds] if turn else []  # the first fills the cache
    return Cost(mean(costs["before"]), mean(costs["now"]))


def _ask(tree: Path, home: Path, recording: Recording) -> float:
    """Return the processor seconds of one `earwitness ask` with all processes that it starts."""
    question, choices = QUESTIONS[recording.topic]
    command = [sys.executable, "-m", "deploy.cli", "ask", str(recording.path.resolve()), question]
    command += [word for choice in choices for word in ("--choice", choice)]
    env = {**os.environ, "PYTHONPATH": str(tree), "EARWITNESS_HOME": str(home)}
    process = subprocess.Popen(command, env=env, cwd=tree, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime


def print_stages(summed: dict[Kind, dict[str, Cost]]) -> None:
    """Print a table of the stages of each kind."""
    table = Table("kind", *STAGES, "in all", title="processor seconds, before > now", title_justify="left")
    for kind, costs in summed.items():
        table.add_row(kind, *(f"{cost.before_s:.2f} > {cost.now_s:.2f}" for cost in costs.values()))
    console.print(table)


def print_totals(summed: dict[Kind, dict[str, Cost]], warm: Cost) -> None:
    """Print seconds and ratio of each kind in one line."""
    told = [f"{kind}: {costs['in all']}" for kind, costs in summed.items()]
    console.print("; ".join([*told, f"warm ask: {warm}"]))


def main(
    clips: Annotated[Path | None, typer.Option(help="Folder with the folders speech, sound and music.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each clip is asked about.")] = 3,
    commit: Annotated[str | None, typer.Option(help="The earlier commit; default: the last of 2026-11-26.")] = None,
) -> None:
    """Print what a fresh clip and a warm `ask` cost, beside the earlier commit."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        made = make_clips(folder)
        with checked_out(commit or find_commit(BEFORE), folder) as before:
            trees: dict[Tree, Path] = {"before": before, "now": ROOT}
            summed = sum_up(measure_fresh(trees, find_clips(clips) if clips else made, rounds))
            print_stages(summed)
            warm = measure_warm(trees, made, rounds)
    print_totals(summed, warm)


if __name__ == "__main__":
    typer.run(main)
