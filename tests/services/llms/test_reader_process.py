"""A cancelled reading ends with its process, and no other reading with it."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread
from unittest.mock import Mock

import pytest

from services.catalog import LLMS
from services.errors import ModelError
from services.llms.batching import Batch, Batcher, Prompt, open_lanes
from services.llms.quantised import QuantisedLLM
from services.llms.reader_process import ReaderProcess
from services.llms.reader_worker import READY, Reader, Task, _TaskLane
from services.settings import read_settings
from services.types import Choice, Message, Reading, Sampling

pytestmark = pytest.mark.slow

WAIT_S = 60.0  # at most: other work may have the cores
GRACE_S = 0.1
SLOW_READER = """
import sys, time
from pathlib import Path
from services.llms.reader_worker import serve
from services.types import Reading

class Slow:
    def compare_letters(self, requests):
        text = requests[0].messages[-1].content
        with Path(sys.argv[1], text[:20]).open("a") as file:
            file.write("read")
        if text.startswith("fail"):
            raise ValueError(text)
        if text.startswith("die"):
            __import__("os")._exit(1)
        until = time.monotonic() + (30.0 if text.startswith("slow") else 0.5 if text.startswith("medium") else 0.0)
        while time.monotonic() < until and not (text.endswith("steps") and requests.is_cancelled(0)):
            time.sleep(0.01)
        return [Reading(reply=text[:20])] * len(requests)

serve(Slow(), [int(one) for one in sys.argv[2:]])
"""


def ask(text: str) -> Prompt:
    return Prompt((Message(role="user", content=text),))


async def wait_until(check: Callable[[], bool]) -> None:
    def wait() -> None:
        end = time.monotonic() + WAIT_S
        while not check():
            assert time.monotonic() < end
            time.sleep(0.01)

    await asyncio.to_thread(wait)


class SlowReading:
    """A reader whose worker reads by rule, behind the batcher that the embedded LLMs have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reader = ReaderProcess((sys.executable, "-c", SLOW_READER, str(folder)), grace_s=GRACE_S)
        self.batcher = Batcher(self._read, max_size=1, is_long=Prompt.is_long, lanes=open_lanes())

    def _read(self, requests: Batch[Prompt]) -> Sequence[Reading]:
        return self.reader.compare_letters(requests)

    async def read(self, text: str) -> str:
        async with asyncio.timeout(WAIT_S):
            return (await self.batcher.submit(ask(text))).reply

    async def begin(self, text: str) -> "asyncio.Task[str]":
        """Begin to read, and return once the worker does."""
        task = asyncio.create_task(self.read(text))
        await wait_until((self.folder / text[:20]).exists)
        return task


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowReading]:
    opened = SlowReading(tmp_path)
    yield opened
    opened.reader.close()


