import asyncio

import numpy as np
import pytest

from agents.listening.hearing_tools import (
    ChannelArguments,
    FocusArguments,
    SpeedArguments,
    caption_with,
    hear_channel,
    hear_denoised,
    hear_raised,
    hear_slower,
    hear_span,
    plan_focus,
)
from agents.listening.tool import ListenedClip, Listeners, SpanArguments, ToolInput
from services.errors import BadRequest
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.rules import weigh
from services.types import SAMPLE_RATE, AudioClip, Evidence, Question


def noise(level: float, seconds: float = 6.0) -> AudioClip:
    samples = np.random.default_rng(0).normal(0, level, round(seconds * SAMPLE_RATE)).astype(np.float32)
    return AudioClip(samples, num_channels=2)


def word(text: str, start_s: float, end_s: float) -> Evidence:
    return Evidence(kind="transcript", source="asr", revision="1", text=text, start_s=start_s, end_s=end_s)


def open_ears() -> ScriptedEars:
    return ScriptedEars(lambda clip, _: (f"{clip.duration_s:.1f} s",), lambda _: (word("Hello.", 1.0, 2.0),))


def both(ears: ScriptedEars) -> Listeners:
    return Listeners(ears, ears)


def test_a_span_is_heard_by_captioner_asr_and_lalm_on_the_clock_of_the_recording() -> None:
    ears, lalm = open_ears(), ScriptedLALM(choose=weigh(0.2, 0.8), name="lalm")
    asked = FocusArguments(start_s=2, end_s=5, question="What is it?", options=("Rain", "A dog"))
    result = asyncio.run(hear_span(Listeners(ears, ears, lalm), ListenedClip(noise(0.1)), asked))
    assert [(one.kind, one.text, one.start_s, one.end_s) for one in result.findings] == [
        ("sound", "3.0 s", 2.0, 5.0),
        ("transcript", "Hello.", 3.0, 4.0),
        ("reply", "A dog (0.80), Rain (0.20)", 2.0, 5.0),
    ]
    assert result.derived is not None and result.derived.clip.duration_s == 3
    assert [label.text for label in result.findings[-1].labels] == ["A dog", "Rain"]


def test_a_silent_span_has_no_instrument_whoever_is_asked_for_one() -> None:
    """The captioner, asked for an instrument, names one."""
    ears = ScriptedEars(lambda _clip, focus: (f"Instrument: {focus}.",), lambda _: ())
    clip = AudioClip(np.concatenate([noise(0.1, 2).samples, np.zeros(4 * SAMPLE_RATE, np.float32)]))
    name = caption_with("instrument")
    found = [
        asyncio.run(name(both(ears), ListenedClip(clip), FocusArguments(start_s=start_s, end_s=start_s + 2))).findings
        for start_s in (0, 3)
    ]
    assert [len(one) for one in found] == [1, 0]


def test_without_a_question_or_a_lalm_a_span_is_heard_by_the_others() -> None:
    ears, lalm = open_ears(), ScriptedLALM(choose=weigh(0.2, 0.8))
    span, asked = FocusArguments(start_s=2, end_s=5), FocusArguments(start_s=2, end_s=5, question="What is it?")
    for listeners, arguments in ((Listeners(ears, ears, lalm), span), (both(ears), asked)):
        found = asyncio.run(hear_span(listeners, ListenedClip(noise(0.1)), arguments)).findings
        assert [one.kind for one in found] == ["sound", "transcript"]


def test_a_span_behind_the_end_is_refused_with_the_length() -> None:
    with pytest.raises(BadRequest, match=r"start_s is 7, but the recording lasts 6\.00 s"):
        asyncio.run(hear_span(both(open_ears()), ListenedClip(noise(0.1)), FocusArguments(start_s=7)))


