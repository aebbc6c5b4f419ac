"""Recording quality: dropouts, clipping, limited bandwidth, hiss (noise floor), reverberation.

The thresholds were tuned on degradations made from LibriSpeech and ESC-10 (seven classes, 70 clips each, 2026).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from services.captioners.frames import Floats, cut_frames
from services.captioners.sounds.activity import measure_levels_db
from services.captioners.statement import UNDATED, make_labels
from services.types import SAMPLE_RATE, AudioClip, Evidence

SOURCE = "signal-quality"
SHORTEST_S = 0.3  # a shorter clip tells nothing about its recording
LONGEST_S = 60.0  # of a longer clip only the beginning is analysed
LIVE_DB = -85.0  # relative to the peak; quieter frames are digital silence, which has no noise floor
FFT_SIZE = 512
# Fitted on half of 190 training clips with added dropouts of 20 to 300 ms (4 or more) against the same clips clean and
# noise-gated in seven ways, and 58 synthetic ones. On the other half: none of 1,400 clean or gated ones is named, and
# 0.7 to 0.9 of those with dropouts of 20 to 150 ms, the rest of which fall into pauses. `FADE_DB` and `LOUD_DB` were
# fitted on 240 synthetic sentences, whose stops are digital silence: none of 210 that are voiced is named (21 without
# them), 7 of 30 that are whispered are, and 60 % of 94 others with dropouts (70 % without them).
QUIET = 1e-3  # of the peak; a resampler's ringing fills gaps to less than that
GAP_S = (0.01, 0.4)  # how long a dropout may last
EDGE_S, EDGE_DB = 0.002, 13.5  # length of the edge on either side, and how far below the loud parts it may be
FADE_S, FADE_DB = 0.008, 3.0  # a stop dies away: length of each edge, and how far it may be below what lies beside it
LOUD_DB = 25.0  # below the loudest frame; quieter frames, as of a hum, are not part of the sound that a gap cuts
MIN_DROPOUTS = 2
# Fitted on 160 training clips, clean, clipped by 6, 12 and 20 dB and overdriven by 20 dB, and 300 synthetic tones of
# one to five steady partials. On 260 other clips those clipped by 20 dB are named, and 1 % of clean ones and of tones.
MIN_PILE_UP = 1.3  # density of the densest amplitude in the upper half of the range, relative to that at a third of it
TONAL = 0.97  # share of a frame's power in 16 bins, above which it consists of a few steady tones
MAX_TOP_FLATNESS = 0.52  # of the peaks of a waveform; above it they are cut


class RecordingTraits(NamedTuple):
    """Measurements of a signal, scaled to a peak of 1, that show defects of its recording."""

    num_dropouts: int
    """Short gaps that cut into loud sound."""
    pile_up: float
    """Density of the densest amplitude in the upper half of the range, relative to that at a third of it.

    Clipping raises it. Steady tones are left out: their amplitudes pile up unclipped.
    """
    top_flatness: float
    """Flatness of the waveform's peaks where amplitudes of tones pile up: 0.5 smooth, 1 cut; 0 where none do."""
    highest_hz: float
    """Highest frequency within 55 dB of the strongest."""
    bass_db: float
    """Level of 60-200 Hz relative to 300-1000 Hz."""
    treble_db: float
    """Level of 2.0-3.2 kHz relative to 300-1000 Hz."""
    air_db: float
    """Level of 3.8-7 kHz relative to 2.0-3.2 kHz."""
    floor_db: float
    """5th percentile of the level, relative to the peak."""
    range_db: float
    """Dynamic range: 95th minus 5th percentile of the level."""
    floor_flatness_db: float
    """Spectral flatness of the quietest frames, geometric over arithmetic mean; 0 dB: white noise."""
    fall_db: float
    """5th percentile of the change of the level over 50 ms while it is loud: its steepest falls."""
    rise_db: float
    """98th percentile of the change of the level over 50 ms: its steepest rises."""


