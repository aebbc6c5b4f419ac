import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from services.measurement.spectrum import SpectralFacts, estimate_fundamental, measure_spectrum, weigh_spectrum
from services.types import SAMPLE_RATE, AudioClip

SECONDS = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE


def harmonics(hertz: float, first: int = 1) -> np.ndarray:
    parts = [np.sin(2 * np.pi * hertz * k * SECONDS) / k for k in range(first, 6) if hertz * k < SAMPLE_RATE / 2]
    return np.asarray(0.1 * sum(parts), np.float32)


@pytest.mark.parametrize("hertz", [60.0, 110.0, 220.5, 441.0, 1000.0])
def test_the_fundamental_is_found_even_where_it_is_missing(hertz: float) -> None:
    assert estimate_fundamental(harmonics(hertz)) == pytest.approx(hertz, rel=0.003)
    assert estimate_fundamental(harmonics(hertz, first=2)) == pytest.approx(hertz, rel=0.003)


def test_noise_has_a_band_and_a_floor_but_no_fundamental() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, len(SECONDS))
    band = sosfilt(butter(10, [500, 3000], "bandpass", fs=SAMPLE_RATE, output="sos"), noise).astype(np.float32)
    facts = measure_spectrum(AudioClip(band))
    assert facts is not None and facts.fundamental_hz is None
    assert 300 < facts.low_hz < 500 and 3000 < facts.high_hz < 4300


def test_the_noise_floor_is_that_of_the_quietest_moments() -> None:
    heard = np.random.default_rng(0).normal(0, 0.001, len(SECONDS)).astype(np.float32)
    heard[: SAMPLE_RATE // 2] += harmonics(300.0)[: SAMPLE_RATE // 2]
    facts = measure_spectrum(AudioClip(heard))
    assert facts is not None and facts.floor_db == pytest.approx(-60, abs=1.5)


def test_silence_and_a_click_have_no_spectrum() -> None:
    assert measure_spectrum(AudioClip(np.zeros(SAMPLE_RATE, np.float32))) is None
    assert measure_spectrum(AudioClip(np.ones(100, np.float32))) is None


@pytest.mark.parametrize(
    ("options", "likeliest"),
    [
        (("-30 dBFS", "-50 dBFS"), "-50 dBFS"),
        (("about −48 dB", "about −70 dB"), "about −48 dB"),
        (("500 Hz", "4 kHz", "8 kHz"), "4 kHz"),
        (("500 Hz", "3,5 kHz"), "3,5 kHz"),
        (("-30 dBFS", "4 kHz"), None),
        (("quiet", "-50 dBFS"), None),
        (("from 0 Hz to 4 kHz", "from 0 Hz to 8 kHz"), None),
        (("0 Hz", "4 kHz"), None),
        (("-50 dBFS",), None),
        ((), None),
    ],
)
def test_options_are_weighed_by_the_floor_or_by_the_highest_frequency(
    options: tuple[str, ...], likeliest: str | None
) -> None:
    labels = weigh_spectrum(options, SpectralFacts(220.0, 0.0, 4100.0, -51.0))
    assert (labels[0].text if labels else None) == likeliest
    assert len(labels) in {0, len(options)}