@pytest.mark.parametrize(("start_s", "end_s"), [(0, 1e-9), (1, 1.00001), (5.999999, 6), (5.999999, None)])
def test_a_span_without_a_sample_is_refused(start_s: float, end_s: float | None) -> None:
    span = FocusArguments(start_s=start_s, end_s=end_s)
    with pytest.raises(BadRequest, match="there is not one sample"):
        asyncio.run(hear_span(both(open_ears()), ListenedClip(noise(0.1)), span))


@pytest.mark.parametrize("end_s", [0.001, 0.05, 0.0999])
def test_in_a_span_that_is_too_short_for_a_word_nobody_speaks(end_s: float) -> None:
    span = SpeedArguments(end_s=end_s, speed=0.5)
    assert asyncio.run(hear_slower(both(open_ears()), ListenedClip(noise(0.1)), span)).findings == ()


def test_noise_is_reduced_before_it_is_heard_and_where_there_is_none_nothing_is_said() -> None:
    ears, loud, silent = open_ears(), noise(0.05), noise(0.0001)
    result = asyncio.run(hear_denoised(both(ears), ListenedClip(loud), SpanArguments()))
    assert [one.text for one in result.findings] == ["6.0 s", "Hello."]
    assert float(np.std(ears.captioned[0].samples[SAMPLE_RATE:])) < 0.3 * 0.05
    assert asyncio.run(hear_denoised(both(ears), ListenedClip(silent), SpanArguments())) == ((), None)


def test_a_quiet_recording_is_raised_and_a_loud_or_silent_one_is_not() -> None:
    ears = open_ears()
    result = asyncio.run(hear_raised(both(ears), ListenedClip(noise(0.01)), SpanArguments(start_s=1, end_s=3)))
    assert float(np.abs(ears.captioned[0].samples).max()) == pytest.approx(0.9, abs=0.01)
    assert result.derived is not None and result.derived.derivation.tool == "raise level"
    assert [(one.start_s, one.end_s) for one in result.findings] == [(1.0, 3.0), (2.0, 3.0)]
    assert "0:01-0:03 (0 s is 0:01): 2.0 s" in result.findings[0].text
    for clip in (noise(0.3), AudioClip(np.zeros(SAMPLE_RATE, np.float32))):
        assert asyncio.run(hear_raised(both(ears), ListenedClip(clip), SpanArguments())) == ((), None)


def test_slowed_speech_keeps_the_times_of_the_recording() -> None:
    asked = SpeedArguments(start_s=2, end_s=6, speed=0.5)
    result = asyncio.run(hear_slower(both(open_ears()), ListenedClip(noise(0.1)), asked))
    assert [(one.text, one.start_s, one.end_s) for one in result.findings] == [("Hello.", 2.5, 3.0)]


def test_one_channel_is_read_from_the_file_and_one_that_is_not_there_is_refused() -> None:
    clip, read = noise(0.1), list[int]()

    def open_channel(channel: int) -> AudioClip:
        read.append(channel)
        return noise(0.01)

    heard = ListenedClip(clip, open_channel=open_channel)
    result = asyncio.run(hear_channel(both(open_ears()), heard, ChannelArguments(channel=2)))
    assert read == [2] and result.derived is not None and result.derived.derivation.source == clip.sha256[:12]
    with pytest.raises(BadRequest, match="channel is 3, but the recording has 2"):
        asyncio.run(hear_channel(both(open_ears()), heard, ChannelArguments(channel=3)))
    with pytest.raises(BadRequest, match="`earwitness mcp` read one by itself from a file"):
        asyncio.run(hear_channel(both(open_ears()), ListenedClip(clip), ChannelArguments(channel=1)))


def test_of_a_long_recording_only_a_part_that_the_question_names_is_heard_again() -> None:
    long = AudioClip(np.zeros(SAMPLE_RATE * 100, np.float32))
    named = plan_focus(ToolInput(Question.ask("What is heard from 10 to 20 s?"), long, ()))
    assert named is not None and (named.start_s, named.end_s) == (10.0, 20.0)
    assert plan_focus(ToolInput(Question.ask("What is heard?"), long, ())) is None
