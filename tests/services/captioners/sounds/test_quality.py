import numpy as np
import pytest
import soxr
from scipy import signal

from services.captioners.sounds.quality import EDGE_S, FADE_S, describe_quality
from services.types import AudioClip

RATE = 16_000


def voice_like(duration_s: float = 4.0) -> np.ndarray:
    """Syllables of a buzzing voice with breathy treble, and pauses between."""
    t = np.arange(round(duration_s * RATE)) / RATE
    rng = np.random.default_rng(0)
    buzz = sum(np.sin(2 * np.pi * 130 * k * t + k) / k for k in range(1, 40))
    breath = signal.lfilter([1, -0.9], 1, rng.normal(0, 0.3, len(t)))
    envelope = np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) ** 0.5
    mixed = (buzz + breath) * envelope
    room = signal.lfilter([1.0], [1.0, -0.95], rng.normal(0, 1e-4, len(t)))
    return (0.5 * mixed / np.abs(mixed).max() + room).astype(np.float32)


def told(samples: np.ndarray, *, is_speech: bool = True, source_rate: int = RATE) -> str:
    clip = AudioClip(np.asarray(samples, np.float32), source_rate=source_rate)
    return " ".join(statement.text for statement in describe_quality(clip, is_speech=is_speech))


def filtered(samples: np.ndarray, band: str, corner_hz: float | list[float]) -> np.ndarray:
    return signal.sosfilt(signal.butter(6, corner_hz, band, fs=RATE, output="sos"), samples)


def test_a_clean_voice_has_no_defect() -> None:
    assert "no audible defects" in told(voice_like())


def test_clipping_is_heard_also_after_the_level_was_lowered() -> None:
    assert "clipping" in told(0.4 * np.clip(12 * voice_like(), -1, 1))


def test_a_pure_tone_is_not_taken_for_clipping() -> None:
    assert "clipping" not in told(0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE), is_speech=False)


def test_glides_hums_and_steps_of_tones_are_not_taken_for_clipping() -> None:
    t = np.arange(4 * RATE) / RATE
    glide = np.sin(2 * np.pi * (300 * t + 200 * t**2))
    hum = sum(amplitude * np.sin(2 * np.pi * 100 * k * t + k) for k, amplitude in ((1, 1.0), (2, 0.5), (3, 0.3)))
    steps = np.concatenate([np.sin(2 * np.pi * hertz * t[:RATE]) for hertz in (300, 400, 500, 600)])
    for sound in (glide, hum, steps, np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 660 * t)):
        assert "clipping" not in told(0.5 * sound / np.abs(sound).max(), is_speech=False)


@pytest.mark.slow
def test_a_tone_beside_noise_is_not_taken_for_clipping_and_hides_none() -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE)
    noise = np.random.default_rng(0).normal(0, 0.15, 3 * RATE)
    assert "clipping" not in told(0.5 * np.concatenate([tone, noise]), is_speech=False)
    assert "clipping" in told(0.5 * np.concatenate([tone, np.clip(12 * voice_like(), -1, 1)]))


def test_a_clipped_tone_is_told_from_a_pure_one() -> None:
    tone = np.sin(2 * np.pi * 220 * np.arange(2 * RATE) / RATE)
    assert "clipping" in told(0.5 * np.clip(4 * tone, -1, 1), is_speech=False)


def test_a_low_pass_is_called_muffled() -> None:
    assert "muffled" in told(filtered(voice_like(), "low", 900))


def test_a_telephone_band_is_called_telephone_like() -> None:
    assert "telephone" in told(filtered(voice_like(), "band", [350, 3300]))


def test_white_noise_under_the_voice_is_called_hiss() -> None:
    assert "hiss" in told(voice_like() + np.random.default_rng(1).normal(0, 0.03, 4 * RATE))


def test_holes_of_60_ms_are_called_dropouts() -> None:
    samples = voice_like() + np.random.default_rng(1).normal(0, 0.02, 4 * RATE)
    for start in range(4_000, 60_000, 7_000):
        samples[start : start + 960] = 0
    assert "dropouts" in told(samples)


@pytest.mark.parametrize("floor_db", [-50, -40, -30])
def test_pauses_that_a_noise_gate_silenced_are_not_dropouts(floor_db: float) -> None:
    samples = voice_like(8.0)
    block = RATE // 100
    levels = np.sqrt(np.square(samples.reshape(-1, block)).mean(axis=1))
    is_open = np.convolve(levels > levels.max() * 10 ** (floor_db / 20), np.ones(3), "same") > 0
    assert "dropouts" not in told(samples * np.repeat(is_open, block))


@pytest.mark.parametrize("milliseconds", [40, 80])
def test_dropouts_made_before_resampling_are_heard(milliseconds: int) -> None:
    samples = np.repeat(voice_like(), 3)
    size = 48 * milliseconds
    for start in range(2_000, len(samples) - size, 16_000):  # in each syllable
        samples[start : start + size] = 0
    assert "dropouts" in told(soxr.resample(samples, 48_000, RATE))


def test_stops_of_digital_silence_in_synthetic_speech_are_not_dropouts() -> None:
    samples = voice_like()
    fade = np.linspace(1, 0.3, RATE // 100)
    for start in range(4_000, 60_000, 7_000):
        samples[start - len(fade) : start] *= fade
        samples[start : start + 960] = 0
        samples[start + 960 : start + 960 + len(fade)] *= fade[::-1]
    hum = 0.01 * np.sin(2 * np.pi * 50 * np.arange(12 * RATE) / RATE)
    assert "dropouts" not in told(np.concatenate([hum, samples]))


def test_rests_between_notes_are_not_dropouts() -> None:
    note = np.sin(2 * np.pi * 330 * np.arange(4_800) / RATE) * np.exp(-np.arange(4_800) / 700)
    assert "dropouts" not in told(np.tile(np.concatenate([note, np.zeros(1_600)]), 6), is_speech=False)


def test_a_recording_at_8_khz_is_called_narrow() -> None:
    assert "8000 Hz" in told(filtered(voice_like(), "low", 3600), source_rate=8_000)


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.ones(800) * 0.1, np.full(RATE, 1e-5)])
def test_nothing_is_said_about_silence_and_snippets(samples: np.ndarray) -> None:
    assert told(samples) == ""


def test_a_hole_just_before_the_end_does_not_hinder_the_others() -> None:
    samples = voice_like() + np.random.default_rng(1).normal(0, 0.02, 4 * RATE)
    behind = round((EDGE_S + FADE_S) / 2 * RATE)
    for start in (*range(4_000, 60_000, 7_000), len(samples) - behind - 960):
        samples[start : start + 960] = 0
    assert "dropouts" in told(samples)
