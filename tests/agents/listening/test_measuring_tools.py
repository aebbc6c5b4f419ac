import numpy as np
import pytest

from agents.listening.measuring_tools import (
    CompareArguments,
    SoundArguments,
    compare,
    find_sound,
    tell_changes,
    tell_spectrum,
)
from agents.listening.tool import ListenedClip, Listeners, SpanArguments
from services.errors import BadRequest
from services.measurement import analyser
from services.measurement.comparison import Pace, SoundComparison
from services.scripted.ears import ScriptedEars
from services.types import SAMPLE_RATE, AudioClip

DEAF = Listeners(ScriptedEars(), ScriptedEars())


def tone(hertz: float, level: float, seconds: float = 3.0) -> np.ndarray:
    return np.asarray(
        level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE), np.float32
    )


async def test_the_spectrum_of_a_span_is_stated_in_hertz_and_decibels() -> None:
    clip = AudioClip(np.concatenate([tone(300, 0.1), tone(880, 0.1)]))
    found = (await tell_spectrum(DEAF, ListenedClip(clip), SpanArguments(start_s=3.5, end_s=5.5))).findings
    assert [one.text for one in found[:2]] == ["Fundamental frequency: 880 Hz.", "Frequencies: 844 to 922 Hz."]
    assert found[2].text.startswith("Noise floor: -23 dBFS")
    assert all((one.start_s, one.end_s, one.reliability, one.confidence) == (3.5, 5.5, "measured", 1) for one in found)
    silence = ListenedClip(AudioClip(np.zeros(SAMPLE_RATE, np.float32)))
    assert (await tell_spectrum(DEAF, silence, SpanArguments())).findings == ()


async def test_changes_are_stated_with_their_times_in_the_recording() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 12 * SAMPLE_RATE).astype(np.float32)
    heard = noise * np.repeat([0.005, 0.05, 0.005], 4 * SAMPLE_RATE).astype(np.float32)
    found = (await tell_changes(DEAF, ListenedClip(AudioClip(heard)), SpanArguments(start_s=1))).findings
    assert [one.text for one in found] == [
        "At 4.0 s: something begins, 20 dB louder from then on.",
        "At 8.0 s: something ends, 20 dB quieter from then on.",
    ]
    assert [one.start_s for one in found] == [pytest.approx(4, abs=0.1), pytest.approx(8, abs=0.1)]


@pytest.mark.parametrize(
    ("comparison", "texts"),
    [
        (
            SoundComparison(6.0, 2.0, Pace(90, 135, "BPM"), None, 0.9),
            (
                "In the second, compared with the first: the same sound (0.90).",
                "The second is 6.0 dB louder than the first.",
                "The second is 12.0 semitones higher than the first.",
                "The second is faster than the first: 90.0 and 135.0 BPM.",
            ),
        ),
        (
            SoundComparison(-3.0, 0.5, Pace(4, 3, "syllables a second"), 0.2, None),
            (
                "In the second, compared with the first: a different speaker (0.80).",
                "The second is 3.0 dB quieter than the first.",
                "The second is 12.0 semitones lower than the first.",
                "The second is slower than the first: 4.0 and 3.0 syllables a second.",
            ),
        ),
        (
            SoundComparison(0.2, 1.01, Pace(100, 101, "BPM"), None, None),
            (
                "The second is as loud as the first.",
                "The second is as high as the first.",
                "The second is as fast as the first: 100.0 and 101.0 BPM.",
            ),
        ),
        (SoundComparison(None, None, None, None, None), ()),
    ],
)
async def test_what_two_spans_have_in_common_is_stated(
    comparison: SoundComparison, texts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = list[float]()

    async def answer(first: AudioClip, second: AudioClip) -> SoundComparison:
        compared.extend((first.duration_s, second.duration_s))
        return comparison

    monkeypatch.setattr(analyser, "compare", answer)
    clip = AudioClip(tone(440, 0.1))
    spans = CompareArguments(end_s=1, other_start_s=1, other_end_s=3)
    assert [one.text for one in (await compare(DEAF, ListenedClip(clip), spans)).findings] == list(texts)
    other = ListenedClip(clip, other=AudioClip(tone(440, 0.1, seconds=2)))
    await compare(DEAF, other, CompareArguments())
    assert compared == [1, 2, 3, 2]


async def test_two_spans_that_are_one_and_one_behind_the_end_are_refused() -> None:
    heard = ListenedClip(AudioClip(tone(440, 0.1)))
    with pytest.raises(BadRequest, match="Both spans are the same"):
        await compare(DEAF, heard, CompareArguments())
    with pytest.raises(BadRequest, match="other_start_s is 4, but the recording lasts 3"):
        await compare(DEAF, heard, CompareArguments(other_start_s=4))


@pytest.mark.weights
async def test_a_sound_that_the_tagger_cannot_name_is_refused_with_what_works() -> None:
    heard = ListenedClip(AudioClip(tone(440, 0.1)))
    with pytest.raises(BadRequest, match="'xyzzy' names no sound that the tagger knows; name it in English"):
        await find_sound(DEAF, heard, SoundArguments(sound="xyzzy"))
    assert (await find_sound(DEAF, heard, SoundArguments(sound="dog barking"))).findings == ()
