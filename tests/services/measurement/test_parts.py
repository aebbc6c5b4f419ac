"""Where a recording falls into two parts."""

import numpy as np
import pytest

from services.measurement.parts import split_in_two
from services.types import SAMPLE_RATE, AudioClip


def sound(*lengths_s: float) -> AudioClip:
    """Return noise and silence by turns, with these lengths."""
    draw = np.random.default_rng(0)
    parts = [
        draw.normal(0, 0.0 if number % 2 else 0.1, round(length_s * SAMPLE_RATE))
        for number, length_s in enumerate(lengths_s)
    ]
    return AudioClip(np.concatenate(parts).astype(np.float32))


@pytest.mark.parametrize(
    ("lengths_s", "spans", "are_apart"),
    [
        ((2.0, 1.0, 3.0), (0.0, 2.0, 3.0, 6.0), True),
        ((2.0, 0.3, 1.0, 0.6, 3.0), (0.0, 3.3, 3.9, 6.9), True),  # the longest pause counts
        ((0.1, 2.0, 2.0, 0.5, 2.0), (0.0, 4.1, 4.6, 6.6), True),  # a click before a long pause is no part
        ((4.0,), (0.0, 2.0, 2.0, 4.0), False),
        ((2.0, 0.2, 2.0), (0.0, 2.1, 2.1, 4.2), False),  # too short a pause
    ],
)
def test_a_recording_is_split_at_its_longest_pause_or_in_the_middle(
    lengths_s: tuple[float, ...], spans: tuple[float, ...], *, are_apart: bool
) -> None:
    parts = split_in_two(sound(*lengths_s))
    assert parts is not None
    assert (*parts.first, *parts.second) == pytest.approx(spans, abs=0.03)
    assert parts.are_apart is are_apart


def test_silence_has_no_parts() -> None:
    assert split_in_two(AudioClip(np.zeros(SAMPLE_RATE, np.float32))) is None
