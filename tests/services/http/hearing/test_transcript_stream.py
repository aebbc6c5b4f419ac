"""A streamed transcript of a recording that is heard in parts."""

import json
from collections.abc import Callable

import httpx
import pytest

from services.http.access.limits import Limits
from services.scripted.ears import ScriptedEars
from services.scripted.service import ScriptedService
from services.types import AudioClip


@pytest.fixture
def limits() -> Limits:
    return Limits(max_duration_s=120)


@pytest.mark.slow
@pytest.mark.parametrize("response_format", ["json", "verbose_json"])
async def test_a_part_is_sent_before_the_next_one_is_heard(
    response_format: str, url: str, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    async def words(_: AudioClip) -> tuple[str, ...]:
        """Say a number; from the second part on, once it is released."""
        scripted.started.set() if not scripted.started.is_set() else await scripted.release.wait()
        return ("Rain.",)

    scripted.ears_for_words = ScriptedEars(words=words)
    form = {"model": "whisper-1", "stream": "true", "response_format": response_format}
    files = {"file": ("clip.wav", tone(91))}
    async with (
        httpx.AsyncClient(base_url=url, timeout=60) as client,
        client.stream("POST", "/v1/audio/transcriptions", data=form, files=files) as reply,
    ):
        lines = (json.loads(line.removeprefix("data: ")) async for line in reply.aiter_lines() if line)
        first = [await anext(lines) for _ in range(1 if response_format == "json" else 2)]
        scripted.release.set()
        rest = [event async for event in lines]
    assert first[-1]["type"] == "transcript.text.delta"
    assert len([event for event in rest if event["type"] == "transcript.text.delta"]) == 1
    assert (rest[-1]["type"], rest[-1]["usage"]["seconds"]) == ("transcript.text.done", 91)
    segments = [event for event in (*first, *rest) if event["type"] == "transcript.text.segment"]
    numbered = [] if response_format == "json" else ["seg_000", "seg_001"]
    assert [one["id"] for one in segments] == numbered


@pytest.mark.slow
async def test_what_fails_after_the_first_part_is_an_error_event_of_openais_form(
    url: str, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    def words(_: AudioClip) -> tuple[str, ...]:
        """Hear the first part alone."""
        if scripted.started.is_set():
            raise ZeroDivisionError("a secret")
        scripted.started.set()
        return ("Rain.",)

    scripted.ears_for_words = ScriptedEars(words=words)
    form = {"model": "whisper-1", "stream": "true"}
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        reply = await client.post("/v1/audio/transcriptions", data=form, files={"file": ("clip.wav", tone(91))})
    told = reply.text.split("\n\n")
    assert '"delta":"Rain."' in told[0]
    assert json.loads(told[1].removeprefix("data: "))["error"]["code"] == "internal_error"
    assert "secret" not in told[1]
