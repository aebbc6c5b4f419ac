import numpy as np
import pytest

from services.captioners.rhythm.analyser import Rhythm, RhythmAnalyser, estimate_tempo_of_melody, weigh_tempi
from services.captioners.rhythm.onsets import detect_onsets
from services.captioners.rhythm.pulse import find_pulse
from services.types import SAMPLE_RATE


def drum(hz: float, gain: float, decay_s: float = 0.05) -> np.ndarray:
    time_s = np.arange(int(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(0).standard_normal(len(time_s))
    tone = np.sin(2 * np.pi * hz * time_s) if hz else noise - np.convolve(noise, np.ones(4) / 4, mode="same")
    return (gain * (tone + 0.05 * noise) * np.exp(-time_s / decay_s)).astype(np.float32)


LOW, HIGH, HAT = drum(70, 0.6), drum(900, 0.4), drum(0, 0.05, 0.02)


def played(strokes: list[tuple[float, np.ndarray]]) -> np.ndarray:
    samples = np.zeros(int((strokes[-1][0] + 0.6) * SAMPLE_RATE), np.float32)
    for time_s, sound in strokes:
        start = int(time_s * SAMPLE_RATE)
        samples[start : start + len(sound)] += sound
    return samples


@pytest.mark.parametrize("num_beats", [3, 4, 5, 7])
def test_a_low_stroke_on_the_first_beat_gives_the_metre(num_beats: int) -> None:
    samples = played([(0.5 * index, LOW if index % num_beats == 0 else HIGH) for index in range(3 * num_beats)])
    found = find_pulse(samples, detect_onsets(samples))
    assert found is not None
    assert found.beats_per_bar == num_beats
    assert found.bpm == pytest.approx(120, abs=1)


@pytest.mark.parametrize("bpm", [65, 90, 120, 170, 200])
def test_quiet_strokes_between_the_beats_do_not_double_the_tempo(bpm: int) -> None:
    half_s = 30 / bpm
    samples = played([(half_s * i, HAT if i % 2 else LOW if i % 4 == 0 else HIGH) for i in range(24)])
    found = find_pulse(samples, detect_onsets(samples))
    assert found is not None
    assert found.bpm == pytest.approx(bpm, rel=0.02)
    assert found.course.text == "constant"


@pytest.mark.parametrize(
    ("gaps_s", "course"),
    [
        (np.full(15, 0.5), "constant"),
        (np.geomspace(0.7, 0.3, 15), "gradually speeds up"),
        (np.geomspace(0.3, 0.7, 15), "gradually slows down"),
        (np.r_[np.full(7, 0.6), np.full(8, 0.3)], "suddenly switches to double speed"),
        (np.r_[np.full(7, 0.3), np.full(8, 0.6)], "suddenly switches to half speed"),
    ],
)
def test_the_course_of_the_tempo(gaps_s: np.ndarray, course: str) -> None:
    times_s = np.concatenate([[0.1], 0.1 + np.cumsum(gaps_s)])
    samples = played([(float(time_s), HIGH) for time_s in times_s])
    found = find_pulse(samples, detect_onsets(samples))
    assert found is not None
    assert found.course.text == course


def test_irregular_strokes_have_no_pulse() -> None:
    gaps_s = np.random.default_rng(3).uniform(0.15, 1.2, 14)
    samples = played([(float(time_s), HIGH) for time_s in np.cumsum(gaps_s)])
    assert find_pulse(samples, detect_onsets(samples)) is None


@pytest.fixture(scope="module")
def analyse() -> RhythmAnalyser:
    return RhythmAnalyser()


def drum_pattern(bpm: float, num_beats: int, num_bars: int) -> np.ndarray:
    """Low strokes on the first beat, high ones on the others, a hi-hat on every half beat."""
    beat_s = 60 / bpm
    strokes = [(0.05 + beat_s * i, LOW if i % num_beats == 0 else HIGH) for i in range(num_beats * num_bars)]
    hats = [(0.05 + beat_s * i / 2, HAT) for i in range(2 * num_beats * num_bars)]
    return played(sorted([*strokes, *hats], key=lambda stroke: stroke[0]))


@pytest.mark.parametrize(("bpm", "num_beats"), [(80, 3), (110, 4), (140, 5), (120, 7)])
def test_tempo_and_metre_of_a_drum_pattern(analyse: RhythmAnalyser, bpm: int, num_beats: int) -> None:
    found = analyse(drum_pattern(bpm, num_beats, 4))
    assert found.tempo is not None
    assert found.tempo.bpm == pytest.approx(bpm, rel=0.02)
    assert found.metre is not None
    assert found.metre.beats_per_bar == num_beats
    assert found.metre.probability <= found.tempo.probability
    assert not found.changes


@pytest.mark.parametrize(
    ("gaps_s", "course"),
    [
        (np.geomspace(0.6, 0.3, 24), "gradually speeds up"),
        (np.geomspace(0.3, 0.6, 24), "gradually slows down"),
        (np.r_[np.full(8, 0.6), np.full(14, 0.36)], "suddenly becomes faster"),
        (np.r_[np.full(14, 0.36), np.full(8, 0.6)], "suddenly becomes slower"),
    ],
)
def test_a_tempo_that_changes_is_told_instead_of_one_tempo(
    analyse: RhythmAnalyser, gaps_s: np.ndarray, course: str
) -> None:
    times_s = np.concatenate([[0.1], 0.1 + np.cumsum(gaps_s)])
    found = analyse(played([(float(time_s), LOW if i % 4 == 0 else HIGH) for i, time_s in enumerate(times_s)]))
    assert found.course is not None
    assert found.course.text.startswith(course)
    assert (found.tempo, found.metre) == (None, None)


def test_nothing_is_said_of_noise_silence_and_half_a_second(analyse: RhythmAnalyser) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 6 * SAMPLE_RATE).astype(np.float32)
    for samples in (noise, np.zeros(6 * SAMPLE_RATE, np.float32), noise[: SAMPLE_RATE // 2]):
        found = analyse(samples)
        assert found == Rhythm(None, None, None, found.candidates)
        assert all(one.probability < 0.45 for one in weigh_tempi(found.candidates, ("60 BPM", "90 BPM", "134 BPM")))


def test_tempo_of_a_melody_is_that_of_its_grid() -> None:
    starts_s = [0.0, 0.5, 1.0, 1.25, 1.5, 2.0, 3.0]
    found = estimate_tempo_of_melody(starts_s)
    assert found is not None
    assert found.bpm == pytest.approx(120, rel=0.02)
    assert estimate_tempo_of_melody([0.0, 0.31, 1.0, 1.13]) is None
