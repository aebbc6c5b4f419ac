import numpy as np
import pytest

from agents.listening.measuring_tools import (
    ChangeArguments,
    SoundArguments,
    SpectrumArguments,
    find_sound,
    plan_changes,
    plan_sound,
    tell_changes,
    tell_spectrum,
)
from agents.listening.tool import ListenedClip, Listeners, ToolInput
from services.errors import BadRequest
from services.scripted.ears import ScriptedEars
from services.types import SAMPLE_RATE, AudioClip, Question

DEAF = Listeners(ScriptedEars(), ScriptedEars())


def tone(hertz: float, level: float, seconds: float = 3.0) -> np.ndarray:
    return np.asarray(
        level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE), np.float32
    )


async def test_the_spectrum_of_a_span_is_stated_in_hertz_and_decibels() -> None:
    clip = AudioClip(np.concatenate([tone(300, 0.1), tone(880, 0.1)]))
    found = (await tell_spectrum(DEAF, ListenedClip(clip), SpectrumArguments(start_s=3.5, end_s=5.5))).findings
    assert [one.text for one in found[:2]] == ["Fundamental frequency: 880 Hz.", "Frequencies: 844 to 922 Hz."]
    assert found[2].text.startswith("Noise floor: -23 dBFS")
    assert all((one.start_s, one.end_s, one.reliability, one.confidence) == (3.5, 5.5, "measured", 1) for one in found)
    silence = ListenedClip(AudioClip(np.zeros(SAMPLE_RATE, np.float32)))
    assert (await tell_spectrum(DEAF, silence, SpectrumArguments())).findings == ()


async def test_the_floor_or_the_highest_frequency_weighs_the_values_that_are_asked_about() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 3 * SAMPLE_RATE).astype(np.float32)
    for options, likeliest in ((("-60 dBFS", "-40 dBFS"), "-40 dBFS"), (("1 kHz", "4 kHz", "8 kHz"), "8 kHz")):
        heard = ListenedClip(AudioClip(noise))
        found = (await tell_spectrum(DEAF, heard, SpectrumArguments(options=options))).findings
        assert found[-1].labels[0].text == likeliest and (found[-1].labels[0].probability or 0) > 0.7
    assert found[-1].text.startswith("Of the values asked about: 8 kHz (")


async def test_changes_are_stated_with_their_times_in_the_recording() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 12 * SAMPLE_RATE).astype(np.float32)
    heard = noise * np.repeat([0.005, 0.05, 0.005], 4 * SAMPLE_RATE).astype(np.float32)
    found = (await tell_changes(DEAF, ListenedClip(AudioClip(heard)), ChangeArguments(start_s=1))).findings
    assert [one.text for one in found] == [
        "At 4.0 s: something begins, 20 dB louder from then on.",
        "At 8.0 s: something ends, 20 dB quieter from then on.",
    ]
    assert [one.start_s for one in found] == [pytest.approx(4, abs=0.1), pytest.approx(8, abs=0.1)]


def ask(text: str, *options: str) -> ToolInput:
    return ToolInput(Question.ask(text, options), AudioClip(np.zeros(10 * SAMPLE_RATE, np.float32)), ())


@pytest.mark.slow
def test_the_sound_and_the_times_of_a_question_are_looked_for() -> None:
    assert plan_sound(ask("When does the dog bark?", "At 1 s", "At 5 s")) == SoundArguments(
        sound="dog", options=("At 1 s", "At 5 s")
    )
    assert plan_sound(ask("When does it begin?", "At 1 s", "At 5 s")) is None
    long = AudioClip(np.zeros(91 * SAMPLE_RATE, np.float32))
    assert plan_sound(ToolInput(Question.ask("When does the dog bark?"), long, ())) is None
    assert plan_changes(ToolInput(Question.ask("When does it change?"), long, ())) is None


async def test_the_time_of_a_change_weighs_the_times_that_are_asked_about() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 8 * SAMPLE_RATE).astype(np.float32)
    heard = ListenedClip(AudioClip(noise * np.repeat([0.005, 0.05], 4 * SAMPLE_RATE).astype(np.float32)))
    found = (await tell_changes(DEAF, heard, ChangeArguments(options=("At 1 s", "At 4 s", "At 7 s")))).findings
    assert found[-1].labels[0].text == "At 4 s" and len(found) == 2


async def test_the_longest_pause_weighs_the_lengths_that_are_asked_about() -> None:
    options = ("1 second", "3 seconds", "6 seconds")
    arguments = plan_changes(ask("How long is the silence between the two tones?", *options))
    assert arguments == ChangeArguments(options=options, are_lengths=True)
    silence = [np.zeros(round(length_s * SAMPLE_RATE), np.float32) for length_s in (0.5, 3.0)]
    heard = np.concatenate([tone(440, 1.0), silence[0], tone(440, 1.0), silence[1], tone(440, 1.0)])
    found = (await tell_changes(DEAF, ListenedClip(AudioClip(heard)), arguments)).findings
    assert found[-2].text in {"The longest pause lasts 3.0 seconds.", "The longest pause lasts 2.9 seconds."}
    assert found[-1].labels[0].text == "3 seconds" and (found[-1].labels[0].probability or 0) > 0.9
    assert plan_changes(ask("When is it silent?", *options)) == ChangeArguments(options=options)


@pytest.mark.weights
async def test_a_sound_that_the_tagger_cannot_name_is_refused_with_what_works() -> None:
    heard = ListenedClip(AudioClip(tone(440, 0.1)))
    with pytest.raises(BadRequest, match="'xyzzy' names no sound that the tagger knows; name it in English"):
        await find_sound(DEAF, heard, SoundArguments(sound="xyzzy"))
    assert (await find_sound(DEAF, heard, SoundArguments(sound="dog barking"))).findings == ()
