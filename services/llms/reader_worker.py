"""Worker of `services.llms.reader_process`: an embedded LLM in a process of its own, over pickles in Unix sockets.

It is not run as a module of its own, whose records would not be those of the process that sends them. Each descriptor
that it is given is a lane: tasks come in over it one after the other, and each result goes back over it. The process
ends with its stdin, and so with the process that started it, whatever it is reading then.
"""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Literal, NamedTuple, Protocol, TypeAlias

from services.llms.batching import Batch, Prompt
from services.native_libraries import release_freed_memory
from services.types import Reading, Sampling

READY = "ready"

Method: TypeAlias = Literal["compare_letters", "compare_texts", "write"]


class Reader(Protocol):
    """What reads batches of prompts."""

    def compare_letters(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Compare the letters of the options."""

    def compare_texts(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Compare the texts of the options."""

    def write(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Write a reply to each prompt."""


class Task(NamedTuple):
    """A batch to be read."""

    number: int
    method: Method
    prompts: tuple[Prompt, ...]


class Cancellation(NamedTuple):
    """One request of a task was cancelled."""

    task: int
    request: int


class _TaskLane:
    """Reads the tasks of one lane, in a thread of its own."""

    def __init__(self, reader: Reader, channel: Connection) -> None:
        self._reader, self._channel = reader, channel
        self._cancelled = set[Cancellation]()

    def run(self) -> None:
        """Read until the other end of the channel is closed."""
        self._channel.send(READY)
        with ThreadPoolExecutor(max_workers=1) as thread:
            while True:
                try:
                    task = self._channel.recv()
                except EOFError:
                    return
                if isinstance(task, Cancellation):
                    continue  # it came after its task
                assert isinstance(task, Task), "nothing else is sent"
                self._cancelled.clear()
                work = thread.submit(self._read, task)
                self._channel.send(work.exception() or work.result())

    def _read(self, task: Task) -> Sequence[Reading]:
        batch = Batch(task.prompts, lambda number: self._is_cancelled(Cancellation(task.number, number)))
        try:
            result: Sequence[Reading] = getattr(self._reader, task.method)(batch)
        finally:
            release_freed_memory()
        return result

    def _is_cancelled(self, request: Cancellation) -> bool:
        while self._channel.poll():
            self._cancelled.add(self._channel.recv())
        return request in self._cancelled


def serve(reader: Reader, descriptors: Sequence[int]) -> None:
    """Serve the lanes until stdin ends."""
    for descriptor in descriptors:
        Thread(target=_TaskLane(reader, Connection(descriptor)).run, daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)  # at once: what is being read cannot be interrupted


def main() -> None:
    """Open the model that the arguments name: folder, arithmetic, sampling and descriptors; serve it."""
    from services.llms.generator import TextGenerator

    folder, compute_type, sampling, *descriptors = sys.argv[1:]
    reader = TextGenerator(Path(folder), compute_type, Sampling.model_validate_json(sampling))
    serve(reader, [int(one) for one in descriptors])
