"""Who joins which batch, and what a failure does."""

import asyncio
import gc
import time
from collections.abc import Sequence
from threading import Event

import pytest

from services.llms.batching import Batch, Batcher, Prompt, open_lanes
from services.llms.prefixes import count_shared, group_by_prefix
from services.types import Message


async def test_requests_that_arrive_while_a_batch_runs_form_the_next_one() -> None:
    batches: list[list[int]] = []

    def double(requests: Sequence[int]) -> list[int]:
        batches.append(list(requests))
        time.sleep(0.05)
        return [2 * request for request in requests]

    batcher: Batcher[int, int] = Batcher(double, max_size=3)
    first = asyncio.create_task(batcher.submit(0))
    await asyncio.sleep(0.02)
    rest = await asyncio.gather(*(batcher.submit(number) for number in range(1, 5)))
    assert (await first, rest) == (0, [2, 4, 6, 8])
    assert batches == [[0], [1, 2, 3], [4]]


async def test_a_failure_reaches_every_request_of_its_batch_and_no_other() -> None:
    def picky(requests: Sequence[int]) -> list[int]:
        if 13 in requests:
            raise ValueError("unlucky")
        return list(requests)

    batcher: Batcher[int, int] = Batcher(picky, max_size=8)
    results = await asyncio.gather(batcher.submit(12), batcher.submit(13), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    assert await batcher.submit(7) == 7


async def test_a_cancelled_request_leaves_the_others_their_results() -> None:
    batcher: Batcher[int, int] = Batcher(lambda requests: [request + 1 for request in requests], max_size=8)
    impatient, patient = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == 3


@pytest.mark.slow
async def test_the_failure_of_a_batch_that_nobody_awaits_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    may_fail = Event()

    def fail(requests: Sequence[int]) -> list[int]:
        assert may_fail.wait(60)
        raise ValueError("unlucky")

    given_up, ended = Batcher(fail, max_size=8), Batcher(fail, max_size=8)
    asked = given_up.submit(1)
    asked.send(None)
    other = ended.submit(1)
    other.send(None)
    await asyncio.sleep(0.02)
    asked.close()  # as where a client's connection and all that waits for it is dropped
    (worker,) = {task for task in asyncio.all_tasks() if task is ended._usual.worker}
    worker.cancel()  # as at the end of an event loop
    other.close()
    may_fail.set()
    await asyncio.sleep(0.1)
    gc.collect()
    assert caplog.text == ""


async def test_a_short_request_does_not_wait_for_a_long_one() -> None:
    long_may_end, ended = Event(), list[str]()

    def work(requests: Batch[str]) -> list[str]:
        if requests.is_long:
            assert long_may_end.wait(60)
        ended.extend(requests)
        return list(requests)

    batcher: Batcher[str, str] = Batcher(work, max_size=8, is_long=lambda text: len(text) > 5)
    long = [asyncio.create_task(batcher.submit(text)) for text in ("a long one", "another long one")]
    await asyncio.sleep(0.02)
    assert [await batcher.submit(text) for text in ("one", "two")] == ["one", "two"]
    long_may_end.set()
    assert await asyncio.gather(*long) == ["a long one", "another long one"]
    assert ended == ["one", "two", "a long one", "another long one"]


async def test_batchers_that_share_lanes_run_one_batch_in_each_at_a_time() -> None:
    running, most = set[str](), list[int]()

    def work(requests: Batch[str]) -> list[str]:
        name = "long" if requests.is_long else "usual"
        assert name not in running
        running.add(name)
        most.append(len(running))
        time.sleep(0.02)
        running.remove(name)
        return list(requests)

    lanes = open_lanes()
    batchers = [Batcher(work, max_size=1, is_long=lambda text: len(text) > 5, lanes=lanes) for _ in range(3)]
    await asyncio.gather(*(batcher.submit(text) for batcher in batchers for text in ("short", "a long one")))
    assert max(most) == 2


@pytest.mark.parametrize(("text", "is_long"), [("What?" * 20, False), ("問" * 700, True), ("a" * 10_000, True)])
def test_a_prompt_is_long_by_its_bytes(text: str, is_long: bool) -> None:
    assert Prompt((Message(role="user", content=text),)).is_long() is is_long


@pytest.mark.parametrize(
    ("prompts", "groups", "shared"),
    [
        (["abcdX", "abcdY", "zzzz"], [[0, 1], [2]], 4),
        (["abcd"], [[0]], 0),
        (["ab", "ab"], [[0, 1]], 1),
    ],
)
def test_prompts_that_begin_alike_are_read_together(prompts: list[str], groups: list[list[int]], shared: int) -> None:
    assert group_by_prefix(prompts) == groups
    assert count_shared([prompts[number] for number in groups[0]]) == shared


async def test_freed_memory_goes_back_after_each_batch_even_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[None] = []
    monkeypatch.setattr("services.llms.batching.release_freed_memory", lambda: released.append(None))

    def run(batch: Batch[int]) -> list[int]:
        return [1 // one for one in batch]

    batcher = Batcher(run, max_size=1)
    assert await batcher.submit(1) == 1
    with pytest.raises(ZeroDivisionError):
        await batcher.submit(0)
    assert len(released) == 2
