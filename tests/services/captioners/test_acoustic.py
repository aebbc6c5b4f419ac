import subprocess
import sys

import numpy as np
import pytest

from services.audio import load as audio
from services.captioners.acoustic import AcousticCaptioner
from services.captioners.sounds.sections import SoundTagger
from services.captioners.sounds.yamnet import YamNet
from services.types import SAMPLE_RATE, AudioClip, Evidence, Focus
from services.weights import store as weights

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def captioner() -> AcousticCaptioner:
    return AcousticCaptioner()


def noise(duration_s: float, rms: float = 0.1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, rms, round(duration_s * SAMPLE_RATE)).clip(-1, 1).astype(np.float32)


def demo(name: str, file: str, seconds: float = 12.0) -> AudioClip:
    samples = audio.load(weights.ensure_folder(name) / file).samples
    return AudioClip(samples[: round(seconds * SAMPLE_RATE)])


def text(told: tuple[Evidence, ...]) -> str:
    return " ".join(statement.text for statement in told)


def test_silence_is_one_statement(captioner: AcousticCaptioner) -> None:
    (statement,) = captioner.describe(AudioClip(np.zeros(3 * SAMPLE_RATE, np.float32)))
    assert statement.text.startswith("Silence")


@pytest.mark.parametrize("duration_s", [0.01, 0.05, 0.3])
def test_the_shortest_clips_get_few_statements(captioner: AcousticCaptioner, duration_s: float) -> None:
    told = captioner.describe(AudioClip(noise(duration_s)))
    assert 1 <= len(told) <= 5
    assert "peech" not in text(tuple(one for one in told if one.kind != "absence"))


def test_white_noise_is_neither_speech_nor_music(captioner: AcousticCaptioner) -> None:
    told = captioner.describe(AudioClip(noise(4)))
    assert "noise" in text(told)
    assert not {"speaker", "melody", "segment"} & {statement.kind for statement in told}
    (absent,) = (statement for statement in told if statement.kind == "absence")
    assert absent.text.startswith("Nobody speaks: no speech (0.95)")
    assert absent.end_s is None  # of the whole clip: a prompt needs no times


def test_statements_lie_inside_the_clip_in_order_with_source_and_confidence(captioner: AcousticCaptioner) -> None:
    samples = np.concatenate([noise(2), np.zeros(SAMPLE_RATE, np.float32), noise(2, 0.3)])
    told = captioner.describe(AudioClip(samples))
    assert [statement.start_s for statement in told] == sorted(statement.start_s for statement in told)
    assert all(0 <= statement.start_s <= (statement.end_s or 5.0) <= 5.0 for statement in told)
    assert all(statement.source and statement.revision for statement in told)
    assert all(0 <= (statement.confidence or 0) <= 1 for statement in told)


def test_a_long_clip_is_described_to_its_end_in_its_own_time(captioner: AcousticCaptioner) -> None:
    told = captioner.describe(AudioClip(np.concatenate([np.zeros(70 * SAMPLE_RATE, np.float32), noise(30)])))
    assert any(statement.kind == "sound" and statement.start_s >= 70 for statement in told)
    assert max(statement.end_s or 0 for statement in told) == pytest.approx(100, abs=0.1)


def test_a_reader_is_one_adult_speaker(captioner: AcousticCaptioner) -> None:
    told = captioner.describe(demo("demo-speech", "two_cities.wav"))
    who = next(statement.text for statement in told if statement.kind == "speaker")
    assert who in ("One speaker: a man.", "One speaker: a woman.")
    assert "Speech at" in text(told)


def test_what_is_heard_is_not_called_absent(captioner: AcousticCaptioner) -> None:
    absent = {
        name: [one.text for one in captioner.describe(demo(f"demo-{name}", file)) if one.kind == "absence"]
        for name, file in (("speech", "two_cities.wav"), ("drums", "drumloop.wav"))
    }
    assert absent["drums"] in ([], ["Nobody speaks: no speech (0.95)."])
    assert not any("Nobody speaks" in one for one in absent["speech"])


def test_water_is_heard_as_water(captioner: AcousticCaptioner) -> None:
    told = captioner.describe(demo("demo-water", "water.wav"))
    sound = next(statement.text for statement in told if statement.kind == "sound")
    assert any(word in sound for word in ("water", "liquid", "stream", "pouring"))


def test_a_caption_is_short_enough_for_a_small_reader(captioner: AcousticCaptioner) -> None:
    for name, file in (("demo-speech", "two_cities.wav"), ("demo-drums", "drumloop.wav")):
        assert len(text(captioner.describe(demo(name, file, 10.0))).split()) <= 220


