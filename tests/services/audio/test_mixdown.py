"""The average of the channels is heard, except where it would lose what is there."""

import numpy as np
import pytest

from services.audio.mixdown import ChannelMeter, Mix

RATE = 48_000


def speechlike(seed: int, seconds: float = 6.0) -> np.ndarray:
    """Return syllables: bursts of harmonics with pauses between them."""
    draw, t = np.random.default_rng(seed), np.arange(round(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * 120 * (1 + seed % 3) * k * t) / k for k in range(1, 20))
    envelope = np.interp(
        t, np.arange(0, seconds + 0.15, 0.15), draw.random(len(np.arange(0, seconds + 0.15, 0.15))) ** 3
    )
    return (0.2 * voice * envelope).astype(np.float32)


def noise(seed: int, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, 6 * RATE).astype(np.float32)


def choose(*channels: np.ndarray) -> Mix | None:
    samples = np.stack(channels, axis=1).astype(np.float32)
    meter = ChannelMeter(len(channels))
    for start in range(0, len(samples), 1 << 16):
        meter.add(samples[start : start + (1 << 16)], RATE)
    return meter.choose()


VOICE, OTHER = speechlike(0), speechlike(1)


@pytest.mark.parametrize(
    "channels",
    [
        (VOICE, VOICE),
        (VOICE, OTHER),
        (VOICE, np.zeros_like(VOICE)),
        (VOICE, 0.3 * VOICE + 0.3 * OTHER),
        (noise(0), noise(1)),
        (VOICE + noise(0, 0.02), VOICE + noise(1, 0.02)),
        (VOICE, OTHER, VOICE, OTHER, np.zeros_like(VOICE), VOICE),
        (VOICE, 0.1 * np.sin(np.arange(len(VOICE)) / 8)),
        (VOICE, noise(0, 0.0005)),
    ],
    ids=[
        "mono twice",
        "two speakers",
        "one silent",
        "panned",
        "noise",
        "stereo hiss",
        "5.1",
        "a tone",
        "a quiet channel",
    ],
)
def test_usual_channels_are_averaged(channels: tuple[np.ndarray, ...]) -> None:
    assert choose(*channels) is None


@pytest.mark.parametrize("gain", [-1.0, -0.8, -1.2])
def test_channels_in_opposite_phase_are_aligned(gain: float) -> None:
    mix = choose(VOICE, gain * VOICE)
    assert mix is not None and mix.is_aligned
    heard = np.stack([VOICE, gain * VOICE], axis=1) @ mix.weights
    assert np.square(heard).mean() > 0.7 * np.square(VOICE).mean()


def test_speech_in_opposite_phase_over_music_in_phase_is_heard() -> None:
    mix = choose(VOICE + 0.1 * OTHER, 0.1 * OTHER - VOICE)
    assert mix is not None and mix.is_aligned


@pytest.mark.parametrize("level", [0.05, 0.1, 0.5])
def test_a_channel_of_noise_beside_speech_is_left_out(level: float) -> None:
    mix = choose(VOICE, noise(0, level))
    assert mix is not None and mix.num_left_out == 1
    assert mix.weights.tolist() == [1.0, 0.0]
