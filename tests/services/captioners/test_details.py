import asyncio

import numpy as np
import pytest

from services.captioners.acoustic import AcousticCaptioner
from services.captioners.music.families import read_families
from services.types import SAMPLE_RATE, AudioClip, Focus, Topic

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


def heard(
    captioner: AcousticCaptioner, samples: np.ndarray, question: str, *options: str, topic: Topic | None = None
) -> list[str]:
    focus = Focus(topic=topic, question=question, options=options)
    told = asyncio.run(captioner.caption(AudioClip(samples.astype(np.float32)), focus))
    return [statement.text for statement in told]


@pytest.mark.parametrize("number", [2, 5, 7])
def test_separate_events_are_counted(captioner: AcousticCaptioner, number: int) -> None:
    samples = hits([0.2 + 0.5 * index for index in range(number)], 0.5 * number + 0.5)
    (said,) = heard(captioner, samples, "How many knocks are there?")
    assert said.startswith(f"Number of separate events: {number}, at 0.2")
    assert said.endswith(" s, 0.5 s apart.")


def test_a_question_about_beats_in_a_bar_is_answered_by_the_metre_not_the_tempo(captioner: AcousticCaptioner) -> None:
    strong = hits([0.1 + 1.5 * index for index in range(8)], 12.5)
    samples = strong + 0.3 * hits([0.1 + 0.5 * index for index in range(24)], 12.5)
    asked = "After how many does the pattern start over?"
    for options in (("5", "3", "4"), ("five", "three", "four")):
        assert heard(captioner, samples, asked, *options, topic="tempo") == ["Beats in each bar: 3."]
    assert "bpm" in heard(captioner, samples, asked, "120 bpm", "60 bpm", topic="tempo")[0]


def test_what_a_recogniser_counts_is_not_counted_as_events(captioner: AcousticCaptioner) -> None:
    assert heard(captioner, hits([0.2, 0.7], 1.5), "How many digits are spoken?", topic="count") == []


def test_a_tempo_is_told_as_it_is_asked_about(captioner: AcousticCaptioner) -> None:
    samples = hits([0.1 + 0.5 * index for index in range(16)], 8.5)
    options = ("90 BPM", "121 BPM", "65 BPM")
    (said,) = heard(captioner, samples, "What is the tempo?", *options, topic="tempo")
    assert said.startswith("Of the tempi asked about, most like: 121 bpm (0.9")
    assert heard(captioner, samples, "What is the tempo?", "121 BPM", topic="tempo") == ["Tempo: 121 BPM."]
    assert heard(captioner, samples, "What is the tempo?", "200 BPM", topic="tempo") == ["Tempo: 120 BPM."]
    assert heard(captioner, samples, "What happens to the tempo?", topic="tempo") == ["The tempo is constant."]


def test_the_course_of_a_melody(captioner: AcousticCaptioner) -> None:
    rising = np.concatenate([tone(hertz, 0.5) for hertz in (262, 294, 330, 349, 392, 440)])
    (said,) = heard(captioner, rising, "How does the pitch of the melody move?")
    assert said == "Course of the melody: the pitch goes steadily upwards (ascending)."


@pytest.mark.parametrize("hertz", [220, 440, 990])
def test_the_frequency_of_a_tone(captioner: AcousticCaptioner, hertz: int) -> None:
    sine = 0.4 * np.sin(2 * np.pi * hertz * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE)
    (said,) = heard(captioner, sine, "What is its frequency in Hz?", topic="pitch")
    assert abs(float(said.removeprefix("Pitch: ").removesuffix(" Hz.")) / hertz - 1) < 0.005
    options = (f"{hertz / 2:.0f} Hz", f"{hertz + 2} Hz")
    assert heard(captioner, sine, "How high is it?", *options, topic="pitch") == [f"Pitch: {hertz + 2} Hz."]


def test_a_tone_is_named_as_a_note_where_nobody_asks_for_hertz(captioner: AcousticCaptioner) -> None:
    assert heard(captioner, tone(440, 2), "What is its pitch?", "A4", "C5", topic="pitch") == ["Pitch: A4."]
    assert heard(captioner, tone(440, 2), "How does the pitch of the melody move?", topic="pitch") == []


def test_a_key_is_spelt_as_it_is_asked_about(captioner: AcousticCaptioner) -> None:
    scale = [63 + step for step in (0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0)]
    played = np.concatenate([tone(440 * 2 ** ((pitch - 69) / 12), 0.4) for pitch in scale])
    for option, key in (("D# major", "D# major"), ("F major", "E flat major")):
        assert heard(captioner, played, "In which key is it?", "E major", option, topic="key") == [f"Key: {key}."]


def test_strokes_are_not_a_number_of_words(captioner: AcousticCaptioner) -> None:
    samples = hits([0.2, 0.7, 1.2], 2.0)
    for question in ("How many words are said?", "How many spoken digits are there?", "How many times is it said?"):
        assert heard(captioner, samples, question) == []
    (said,) = heard(captioner, samples, "How many times does the door slam?")
    assert said == "Number of separate events: 3, at 0.2, 0.7 and 1.2 s."


