import asyncio

import numpy as np
import pytest

from services.captioners.acoustic import AcousticCaptioner
from services.types import SAMPLE_RATE, AudioClip

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def captioner() -> AcousticCaptioner:
    return AcousticCaptioner()


def hits(times_s: list[float], duration_s: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    samples = np.zeros(round(duration_s * SAMPLE_RATE), np.float32)
    for time_s in times_s:
        start, length = round(time_s * SAMPLE_RATE), 4_000
        samples[start : start + length] += 0.5 * (rng.standard_normal(length) * np.exp(-np.arange(length) / 500))
    return samples.clip(-1, 1)


def tone(hertz: float, duration_s: float) -> np.ndarray:
    times_s = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics = sum(np.sin(2 * np.pi * n * hertz * times_s) / n for n in range(1, 6))
    return np.asarray(0.2 * harmonics * np.exp(-2 * times_s), np.float32)


def heard(captioner: AcousticCaptioner, samples: np.ndarray, focus: str) -> list[str]:
    told = asyncio.run(captioner.caption(AudioClip(samples.astype(np.float32)), focus))
    return [statement.text for statement in told]


@pytest.mark.parametrize("number", [2, 5, 7])
def test_separate_events_are_counted(captioner: AcousticCaptioner, number: int) -> None:
    samples = hits([0.2 + 0.5 * index for index in range(number)], 0.5 * number + 0.5)
    assert heard(captioner, samples, "How many knocks are there?") == [f"Number of separate events: {number}."]


def test_what_a_recogniser_counts_is_not_counted_as_events(captioner: AcousticCaptioner) -> None:
    assert heard(captioner, hits([0.2, 0.7], 1.5), "count: How many digits are spoken?") == []


def test_a_tempo_is_told_as_it_is_asked_about(captioner: AcousticCaptioner) -> None:
    samples = hits([0.1 + 0.5 * index for index in range(16)], 8.5)
    options = "; options: 90 BPM; 121 BPM; 65 BPM"
    assert heard(captioner, samples, f"tempo: What is the tempo?{options}") == ["Tempo: 121 BPM."]
    assert heard(captioner, samples, "tempo: What is the tempo?; options: 200 BPM") == ["Tempo: 120 BPM."]
    assert heard(captioner, samples, "tempo: What happens to the tempo?") == ["The tempo is constant."]


def test_the_course_of_a_melody(captioner: AcousticCaptioner) -> None:
    rising = np.concatenate([tone(hertz, 0.5) for hertz in (262, 294, 330, 349, 392, 440)])
    (said,) = heard(captioner, rising, "How does the pitch of the melody move?")
    assert said == "Course of the melody: the pitch goes steadily upwards (ascending)."


@pytest.mark.parametrize("hertz", [220, 440, 990])
def test_the_frequency_of_a_tone(captioner: AcousticCaptioner, hertz: int) -> None:
    sine = 0.4 * np.sin(2 * np.pi * hertz * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE)
    (said,) = heard(captioner, sine, "pitch: What is its frequency in Hz?")
    assert abs(float(said.removeprefix("Pitch: ").removesuffix(" Hz.")) / hertz - 1) < 0.005
    options = f"; options: {hertz / 2:.0f} hz; {hertz + 2} hz"
    assert heard(captioner, sine, f"pitch: How high is it?{options}") == [f"Pitch: {hertz + 2} Hz."]


def test_a_tone_is_named_as_a_note_where_nobody_asks_for_hertz(captioner: AcousticCaptioner) -> None:
    assert heard(captioner, tone(440, 2), "pitch: What is its pitch?; options: A4; C5") == ["Pitch: A4."]
    assert heard(captioner, tone(440, 2), "pitch: How does the pitch of the melody move?") == []


def test_a_key_is_spelt_as_it_is_asked_about(captioner: AcousticCaptioner) -> None:
    scale = [63 + step for step in (0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0)]
    played = np.concatenate([tone(440 * 2 ** ((pitch - 69) / 12), 0.4) for pitch in scale])
    for options, key in (("e major; d# major", "D# major"), ("e major; f major", "E flat major")):
        assert heard(captioner, played, f"key: In which key is it?; options: {options}") == [f"Key: {key}."]


def test_strokes_are_no_number_of_words(captioner: AcousticCaptioner) -> None:
    samples = hits([0.2, 0.7, 1.2], 2.0)
    for question in ("How many words are said?", "How many spoken digits are there?", "How many times is it said?"):
        assert heard(captioner, samples, question) == []
    (said,) = heard(captioner, samples, "How many times does the door slam?")
    assert said == "Number of separate events: 3."


@pytest.mark.parametrize("topic", ["order", "count", "tempo", "key", "pitch", "emotion", "speaker", "sound"])
def test_nothing_is_said_of_silence(captioner: AcousticCaptioner, topic: str) -> None:
    assert heard(captioner, np.zeros(2 * SAMPLE_RATE, np.float32), f"{topic}: What is it?; options: rain; dog") == []


def test_a_focus_leaves_the_caption_of_everything_as_it_is(captioner: AcousticCaptioner) -> None:
    clip = AudioClip(hits([0.2, 0.7, 1.2], 2.0).astype(np.float32))
    before = asyncio.run(captioner.caption(clip))
    asyncio.run(captioner.caption(clip, "How many knocks are there?"))
    assert asyncio.run(captioner.caption(clip)) == before


def test_a_sound_that_is_hardly_heard_answers_only_a_question_about_sounds(captioner: AcousticCaptioner) -> None:
    samples, options = hits([0.2, 0.7, 1.2], 2.0), "; options: An aeroplane; A violin"
    assert heard(captioner, samples, f"Where was this recorded?{options}") == []
    (said,) = heard(captioner, samples, f"sound: Which sound is heard?{options}")
    assert said.startswith("Of the sounds asked about, most like: ")
