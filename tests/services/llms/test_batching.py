"""Who joins which batch, and what a failure does."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from services.llms.batching import Batcher
from services.llms.prefixes import count_shared, group_by_prefix


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