@pytest.mark.parametrize("topic", ["order", "count", "tempo", "key", "pitch", "emotion", "speaker", "sound"])
def test_nothing_is_said_of_silence(captioner: AcousticCaptioner, topic: Topic) -> None:
    assert heard(captioner, np.zeros(2 * SAMPLE_RATE, np.float32), "What is it?", "rain", "dog", topic=topic) == []


def test_a_focus_leaves_the_caption_of_everything_as_it_is(captioner: AcousticCaptioner) -> None:
    clip = AudioClip(hits([0.2, 0.7, 1.2], 2.0).astype(np.float32))
    before = asyncio.run(captioner.caption(clip))
    asyncio.run(captioner.caption(clip, Focus(question="How many knocks are there?")))
    assert asyncio.run(captioner.caption(clip)) == before


def test_a_sound_that_is_hardly_heard_answers_only_a_question_about_sounds(captioner: AcousticCaptioner) -> None:
    samples, options = hits([0.2, 0.7, 1.2], 2.0), ("An aeroplane", "A violin")
    assert heard(captioner, samples, "Where was this recorded?", *options) == []
    (said,) = heard(captioner, samples, "Which sound is heard?", *options, topic="sound")
    assert said.startswith("Of the sounds asked about, most like: ")


def test_that_no_instrument_plays_may_be_an_option(captioner: AcousticCaptioner) -> None:
    options = ("Piano", "No instrument", "Flute")
    (told,) = heard(captioner, tone(440, 2.0), "Which instrument is playing?", *options, topic="instrument")
    assert told.startswith("Of the instruments asked about, most like: piano (")


def test_instruments_and_different_sounds_are_counted_not_their_strokes(captioner: AcousticCaptioner) -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, 2 * SAMPLE_RATE).astype(np.float32)
    samples = np.concatenate([noise, np.zeros(SAMPLE_RATE // 2, np.float32), tone(440, 2.0)])
    asked = "How many different sounds are heard?"
    assert heard(captioner, samples, asked, topic="count") == ["Number of different sounds: 2."]
    assert heard(captioner, tone(440, 2.0), asked, topic="count") == []
    told = heard(captioner, hits([0.2, 0.7, 1.2], 2.0), "How many instruments play?", topic="count")
    assert all(one.startswith("Number of different instruments: ") for one in told)
    (strokes,) = heard(captioner, hits([0.2, 0.7, 1.2], 2.0), "How many knocks are heard?", topic="count")
    assert strokes == "Number of separate events: 3, at 0.2, 0.7 and 1.2 s."


@pytest.mark.parametrize(
    "options",
    [("piano", "nylon-string guitar"), tuple(read_families()), ("Alto saxophone", "A brass instrument", "Piano")],
    ids=["instruments", "families", "both"],
)
def test_a_timeline_of_instruments_is_that_of_who_plays(captioner: AcousticCaptioner, options: tuple[str, ...]) -> None:
    notes = np.concatenate([tone(hertz, 0.5) for hertz in (262, 330, 392, 523) * 2])
    focus = Focus(topic="timeline", question="", options=options)
    told = asyncio.run(captioner.caption(AudioClip(notes.astype(np.float32)), focus))
    assert told
    shares = [sum(label.probability or 0.0 for label in one.labels) for one in told]  # each is rounded to a hundredth
    assert shares == pytest.approx([1.0] * len(told), abs=0.01 * len(options))


def beat(seconds: float) -> np.ndarray:
    """Return a bass drum four times in two seconds, with a cymbal between and a low saw-tooth: dance music."""
    times_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    within_s = times_s % 0.5
    drum = np.sin(2 * np.pi * 55 * within_s + 4 * np.exp(-30 * within_s)) * np.exp(-9 * within_s)
    cymbal = np.random.default_rng(0).standard_normal(len(times_s)) * np.exp(-60 * ((times_s + 0.25) % 0.5))
    saw = 2 * ((55 * times_s) % 1) - 1
    return np.asarray(0.5 * drum + 0.08 * cymbal + 0.1 * saw, np.float32)


def test_a_style_is_weighed_where_every_option_names_one(captioner: AcousticCaptioner) -> None:
    asked = "Which style is it?"
    (said,) = heard(captioner, beat(8), asked, "House or techno", "Classical music", "Folk", topic="style")
    assert said.startswith("Of the styles asked about, most like: house or techno (0.9")
    assert heard(captioner, beat(8), asked, "House or techno", "Something of his own", topic="style") == []
    assert any("Genre or style: most likely" in one for one in heard(captioner, beat(8), asked, topic="style"))


def test_what_is_not_music_has_no_style(captioner: AcousticCaptioner) -> None:
    assert heard(captioner, hits([0.5, 2.1, 2.9], 4), "Which style is it?", "Jazz", "Techno", topic="style") == []


def test_the_interval_of_two_notes_has_its_names_as_a_step_of_a_scale(captioner: AcousticCaptioner) -> None:
    two = np.concatenate([tone(hertz, 0.8) for hertz in (261.6, 293.7)])
    (said,) = heard(captioner, two, "Which interval is played?", "A whole tone", "A fifth", topic="pitch")
    assert said == "Interval: major second (2 semitones, a whole tone or whole step)."
    (moves,) = heard(captioner, two, "How does the melody move?", topic="pitch")
    assert moves.startswith("Course of the melody: the pitch goes steadily upwards")
