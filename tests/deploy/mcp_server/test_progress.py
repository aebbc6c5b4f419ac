"""What a call is at, in words."""

import asyncio

import pytest

from deploy.mcp_server import progress
from deploy.mcp_server.progress import RunningStages, tell_progress
from services.progress import report_progress_to, report_stage


def test_every_stage_that_runs_is_named_with_how_far_it_is_where_that_is_known() -> None:
    stages = RunningStages()
    assert stages.word() is None
    with report_progress_to(stages.note), report_stage("transcribe") as words:
        assert stages.word() == "transcribe"
        words.expect(30, "seconds of audio")
        words.advance_to(12)
        with report_stage("caption"):
            assert stages.word() == "transcribe, 12 of 30 seconds of audio; caption"
        assert stages.word() == "transcribe, 12 of 30 seconds of audio"
    assert stages.word() is None


async def test_nothing_is_told_once_the_work_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.01)
    told, heard = list[str | None](), asyncio.Event()

    async def report(_: float, __: None, message: str | None) -> None:
        told.append(message)
        heard.set()

    async with tell_progress(report):
        with report_stage("read"):
            await heard.wait()
    num = len(told)
    await asyncio.sleep(0.05)
    assert told[0] == "read" and len(told) == num