async def leave(task: "asyncio.Task[str]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]
    except FileNotFoundError:
        return False


async def test_a_reading_that_was_left_ends_and_the_next_one_is_read(slow: SlowReading) -> None:
    assert await slow.read("first") == "first"
    before = slow.reader.pid
    await leave(await slow.begin("slow one"))
    started = time.monotonic()
    assert await slow.read("next") == "next"
    assert time.monotonic() - started < 20  # not the 30 s of the slow one
    assert slow.reader.pid != before
    assert not is_running(before)


async def test_a_reading_that_notices_keeps_its_process(slow: SlowReading) -> None:
    before = slow.reader.pid
    await leave(await slow.begin("slow in steps"))
    assert await slow.read("next") == "next"
    assert slow.reader.pid == before


async def test_what_somebody_waits_for_ends_before_the_process_does(slow: SlowReading) -> None:
    left = await slow.begin("slow one" + "." * 3_000)
    before = slow.reader.pid
    wanted = await slow.begin("medium one")
    await leave(left)
    assert await wanted == "medium one"
    assert (slow.folder / "medium one").read_text() == "read"  # once, and not again in another process
    assert await slow.read("next") == "next"
    assert slow.reader.pid != before


async def test_two_readings_that_were_left_end_with_one_process(slow: SlowReading) -> None:
    tasks = [await slow.begin("slow one"), await slow.begin("slow and long" + "." * 3_000)]
    for task in tasks:
        await leave(task)
    assert await asyncio.gather(slow.read("next"), slow.read("next and long" + "." * 3_000)) == [
        "next",
        "next and long.......",
    ]


def test_a_batch_goes_on_for_the_request_that_was_not_cancelled(slow: SlowReading) -> None:
    before = slow.reader.pid
    batch = Batch([ask("medium one"), ask("another")], lambda number: number == 0)
    assert [one.reply for one in slow.reader.compare_letters(batch)] == ["medium one"] * 2
    assert slow.reader.pid == before


async def test_an_error_of_the_reader_is_raised_and_its_process_stays(slow: SlowReading) -> None:
    before = slow.reader.pid
    with pytest.raises(ValueError, match="fail for once"):
        await slow.read("fail for once")
    assert slow.reader.pid == before


async def test_a_process_that_was_killed_is_replaced_and_its_task_read_again(slow: SlowReading) -> None:
    task = await slow.begin("medium one")
    os.kill(slow.reader.pid, signal.SIGKILL)
    assert await task == "medium one"


async def test_a_task_that_ends_every_process_is_an_error(slow: SlowReading) -> None:
    with pytest.raises(ModelError, match="has ended twice"):
        await slow.read("die")
    assert await slow.read("next") == "next"


def test_a_worker_that_cannot_open_its_model_is_an_error() -> None:
    with pytest.raises(ModelError, match="ended before the model was open"):
        ReaderProcess((sys.executable, "-c", "raise SystemExit('no such model')"))


async def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        f"import os, sys; from services.llms.reader_process import ReaderProcess\n"
        f"print(ReaderProcess((sys.executable, '-c', {SLOW_READER!r}, {str(tmp_path)!r})).pid, flush=True)\n"
        f"os.kill(os.getpid(), 9)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    await wait_until(lambda: not is_running(int(said)))


async def test_a_closed_reader_opens_no_other_process(slow: SlowReading) -> None:
    left = await slow.begin("slow one")
    before = slow.reader.pid
    await leave(left)
    slow.reader.close()
    slow.reader.close()
    assert not is_running(before)
    with pytest.raises(ModelError, match="was ended"):
        await slow.read("next")
    assert slow.reader.pid == before


def read_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.weights
async def test_an_embedded_llm_reads_alike_in_a_process_of_its_own_and_leaves_a_long_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = LLMS["smollm2-135m"](None, Sampling(max_tokens=4))
    monkeypatch.setenv("EARWITNESS_READER_PROCESS", "true")
    read_settings.cache_clear()
    apart = LLMS["smollm2-135m"](None, Sampling(max_tokens=4))
    assert isinstance(apart, QuantisedLLM)
    apart.load()
    read_settings.cache_clear()
    reader = apart._generator()
    assert isinstance(reader, ReaderProcess)
    messages = (Message(role="user", content="Which one barks?\n(A) A dog\n(B) A bell"),)
    choices = (Choice(letter="A", text="A dog"), Choice(letter="B", text="A bell"))
    reader._grace_s = 0.0
    try:
        assert await apart.choose(messages, choices) == await here.choose(messages, choices)
        assert await apart.complete(messages) == await here.complete(messages)
        before, spent_s = reader.pid, read_cpu_s(reader.pid)
        question = (Message(role="user", content="Which word is it? " * 2_000),)
        long = asyncio.create_task(apart.choose(question, choices))
        await wait_until(lambda: read_cpu_s(before) >= spent_s + 0.2)
        long.cancel()
        async with asyncio.timeout(WAIT_S):
            assert (await apart.choose(messages, choices)).reply
        await wait_until(lambda: not is_running(before))
    finally:
        reader.close()


def test_a_reader_process_gives_freed_memory_back_after_each_task(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[None] = []
    monkeypatch.setattr("services.llms.reader_worker.release_freed_memory", lambda: released.append(None))
    ours, theirs = Pipe()
    reader = Mock(spec=Reader, write=list)
    lane = Thread(target=_TaskLane(reader, theirs).run, daemon=True)
    lane.start()
    assert ours.recv() == READY
    for number in range(3):
        ours.send(Task(number, "write", ()))
        assert ours.recv() == []
    ours.close()
    lane.join(WAIT_S)
    assert len(released) == 3