async def test_caption_says_what_describe_says(captioner: AcousticCaptioner) -> None:
    clip = AudioClip(noise(1))
    assert await captioner.caption(clip) == captioner.describe(clip)
    focus = Focus(topic="sound", question="Which?", options=("white noise",))
    assert await captioner.caption(clip, focus) == captioner.describe(clip, focus)


def test_the_scores_are_not_in_steps_of_the_8_bit_export() -> None:
    scores = YamNet(weights.ensure_folder("yamnet"))(noise(3))
    assert len(np.unique(scores.logits)) > 0.99 * scores.logits.size
    assert scores.embeddings.shape == (len(scores.centres_s), 1024)


def test_the_parts_of_a_long_clip_say_from_where_their_seconds_count(captioner: AcousticCaptioner) -> None:
    told = captioner.describe(AudioClip(noise(70)))
    starts = {statement.text.split(" (times counted")[0] for statement in told if statement.kind != "absence"}
    assert starts == {"From 0 to 60 s", "From 60 to 70 s"}
    assert all((statement.end_s or 0) <= 70.01 for statement in told)


def test_samples_are_scored_once_for_all_that_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    yamnet = YamNet(weights.ensure_folder("yamnet"))
    score, scored = yamnet._score, list[int]()
    monkeypatch.setattr(yamnet, "_score", lambda samples: (scored.append(len(samples)), score(samples))[1])
    clip, tagger = AudioClip(noise(3)), SoundTagger(yamnet)
    first = tagger(clip, ())
    assert scored == [3 * SAMPLE_RATE]  # the clip is one stretch of one sound
    assert tagger(clip, ()) == first
    assert len(scored) == 1
    tagger(AudioClip(noise(3, 0.2)), ())
    assert len(scored) == 2


def test_the_revision_is_known_before_anything_is_opened() -> None:
    code = (
        "import sys; from services.captioners.acoustic import AcousticCaptioner; print(AcousticCaptioner().revision); "
        "assert not {'onnxruntime', 'scipy', 'faster_whisper', 'torch'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == AcousticCaptioner().revision


def test_a_hiss_far_below_the_tone_before_it_has_its_time(captioner: AcousticCaptioner) -> None:
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE)
    told = captioner.describe(AudioClip(np.concatenate([tone.astype(np.float32), noise(3, 0.005)])))
    events = [statement for statement in told if (statement.kind, statement.source) == ("event", "yamnet")]
    assert [round(event.start_s, 1) for event in events] == [0.0, 3.0]
    assert "noise" in events[1].text
    assert "suddenly becomes quieter, at 3.0 s" in text(told)


def test_a_hiss_behind_what_is_said_has_its_time(captioner: AcousticCaptioner) -> None:
    speech = demo("demo-speech", "two_cities.wav", 4.0).samples
    told = captioner.describe(AudioClip(np.concatenate([speech, noise(3, 0.02)])))
    (event,) = [statement for statement in told if (statement.kind, statement.source) == ("event", "yamnet")]
    assert (event.start_s, event.end_s) == pytest.approx((4.0, 7.0), abs=0.1)
    assert "noise" in event.text


def test_what_ends_before_somebody_speaks_is_not_behind_the_voice(captioner: AcousticCaptioner) -> None:
    drums = demo("demo-drums", "drumloop.wav", 4.0).samples
    speech = demo("demo-speech", "two_cities.wav", 6.0).samples
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    before = captioner.describe(AudioClip(np.concatenate([np.resize(drums, 4 * SAMPLE_RATE), pause, speech])))
    assert any("music" in one.text and one.kind == "event" and (one.end_s or 9) < 4.6 for one in before)
    assert not any("Behind the voice" in one.text and "music" in one.text for one in before)
    throughout = 0.15 * np.resize(drums, 10 * SAMPLE_RATE)
    throughout[4 * SAMPLE_RATE :] += speech
    during = captioner.describe(AudioClip(throughout.astype(np.float32)))
    assert any("Behind the voice" in one.text and "music" in one.text for one in during)


def test_turns_are_numbered_throughout_a_long_clip_and_lie_where_somebody_speaks(captioner: AcousticCaptioner) -> None:
    spoken = audio.load(weights.ensure_folder("demo-speech") / "two_cities.wav").cut(0.5, 8.2).samples
    pause = np.zeros(55 * SAMPLE_RATE, np.float32)
    clip = AudioClip(np.concatenate([spoken, pause, spoken]))
    turns = captioner.describe(clip, Focus(topic="turns", question="Who speaks when?"))
    assert {turn.labels[0].text for turn in turns} == {"speaker 1"}
    assert {turn.text for turn in turns} == {"Speaker 1 (a man) speaks."}
    spans = [(turn.start_s, turn.end_s or 0.0) for turn in turns]
    assert all(start_s < end_s <= clip.duration_s and not (9 < start_s < 62) for start_s, end_s in spans)
    assert spans == sorted(spans) and spans[-1][0] > 62
