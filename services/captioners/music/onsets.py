"""Onset detection by spectral flux, and counting of separate strokes, hits, barks or steps."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d
from scipy.signal import find_peaks

from services.captioners.sounds.activity import ActiveSpans
from services.captioners.sounds.yamnet import FRAME_HOP, FRAME_SAMPLES, NUM_MELS, compute_log_mel
from services.types import SAMPLE_RATE

FRAMES_PER_S = SAMPLE_RATE / FRAME_HOP
LAG_FRAMES = 2  # a rise is measured over 20 ms
LEAD_FRAMES = 20  # of background put before and after the clip, so that a stroke at its very start is a rise
USUAL_FLUX = 3.0  # nepers; a stroke out of silence rises by more, which must not hide the strokes after it
RELATIVE_FLUX = 0.25
MIN_FLUX = 0.25  # below it nothing begins
QUIETEST_DB = 26.0  # an onset this far below the loudest is a ripple of a decay
FEWEST_GAPS = 3  # between strokes whose rhythm is told
MOST_UNEVEN = 0.12  # standard deviation of the logarithms of gaps that keep to a rule
LEAST_DRIFT = 0.2  # logarithm of the ratio of the last gap to the first, of a rhythm that changes
MIN_GAP_S = 0.09  # two strokes closer than this are heard as one
WEAK = 0.5  # of the usual strength: may be the second sound of one event, as of heel and toe
SPEECH_EDGE_S = 0.1  # before a stretch of speech begins, what is heard may be its first syllable
FAINT = 0.15  # of the usual strength: no event of its own

Floats = NDArray[np.float32]


Spacing = Literal["regular", "shorter and shorter", "longer and longer"]
"""How the gaps between strokes develop."""


class Onset(NamedTuple):
    """The beginning of a sound."""

    time_s: float
    strength: float
    """Mean rise over the mel bands, in nepers."""
    level_db: float
    """Loudest 25 ms of the 60 ms after it, dB of full scale."""


def compute_spectral_flux(samples: Floats) -> Floats:
    """Return how much each mel band rises at each 10 ms frame, shape (num_frames, 64).

    The rise is measured above the background, and against the maximum over neighbouring bands, so that
    vibrato does not count (SuperFlux, Böck & Widmer, DAFx 2013).
    """
    if len(samples) < FRAME_SAMPLES:
        return np.zeros((0, NUM_MELS), np.float32)
    levels = compute_log_mel(np.pad(samples, FRAME_HOP))
    levels = np.maximum(levels, np.percentile(levels, 8, axis=0).astype(np.float32))
    levels = np.pad(levels, ((LAG_FRAMES, 0), (0, 0)), constant_values=levels.min())
    levels[:LAG_FRAMES] = np.percentile(levels[LAG_FRAMES:], 8, axis=0)
    before = maximum_filter1d(levels, 3, axis=1)[:-LAG_FRAMES]
    rises: Floats = np.maximum(levels[LAG_FRAMES:] - before, 0)
    return rises


def detect_onsets(samples: Floats) -> tuple[Onset, ...]:
    """Return where sounds begin, in order of time."""
    rises = np.pad(compute_spectral_flux(samples).mean(axis=1), LEAD_FRAMES)
    if rises.max() < MIN_FLUX:
        return ()
    usual = min(USUAL_FLUX, float(np.percentile(rises, 99.5)))
    local = uniform_filter1d(median_filter(rises, 41), 21)
    peaks, _ = find_peaks(
        rises, height=np.maximum(MIN_FLUX, RELATIVE_FLUX * usual) + local, distance=round(MIN_GAP_S * FRAMES_PER_S)
    )
    levels_db = _measure_levels_db(samples)
    peaks = peaks[peaks - LEAD_FRAMES < len(levels_db)]  # later, all that rises is the clip's own end: a cut is a click
    found = [_make_onset(int(peak), rises, levels_db) for peak in peaks]
    loudest_db = max((onset.level_db for onset in found), default=0.0)
    return tuple(onset for onset in found if onset.level_db > loudest_db - QUIETEST_DB)


def _make_onset(peak: int, rises: Floats, levels_db: Floats) -> Onset:
    frame = min(max(0, peak - LEAD_FRAMES), len(levels_db) - 1)
    return Onset(frame / FRAMES_PER_S, float(rises[peak]), float(levels_db[frame : frame + 6].max()))


def _measure_levels_db(samples: Floats) -> Floats:
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::FRAME_HOP]
    levels: Floats = 10 * np.log10((frames**2).mean(axis=1) + np.float32(1e-10))
    return levels


def detect_strokes(samples: Floats) -> tuple[Onset, ...]:
    """Return the onsets that are events of their own.

    A footstep or a slammed door has several onsets; the weaker ones close to a strong one belong to it.
    """
    found = detect_onsets(samples)
    if len(found) < 3:
        return found
    usual = float(np.percentile([onset.strength for onset in found], 75))
    strong_s = np.array([onset.time_s for onset in found if onset.strength >= WEAK * usual])
    if len(strong_s) < 2:
        return found
    near_s = 0.45 * float(np.median(np.diff(strong_s)))
    return tuple(onset for onset in found if _is_own(onset, usual, strong_s, near_s))


def drop_spoken(found: tuple[Onset, ...], speech: ActiveSpans) -> tuple[Onset, ...]:
    """Drop the onsets within stretches of speech, which are those of syllables."""
    return tuple(
        onset
        for onset in found
        if not any(span.start_s - SPEECH_EDGE_S <= onset.time_s < span.end_s for span in speech)
    )


def describe_spacing(times_s: Sequence[float]) -> Spacing | None:
    """Describe how the gaps between strokes develop; None where there are too few, or no rule holds.

    A line is fitted to the logarithms of the gaps: rhythms that speed up or slow down keep close to it.
    """
    gaps = np.log(np.maximum(np.diff(times_s), 1e-3))
    if len(gaps) < FEWEST_GAPS:
        return None
    if np.std(gaps) < MOST_UNEVEN:
        return "regular"
    number = np.arange(len(gaps))
    slope, start = np.polyfit(number, gaps, 1)
    is_steady = np.std(gaps - (start + slope * number)) < MOST_UNEVEN and len(set(np.sign(np.diff(gaps)))) == 1
    if not is_steady or abs(slope) * (len(gaps) - 1) < LEAST_DRIFT:
        return None
    return "longer and longer" if slope > 0 else "shorter and shorter"


def _is_own(onset: Onset, usual: float, strong_s: NDArray[np.float64], near_s: float) -> bool:
    if onset.strength >= WEAK * usual:
        return True
    return onset.strength >= FAINT * usual and float(np.abs(strong_s - onset.time_s).min()) > near_s


def stand_out(samples: Floats, found: tuple[Onset, ...], *, fall_db: float, strength: float = 0.0) -> bool:
    """Say whether the strokes are sudden, and separated by a fall of the level."""
    if not found or np.median([onset.strength for onset in found]) < strength:
        return False
    levels_db = _measure_levels_db(samples)
    edges = [*(round(onset.time_s * FRAMES_PER_S) for onset in found), len(levels_db)]
    falls_db = [float(np.ptp(levels_db[a:b])) if b - a > 2 else 0.0 for a, b in pairwise(edges)]
    return float(np.median(falls_db)) >= fall_db
