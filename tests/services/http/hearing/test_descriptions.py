"""Descriptions of recordings over HTTP, in every format."""

from collections.abc import Callable

import aiohttp
import pytest

from services.scripted.ears import Heard, ScriptedEars
from services.scripted.service import ScriptedService
from services.types import AudioClip, Evidence, Focus, Label

BARK = Evidence(kind="sound", source="ear", revision="1", text="A dog\tbarks --> twice.", start_s=0.5, end_s=9.0)
SPEAKS = Evidence(
    kind="speaker",
    source="ear",
    revision="1",
    text="Speaker 1 speaks.",
    labels=(Label(text="speaker 1"),),
    start_s=0.25,
    end_s=1.0,
)


def hear(_: AudioClip, focus: Focus | None) -> Heard:
    return (SPEAKS,) if focus and focus.topic == "turns" else ("It is loud.", BARK)


async def describe(url: str, data: bytes, **fields: str) -> tuple[int, str, dict[str, object]]:
    form = aiohttp.FormData(fields)
    form.add_field("file", data, filename="clip.wav")
    address = f"{url}/v1/audio/descriptions"
    async with aiohttp.ClientSession() as session, session.post(address, data=form) as reply:
        body = await reply.json() if "json" in reply.headers["content-type"] else {}
        return reply.status, await reply.text(), body


@pytest.fixture(autouse=True)
def ears(scripted: ScriptedService) -> None:
    scripted.ears_for_sounds = ScriptedEars(hear, name="ear")


async def test_json_holds_the_evidence_with_its_times(url: str, tone: Callable[[float], bytes]) -> None:
    status, _, body = await describe(url, tone(2), response_format="json")
    assert (status, body["captioner"], body["duration"]) == (200, "ear", 2.0)
    assert isinstance(body["evidence"], list)
    assert [Evidence.model_validate(one).text for one in body["evidence"]] == [
        "It is loud.",
        SPEAKS.text,
        BARK.text,
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "audacity",
            "0.000000\t2.000000\tIt is loud.\n0.250000\t1.000000\tSpeaker 1 speaks.\n"
            "0.500000\t2.000000\tA dog barks --> twice.\n",
        ),
        (
            "vtt",
            "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nIt is loud.\n\n"
            "00:00:00.250 --> 00:00:01.000\nSpeaker 1 speaks.\n\n"
            "00:00:00.500 --> 00:00:02.000\nA dog barks --&gt; twice.\n",
        ),
        ("rttm", "SPEAKER clip 1 0.250 0.750 <NA> <NA> speaker_1 <NA> <NA>\n"),
    ],
)
async def test_players_and_editors_get_their_own_formats(
    kind: str, text: str, url: str, tone: Callable[[float], bytes]
) -> None:
    assert (await describe(url, tone(2), response_format=kind))[:2] == (200, text)


async def test_what_cannot_be_described_is_refused_by_name(url: str, tone: Callable[[float], bytes]) -> None:
    status, text, _ = await describe(url, tone(2), response_format="xml")
    assert (status, '"param":"response_format"' in text) == (400, True)
    status, text, _ = await describe(url, tone(2), question="What?")
    assert (status, '"param":"question"' in text) == (400, True)
    async with aiohttp.ClientSession() as session, session.post(f"{url}/v1/audio/descriptions", json={}) as reply:
        assert reply.status == 400
