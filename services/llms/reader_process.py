"""Killable reader: an embedded LLM in a process of its own, which is ended where a cancelled reading would go on.

CTranslate2 reads a prompt in one call that nothing can interrupt, a minute of two cores for a question of 10,000
characters. Here the process that reads is killed when whoever asked has been gone for `GRACE_S`, about as long as it
takes to open the model again, and another takes its place. Readings that somebody waits for end first.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from threading import Condition, Lock
from time import monotonic

from services.cancellation import Cancelled
from services.errors import ModelError
from services.llms.batching import Batch, Lanes, Prompt
from services.llms.reader_worker import READY, Cancellation, Method, Task
from services.types import Reading, Sampling

GRACE_S = 2.0
WORKER = "from services.llms.reader_worker import main; main()"
POLL_S = 0.05  # period in which cancellations are looked for
NUM_TRIES = 2  # a process that was lost, as to a lack of memory, is replaced once for the same task


def format_command(folder: Path, compute_type: str, sampling: Sampling) -> tuple[str, ...]:
    """Return the command of a worker that opens the model of a folder, as `TextGenerator` does."""
    return (sys.executable, "-P", "-c", WORKER, str(folder), compute_type, sampling.model_dump_json())


class ReaderProcess:
    """Reads as the reader of its worker does.

    Args:
        command: starts the worker; descriptors are appended.
        grace_s: for how long a batch goes on after all of its requests were cancelled.
    """

    def __init__(self, command: Sequence[str], *, grace_s: float = GRACE_S) -> None:
        self._command, self._grace_s = tuple(command), grace_s
        self._change = Condition()
        self._num_wanted, self._num_unwanted = 0, 0
        self._is_closed = False
        self._numbers = count()
        self._worker = _Worker(self._command)

    def compare_letters(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Compare the likelihoods of the options' letters."""
        return self._run("compare_letters", requests)

    def compare_texts(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Compare the likelihoods of the options' texts."""
        return self._run("compare_texts", requests)

    def write(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        """Write a reply to each prompt."""
        return self._run("write", requests)

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._worker.pid

    def close(self) -> None:
        """End the worker; no other takes its place."""
        with self._change:
            self._is_closed = True
            self._worker.kill()

    def _run(self, method: Method, requests: Batch[Prompt]) -> Sequence[Reading]:
        for _ in range(NUM_TRIES):
            with self._use_worker() as worker:
                try:
                    return self._ask(worker, Task(next(self._numbers), method, tuple(requests)), requests)
                except (EOFError, OSError):
                    worker.kill()
        raise ModelError("The process in which the LLM reads has ended twice, perhaps for lack of memory; try again.")

    def _ask(self, worker: "_Worker", task: Task, requests: Batch[Prompt]) -> Sequence[Reading]:
        channel = worker.channels[requests.is_long]
        channel.send(task)
        told, unwanted_since = set[int](), None
        while not channel.poll(POLL_S):
            for number in range(len(requests)):
                if number not in told and requests.is_cancelled(number):
                    told.add(number)
                    channel.send(Cancellation(task.number, number))
            if len(told) < len(requests):
                continue
            unwanted_since = unwanted_since or monotonic()
            if monotonic() - unwanted_since >= self._grace_s:
                self._replace(worker, channel)
                raise Cancelled
        result: Sequence[Reading] | BaseException = channel.recv()
        if isinstance(result, BaseException):
            raise result
        return result

    @contextmanager
    def _use_worker(self) -> Iterator["_Worker"]:
        """Give a batch the worker that is there, or another in place of one that has ended."""
        with self._change:
            self._change.wait_for(lambda: not self._num_unwanted)
            if self._is_closed:
                raise ModelError("The process in which the LLM reads was ended.")
            if not self._worker.is_alive:
                self._worker = _Worker(self._command)
            worker = self._worker
            self._num_wanted += 1
        try:
            yield worker
        finally:
            with self._change:
                self._num_wanted -= 1
                self._change.notify_all()

    def _replace(self, worker: "_Worker", channel: Connection) -> None:
        """Kill the worker for a cancelled batch, once the other batch is done or cancelled too."""
        with self._change:
            self._num_wanted -= 1
            self._num_unwanted += 1
            self._change.notify_all()
            self._change.wait_for(lambda: not self._num_wanted)
            if self._worker is worker and not channel.poll():
                worker.kill()
                if not self._is_closed:
                    self._worker = _Worker(self._command)
            elif self._worker is worker:
                channel.recv()  # it has come to its end
            self._num_wanted += 1  # as the context that this is called in has it
            self._num_unwanted -= 1
            self._change.notify_all()


class _Worker:
    """A worker, and a channel to it for each lane."""

    def __init__(self, command: Sequence[str]) -> None:
        pairs = [Pipe() for _ in Lanes._fields]
        self.channels = [ours for ours, _ in pairs]
        theirs = [one.fileno() for _, one in pairs]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *map(str, theirs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=theirs,
            start_new_session=True,  # Ctrl-C is for the service to handle
        )
        self._killing = Lock()
        for _, one in pairs:
            one.close()
        try:
            said = [channel.recv() for channel in self.channels]
        except EOFError:
            self.kill()
            raise ModelError(
                "The process in which the LLM reads ended before the model was open; the lines above say why."
            ) from None
        assert said == [READY] * len(said), "a worker says so first"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once; both lanes may do so at the same time, when it was lost."""
        with self._killing:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None, "it has a pipe"
            self._process.stdin.close()
            for channel in self.channels:
                channel.close()  # a second time it does nothing
