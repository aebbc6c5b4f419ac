"""All uploads together have a bound; what is done leaves its share."""

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from fastapi import Request

from services.errors import Overloaded
from services.http.access.limits import Limits
from services.http.access.uploads import UploadBudget, find_upload_place, trim_memory
from services.scripted.service import ScriptedService


def request() -> Request:
    return Request({"type": "http"})


async def test_shares_are_counted_and_given_back() -> None:
    budget, first, second = UploadBudget(100), request(), request()
    with budget.place(first):
        find_upload_place(first).grow_to(60)
        find_upload_place(first).grow_to(50)  # what was announced counts
        with budget.place(second):
            find_upload_place(second).grow_to(40)
            with pytest.raises(Overloaded, match="Uploads of 100 bytes are in work"):
                find_upload_place(second).grow_to(41)
        assert budget.num_bytes == 60
    assert budget.num_bytes == 0


def test_the_memory_of_what_was_freed_is_given_back() -> None:
    blocks = [bytes(100_000) for _ in range(2_000)]  # below what malloc takes from the system piece by piece
    held = blocks[::500]
    before = resident_bytes()
    blocks.clear()
    trim_memory()
    assert before - resident_bytes() > 100_000_000
    assert len(held) == 4


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_an_upload_that_comes_alone_is_taken() -> None:
    budget, alone = UploadBudget(100), request()
    with budget.place(alone):
        find_upload_place(alone).grow_to(1_000)


@pytest.fixture
def limits() -> Limits:
    return Limits(max_upload_bytes=400_000, max_upload_bytes_inside=100_000, deadline_s=5)


async def test_an_upload_beside_another_gets_503_until_that_is_done(
    url: str, scripted: ScriptedService, tone: Callable[[float], bytes]
) -> None:
    async def ask(session: aiohttp.ClientSession, question: str) -> int:
        form = aiohttp.FormData({"question": question, "model": "cascade"})
        form.add_field("file", tone(2), filename="clip.wav")
        async with session.post(f"{url}/v1/audio/questions", data=form) as reply:
            return reply.status

    async with aiohttp.ClientSession() as session:
        slow = asyncio.create_task(ask(session, "slow"))
        await scripted.started.wait()
        assert await ask(session, "What?") == 503
        scripted.release.set()
        assert await slow == 200
        assert await ask(session, "What?") == 200
