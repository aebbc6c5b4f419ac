import numpy as np

from services.captioners.sounds.loudness import describe_loudness
from services.types import AudioClip

RATE = 16_000


def noise(duration_s: float, rms: float = 0.1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, rms, round(duration_s * RATE)).clip(-1, 1).astype(np.float32)


def ramp(duration_s: float, from_db: float, to_db: float) -> np.ndarray:
    samples = noise(duration_s)
    return (samples * 10 ** (np.linspace(from_db, to_db, len(samples)) / 20)).astype(np.float32)


def told(samples: np.ndarray) -> str:
    return " ".join(statement.text for statement in describe_loudness(AudioClip(samples)))


def test_silence_is_called_silence_and_nothing_else() -> None:
    (statement,) = describe_loudness(AudioClip(np.zeros(RATE, np.float32)))
    assert statement.text.startswith("Silence")
    assert statement.reliability == "measured"


def test_a_rising_level_is_called_louder() -> None:
    assert "gets gradually louder" in told(ramp(6, -30, 0))


def test_a_falling_level_is_called_quieter() -> None:
    assert "gets gradually quieter" in told(ramp(6, 0, -30))


def test_a_steady_level_is_called_steady() -> None:
    text = told(noise(6))
    assert "stays at about the same level" in text
    assert "-20 dBFS" in text


def test_a_hole_in_the_middle_is_an_abrupt_stop_with_its_times() -> None:
    samples = noise(6)
    samples[40_000:56_000] = 0
    assert "stops abruptly and then resumes: silent at 2.5-3.5 s" in told(samples)


def test_a_swell_is_not_called_a_rise() -> None:
    samples = np.concatenate([ramp(3, -30, 0), ramp(3, 0, -30)])
    assert "swells and then fades" in told(samples)


def test_the_course_states_its_probability_and_that_a_model_says_it() -> None:
    level, course = describe_loudness(AudioClip(ramp(6, -30, 0)))
    assert (level.confidence, level.reliability) == (1.0, "measured")
    assert course.confidence is not None
    assert (0.5 <= course.confidence < 1.0, course.reliability) == (True, "model")


def test_a_quiet_clip_is_called_quiet() -> None:
    assert "very quiet" in told(noise(2, 0.003))


def test_a_clip_of_50_ms_does_not_claim_a_course() -> None:
    assert [one.text.partition(":")[0] for one in describe_loudness(AudioClip(noise(0.05)))] == ["Level"]