def describe_quality(clip: AudioClip, *, is_speech: bool) -> tuple[Evidence, ...]:
    """Return one statement on the recording quality; none of a clip that is too short or too quiet.

    Args:
        clip: the whole clip.
        is_speech: whether it is speech alone, of which reverberation can be detected.
    """
    samples = clip.samples[: round(LONGEST_S * SAMPLE_RATE)]
    if clip.duration_s < SHORTEST_S or float(np.abs(samples).max()) < 1e-3:
        return ()
    found = measure_traits(samples)
    defects = _name_defects(found, is_speech=is_speech)
    if found.highest_hz < SAMPLE_RATE / 2 - 500 and clip.source_rate <= SAMPLE_RATE / 2:
        defects.append(f"narrow bandwidth (recorded at {clip.source_rate} Hz, as on a telephone)")
    named = defects or ["clean, no audible defects"]
    return (
        Evidence(
            kind="quality",
            source=SOURCE,
            revision=UNDATED,
            text=f"Recording quality: {'; '.join(named)}.",
            labels=make_labels(named),
            end_s=round(clip.duration_s, 2),
            confidence=0.85 if is_speech else 0.75,
            reliability="heuristic",
        ),
    )


def measure_traits(samples: Floats) -> RecordingTraits:
    """Measure the traits of samples at 16 kHz, shape (num_samples,), at least 0.3 s and not silent."""
    scaled = samples / np.abs(samples).max()
    magnitude = np.abs(scaled)
    levels = measure_levels_db(scaled)
    live = levels[levels > LIVE_DB]
    frames = cut_frames(scaled, FFT_SIZE, FFT_SIZE // 4)
    power = np.abs(np.fft.rfft(frames * _WINDOW)) ** 2
    mean_power = power.mean(axis=0) + 1e-12
    spectrum_db = 10 * np.log10(mean_power)
    change = levels[5:] - levels[:-5]
    falls = change[levels[:-5] > levels.max() - 25]
    middle = _measure_band_db(mean_power, 300, 1000)
    is_tone = _find_tones(power, len(scaled))
    density, limit = _measure_pile_up(magnitude)
    return RecordingTraits(
        num_dropouts=_count_dropouts(scaled, levels),
        pile_up=_measure_pile_up(magnitude[~is_tone]).density,
        top_flatness=_measure_top_flatness(scaled, limit) if density >= MIN_PILE_UP else 0.0,
        highest_hz=float(_BINS_HZ[np.flatnonzero(spectrum_db > spectrum_db.max() - 55)[-1]]),
        bass_db=_measure_band_db(mean_power, 60, 200) - middle,
        treble_db=_measure_band_db(mean_power, 2000, 3200) - middle,
        air_db=_measure_band_db(mean_power, 3800, 7000) - _measure_band_db(mean_power, 2000, 3200),
        floor_db=float(np.percentile(live, 5)),
        range_db=float(np.percentile(live, 95) - np.percentile(live, 5)),
        floor_flatness_db=_measure_floor_flatness_db(power),
        fall_db=float(np.percentile(falls, 5)) if len(falls) else 0.0,
        rise_db=float(np.percentile(change, 98)) if len(change) else 0.0,
    )


def _name_defects(found: RecordingTraits, *, is_speech: bool) -> list[str]:
    """Name the most audible defect alone: it masks the signs of the others."""
    if found.num_dropouts >= MIN_DROPOUTS:
        return [f"repeated short dropouts (about {found.num_dropouts} gaps of silence)"]
    if found.pile_up >= MIN_PILE_UP or found.top_flatness > MAX_TOP_FLATNESS:
        return ["harsh clipping distortion (overdriven)"]
    if found.highest_hz < 3400 or found.treble_db < -31:
        return [f"muffled, the high frequencies are missing (nothing above {found.highest_hz / 1000:.1f} kHz)"]
    if found.highest_hz < 6400 and found.bass_db < -10 and found.air_db < -9.5:
        return ["thin, telephone-like narrow bandwidth"]
    if found.floor_flatness_db > -0.6 and found.range_db < 26 and found.floor_db > -60:
        return [f"loud background hiss (white noise, only {found.range_db:.0f} dB below the sound)"]
    is_slow = found.fall_db > -6.8 and found.rise_db < 19
    return ["strong reverberation (echoing room)"] if is_slow and is_speech and found.range_db > 10 else []


def _count_dropouts(samples: Floats, levels: Floats) -> int:
    """Count the gaps that cut into sound: it is loud right up to the gap, and right after it.

    Before a pause of digital silence, in synthetic or noise-gated speech or between notes, the sound has died away.
    """
    is_quiet = (np.abs(samples) < QUIET).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_quiet, [0]))))
    starts, ends = edges[::2], edges[1::2]
    shortest, longest = (round(seconds * SAMPLE_RATE) for seconds in GAP_S)
    size = round(EDGE_S * SAMPLE_RATE)
    is_gap = (ends - starts >= shortest) & (ends - starts <= longest) & (starts >= size) & (ends <= len(samples) - size)
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    starts, ends = starts[is_gap], ends[is_gap]
    far = round(FADE_S * SAMPLE_RATE)

    def measure_db(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float64]:
        begin, end = np.clip(begin, 0, len(samples)), np.clip(end, 0, len(samples))
        power = (energy[end] - energy[begin]) / np.maximum(end - begin, 1)
        level_db: NDArray[np.float64] = 10 * np.log10(power + 1e-12)
        return level_db

    edge_db = np.minimum(measure_db(starts - size, starts), measure_db(ends, ends + size))
    fade_db = np.maximum(
        measure_db(starts - 3 * far, starts - far) - measure_db(starts - far, starts),
        measure_db(ends + far, ends + 3 * far) - measure_db(ends, ends + far),
    )
    loud_db = np.percentile(levels[levels > levels.max() - LOUD_DB], 75)
    is_cut = (edge_db > loud_db - EDGE_DB) & (fade_db < FADE_DB)
    return int(np.count_nonzero(is_cut))


