"""Overhead of `eval run` over a server of fixed latency: prints seconds and ratios to the ideal.

    python benchmarks/eval_speed.py

Each case is a whole process, start-up, durable rows, scoring and intervals included, against a server of fixed
latency (`fixed_latency_server.py`, 20 ms) with 32 questions in flight. The ideal is num_questions / 32 x 20 ms; the
first case is a bare loop over threads (`bare_loop.py`), which the second is set against, the best of three each, turn
by turn. Run it on an idle machine; CPU seconds are the steadier figure.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from rich.console import Console
from rich.table import Table

LATENCY_MS = 20
IN_FLIGHT = 32
NUM_ROUNDS = 3
CLIP_S = 10
RATE = 16_000  # Hz
# Processes over 1,000 text questions, same latency and concurrency, 2 cores, best of three (docs/log, 2026-11-24).
PEERS_WALL_S = {"evalscope 1.14.1": 7.1, "lm-eval 0.4.13": 10.6, "lmms-eval 0.7.3": 14.6, "inspect-ai 0.3.285": 20.4}


class ProcessUsage(NamedTuple):
    """Time and peak memory of a process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Run all cases and print them."""
    with tempfile.TemporaryDirectory() as name, FixedLatencyServer() as url:
        folder = Path(name)
        table = Table(title="eval run, 32 in flight, 20 ms a reply", title_justify="left")
        for heading in ("case", "wall s", "CPU s", "ideal s", "x ideal", "peak MB", "in flight"):
            table.add_column(heading, justify="left" if heading == "case" else "right", no_wrap=heading == "case")
        bare, text = _run_side_by_side(folder, url)
        _add_case(table, "bare loop, 1,000 text questions", bare, 1_000, url)
        _add_case(table, "1,000 text questions", text, 1_000, url)
        _add_case(table, "10,000 text questions", _run(folder, 10_000, url), 10_000, url)
        _add_case(table, "1,000 questions, one 10 s wav", _run(folder, 1_000, url, num_clips=1), 1_000, url)
        _add_case(table, "1,000 questions, 1,000 wavs", _run(folder, 1_000, url, num_clips=1_000), 1_000, url)
        console = Console()
        console.print(table)
        console.print(f"eval run takes {text.wall_s / bare.wall_s:.2f} times as long as the bare loop.")
        for peer, wall_s in PEERS_WALL_S.items():
            console.print(f"{peer}: {wall_s} s for the 1,000 text questions, {wall_s / text.wall_s:.1f} times as long")
        scored = _run_timed("score", str(folder / "out" / "predictions.jsonl"), "--json")
        console.print(f"eval score, 1,000 rows: {scored.wall_s:.2f} s")


class FixedLatencyServer:
    """A server of fixed latency on a free port."""

    def __enter__(self) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        script = Path(__file__).with_name("fixed_latency_server.py")
        command = [sys.executable, str(script), str(port), str(LATENCY_MS)]
        self._process = subprocess.Popen(command)  # noqa: S603
        url = f"http://127.0.0.1:{port}"
        while not _is_up(url):
            time.sleep(0.05)
        return url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _is_up(url: str) -> bool:
    try:
        _read_peak(url)
    except URLError:
        return False
    return True


def _read_peak(url: str) -> int:
    with urlopen(f"{url}/stats") as response:  # noqa: S310 - our own server on loopback
        return int(json.load(response)["peak"])


def _run_side_by_side(folder: Path, url: str) -> tuple[ProcessUsage, ProcessUsage]:
    """Run the bare loop and `eval run` in turn, and return the quickest of each."""
    script = str(Path(__file__).with_name("bare_loop.py"))
    pairs = [(_run_process(script, url, "1000", str(IN_FLIGHT)), _run(folder, 1_000, url)) for _ in range(NUM_ROUNDS)]
    bare, ours = zip(*pairs, strict=True)
    return min(bare), min(ours)


def _run(folder: Path, num_questions: int, url: str, num_clips: int = 0) -> ProcessUsage:
    bench = _write_benchmark(folder, num_questions, num_clips)
    out = folder / "out"
    subprocess.run(["rm", "-rf", str(out)], check=True)  # noqa: S603, S607
    path = ("lalm", "--lalm", "fixed", "--lalm-url") if num_clips else ("text", "--llm", "fixed", "--llm-url")
    return _run_timed(
        "run", "--path", *path, f"{url}/v1", "--bench", str(bench), "--out", str(out), "--concurrency", str(IN_FLIGHT)
    )


def _write_benchmark(folder: Path, num_questions: int, num_clips: int) -> Path:
    for number in range(num_clips):
        _write_noise(folder / f"{number}.wav", seed=number)
    rows = [
        {
            "id": f"item{number}",
            "audio_id": f"{number % max(1, num_clips)}.wav",
            "question": f"Which of these four sounds is heard first in recording {number}?",
            "choices": ["A dog barking", "Running water", "A violin", "People laughing"],
            "answer": "Running water",
            "task": ("sound", "music", "speech")[number % 3],
        }
        for number in range(num_questions)
    ]
    file = folder / "bench.json"
    file.write_text(json.dumps(rows))
    return file


def _write_noise(file: Path, seed: int) -> None:
    if file.exists():
        return
    samples = np.random.default_rng(seed).integers(-3000, 3000, CLIP_S * RATE, dtype=np.int16)
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, RATE, len(samples), "NONE", ""))
        out.writeframes(samples.tobytes())


def _run_timed(*arguments: str) -> ProcessUsage:
    return _run_process("-m", "eval", *arguments)


def _run_process(*arguments: str) -> ProcessUsage:
    """Run Python with these arguments and return what it took; bytecode is kept, as in any installation."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, f"{' '.join(arguments[:3])} ended with {status}"
    return ProcessUsage(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _add_case(table: Table, name: str, usage: ProcessUsage, num_questions: int, url: str) -> ProcessUsage:
    ideal_s = num_questions / IN_FLIGHT * LATENCY_MS / 1000
    table.add_row(
        name,
        f"{usage.wall_s:.2f}",
        f"{usage.cpu_s:.2f}",
        f"{ideal_s:.2f}",
        f"{usage.wall_s / ideal_s:.2f}",
        f"{usage.peak_mb:.0f}",
        str(_read_peak(url)),
    )
    return usage


if __name__ == "__main__":
    main()
