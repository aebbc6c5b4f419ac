import numpy as np
import pytest

from agents.listening.calls import call_tool, describe_tools, read_arguments
from agents.listening.tool import ListenedClip, Listeners
from agents.listening.tools import CATALOGUE, find_tool
from services.errors import BadRequest, UnknownName
from services.scripted.ears import ScriptedEars
from services.types import AudioClip

CLIP = AudioClip(np.random.default_rng(0).normal(0, 0.1, 16_000 * 4).astype(np.float32))


def listeners(*words: str) -> Listeners:
    ears = ScriptedEars(words=lambda _: words)
    return Listeners(ears, ears)


def test_every_tool_says_what_it_finds_when_it_finds_nothing_and_which_arguments_it_takes() -> None:
    described = {one.name: one for one in describe_tools()}
    assert len(described) == len(CATALOGUE) == 28
    assert all(one.description.endswith(".") and one.says_nothing.endswith(".") for one in described.values())
    assert described["times-said"].arguments["required"] == ["phrase"]
    speed = described["slower"].arguments["properties"]["speed"]
    assert (speed["minimum"], speed["exclusiveMaximum"], speed["default"]) == (0.5, 1, 0.75)
    assert described["find-sound"].languages == ("en",) and described["times-said"].languages == ()
    assert described["spectrum"].reliability == "measured"
    for one in described.values():
        assert all("description" in field for field in one.arguments["properties"].values()), one.name


@pytest.mark.parametrize("name", ["times said", "times-said", "Times_Said"])
def test_a_tool_is_found_however_its_words_are_joined(name: str) -> None:
    assert find_tool(name) is CATALOGUE["times said"]


def test_an_unknown_tool_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(UnknownName, match=r"No tool named 'pitchfork'\. Known: times-said, words, .*, one-channel\."):
        find_tool("pitchfork")


@pytest.mark.parametrize(
    ("tool", "given", "message"),
    [
        ("times-said", {}, "phrase is missing. It takes phrase (required)."),
        ("times-said", {"phrase": ""}, "phrase is '': String should have at least 1 character."),
        (
            "where-said",
            {"phrase": " ... "},
            "phrase is ' ... ': no word is in it. It takes phrase (required), options.",
        ),
        ("times-said", {"phrase": "no", "word": "no"}, "word is not an argument of it. It takes phrase (required)."),
        (
            "words",
            {"unit": "letters"},
            "unit is 'letters': Input should be 'words' or 'digits'. It takes unit, phrase.",
        ),
        ("slower", {"speed": "2"}, "speed is '2': Input should be less than 1. It takes start_s, end_s, speed."),
        ("span", {"end_s": "inf"}, "end_s is 'inf': Input should be a finite number."),
        ("span", {"start_s": "2", "end_s": "1"}, "end_s is 1, which is not after start_s, 2."),
        (
            "compare",
            {"other_start_s": "2", "other_end_s": "1"},
            "other_end_s is 1, which is not after",
        ),
        ("alternatives", {"x": 1}, "x is not an argument of it. It takes none."),
    ],
)
def test_an_argument_that_cannot_be_used_is_named_with_those_that_work(
    tool: str, given: dict[str, object], message: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        read_arguments(find_tool(tool), given)
    assert str(caught.value).startswith(f"Tool {tool!r}: ") and message in str(caught.value)


async def test_a_call_tells_what_was_found_in_which_recording() -> None:
    report, derived = await call_tool(listeners("No, no, and no."), ListenedClip(CLIP), "times-said", {"phrase": "no"})
    assert [one.text for one in report.findings] == ["Number of times that 'no' is said: 3."]
    assert (report.tool, report.recording, report.says_nothing) == ("times-said", CLIP.sha256[:12], None)
    assert report.derived is derived is None


async def test_a_call_that_finds_nothing_says_what_that_may_mean() -> None:
    report, _ = await call_tool(listeners("Yes."), ListenedClip(CLIP), "times-said", {"phrase": "no"})
    assert report.findings == () and report.says_nothing == CATALOGUE["times said"].says_nothing


async def test_a_derived_recording_has_an_id_and_says_what_it_was_made_of() -> None:
    report, derived = await call_tool(listeners("Yes."), ListenedClip(CLIP), "slower", {"speed": "0.5"})
    assert derived is not None and report.derived is not None
    assert report.derived.id == derived.clip.sha256[:12] != report.recording == report.derived.source
    assert report.derived.duration_s == pytest.approx(8, abs=0.2)
    assert report.model_dump(mode="json")["derived"]["arguments"] == {"start_s": 0.0, "end_s": None, "speed": 0.5}