class _PileUp(NamedTuple):
    density: float
    """Of the densest amplitude, relative to that at a third of the range."""
    amplitude: float


def _measure_pile_up(magnitude: Floats) -> _PileUp:
    """Measure the density of the densest amplitude in the upper half of the range."""
    counts, _ = np.histogram(magnitude, bins=50, range=(0, 1))
    densest = 22 + int(counts[22:].argmax())
    density = counts[densest] / max(np.median(counts[12:20]), 1e-6 * len(magnitude), 1)
    return _PileUp(float(density), (densest + 0.5) / 50)


def _find_tones(power: Floats, num_samples: int) -> NDArray[np.bool_]:
    """Mark the samples of frames that consist of a few steady tones: their power lies in 16 of 257 bins."""
    strongest = np.partition(power, -16, axis=1)[:, -16:]
    is_tone = strongest.sum(axis=1) > TONAL * power.sum(axis=1)
    samples = np.repeat(is_tone, FFT_SIZE // 4)
    return np.concatenate((samples, np.full(num_samples, is_tone[-1])))[:num_samples]


def _measure_top_flatness(samples: Floats, limit: float) -> float:
    """Return the time that peaks near `limit` stay above 0.95 of their height, as a share of that above 0.8 of it.

    A smooth peak is a parabola: sqrt(0.05 / 0.2) = 0.5. Oversampled four times, because a period at a few kHz has only
    a handful of samples.
    """
    magnitude = np.abs(resample_poly(samples, 4, 1))
    is_top = magnitude > 0.8 * limit
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_top.astype(np.int8), [0]))))
    if not len(edges):
        return 0.0
    heights = np.maximum.reduceat(np.append(magnitude, 0.0), edges)[::2]
    height = np.repeat(
        np.where((heights > 0.95 * limit) & (heights < 1.1 * limit), heights, np.inf), np.diff(edges)[::2]
    )
    tops = magnitude[is_top]
    num_upper, num_all = int((tops > 0.95 * height).sum()), int((tops > 0.8 * height).sum())
    return num_upper / num_all if num_all else 0.0


def _measure_band_db(power: Floats, low_hz: float, high_hz: float) -> float:
    return float(10 * np.log10(power[(low_hz <= _BINS_HZ) & (high_hz > _BINS_HZ)].mean()))


def _measure_floor_flatness_db(power: Floats) -> float:
    energy_db = 10 * np.log10(power.sum(axis=1) / FFT_SIZE / 192 + 1e-14)
    live = np.flatnonzero(energy_db > LIVE_DB)
    if not len(live):
        return -99.0
    quiet = live[energy_db[live] <= np.percentile(energy_db[live], 10)]
    smooth = np.convolve(power[quiet].mean(axis=0)[8:-8] + 1e-16, np.ones(8) / 8, "valid")
    return float(10 * np.mean(np.log10(smooth)) - 10 * np.log10(smooth.mean()))


_BINS_HZ = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE)
_WINDOW = np.hanning(FFT_SIZE).astype(np.float32)
