"""Onset detection by spectral flux, and counting of separate strokes, hits, barks or steps."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d
from scipy.signal import find_peaks

from services.captioners.frames import Floats, cut_frames
from services.captioners.sounds.activity import ActiveSpans
from services.captioners.sounds.yamnet import FRAME_HOP, FRAME_SAMPLES, NUM_MELS, compute_log_mel
from services.types import SAMPLE_RATE

FRAMES_PER_S = SAMPLE_RATE / FRAME_HOP
LAG_FRAMES = 2  # over which a rise is measured: 20 ms
LEAD_FRAMES = 20  # of background padded around the clip, so that a stroke at its start is a rise
USUAL_FLUX = 3.0  # nepers; a stroke out of silence rises more, which must not mask the strokes after it
RELATIVE_FLUX = 0.25
MIN_FLUX = 0.25  # below it there is no onset
QUIETEST_DB = 26.0  # below the loudest onset; a quieter one is a ripple of a decay
MIN_GAPS = 3  # between strokes whose intervals are stated
MAX_GAP_DEVIATION = 0.12  # standard deviation of the logarithms of gaps that follow a rule
MIN_DRIFT = 0.2  # logarithm of the ratio of the last gap to the first, of a rhythm that changes
MIN_GAP_S = 0.09  # closer strokes are one
WEAK = 0.5  # of the usual strength; a weaker onset may be the second of one event, as of heel and toe
SPEECH_EDGE_S = 0.1  # before a span of speech, in which an onset may be its first syllable
FAINT = 0.15  # of the usual strength; a weaker onset is never an event

Spacing = Literal["regular", "shorter and shorter", "longer and longer"]
"""Course of the inter-onset intervals."""


class Onset(NamedTuple):
    """The beginning of a sound."""

    time_s: float
    strength: float
    """Mean rise over the mel bands, in nepers."""
    level_db: float
    """Highest level of 25 ms within the 60 ms after it, dBFS."""


def compute_spectral_flux(samples: Floats) -> Floats:
    """Return the rise of each mel band in each frame of 10 ms, in nepers, shape (num_frames, 64).

    The rise is measured above the background and relative to the maximum over neighbouring bands, which suppresses
    vibrato (SuperFlux, Böck & Widmer, DAFx 2013).
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
    """Detect the onsets in samples at 16 kHz, shape (num_samples,), in order of time."""
    rises = np.pad(compute_spectral_flux(samples).mean(axis=1), LEAD_FRAMES)
    if rises.max() < MIN_FLUX:
        return ()
    usual = min(USUAL_FLUX, float(np.percentile(rises, 99.5)))
    local = uniform_filter1d(median_filter(rises, 41), 21)
    peaks, _ = find_peaks(
        rises, height=np.maximum(MIN_FLUX, RELATIVE_FLUX * usual) + local, distance=round(MIN_GAP_S * FRAMES_PER_S)
    )
    levels_db = _measure_levels_db(samples)
    peaks = peaks[peaks - LEAD_FRAMES < len(levels_db)]  # a later rise is the click of the clip's cut end
    found = [_make_onset(int(peak), rises, levels_db) for peak in peaks]
    loudest_db = max((onset.level_db for onset in found), default=0.0)
    return tuple(onset for onset in found if onset.level_db > loudest_db - QUIETEST_DB)


def _make_onset(peak: int, rises: Floats, levels_db: Floats) -> Onset:
    frame = min(max(0, peak - LEAD_FRAMES), len(levels_db) - 1)
    return Onset(frame / FRAMES_PER_S, float(rises[peak]), float(levels_db[frame : frame + 6].max()))


def _measure_levels_db(samples: Floats) -> Floats:
    frames = cut_frames(samples, FRAME_SAMPLES, FRAME_HOP)
    levels: Floats = 10 * np.log10((frames**2).mean(axis=1) + np.float32(1e-10))
    return levels


def detect_strokes(samples: Floats) -> tuple[Onset, ...]:
    """Detect separate strokes: onsets without the weaker ones of the same event, as of a footstep or a slammed door."""
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
    """Drop the onsets within spans of speech, which are those of syllables."""
    return tuple(
        onset
        for onset in found
        if not any(span.start_s - SPEECH_EDGE_S <= onset.time_s < span.end_s for span in speech)
    )


def describe_spacing(times_s: Sequence[float]) -> Spacing | None:
    """Classify the inter-onset intervals of strokes at these times; None for too few strokes or no regularity.

    By linear regression on the logarithms of the intervals, which a rhythm that speeds up or slows down follows.
    """
    gaps = np.log(np.maximum(np.diff(times_s), 1e-3))
    if len(gaps) < MIN_GAPS:
        return None
    if np.std(gaps) < MAX_GAP_DEVIATION:
        return "regular"
    number = np.arange(len(gaps))
    slope, start = np.polyfit(number, gaps, 1)
    is_steady = np.std(gaps - (start + slope * number)) < MAX_GAP_DEVIATION and len(set(np.sign(np.diff(gaps)))) == 1
    if not is_steady or abs(slope) * (len(gaps) - 1) < MIN_DRIFT:
        return None
    return "longer and longer" if slope > 0 else "shorter and shorter"


def _is_own(onset: Onset, usual: float, strong_s: NDArray[np.float64], near_s: float) -> bool:
    if onset.strength >= WEAK * usual:
        return True
    return onset.strength >= FAINT * usual and float(np.abs(strong_s - onset.time_s).min()) > near_s


def are_distinct(samples: Floats, found: tuple[Onset, ...], *, fall_db: float, strength: float = 0.0) -> bool:
    """Return whether strokes are sudden and separated by falls of the level.

    Args:
        samples: 16 kHz, shape (num_samples,).
        found: their strokes.
        fall_db: least median fall of the level after a stroke.
        strength: least median strength, in nepers.
    """
    if not found or np.median([onset.strength for onset in found]) < strength:
        return False
    levels_db = _measure_levels_db(samples)
    edges = [*(round(onset.time_s * FRAMES_PER_S) for onset in found), len(levels_db)]
    falls_db = [float(np.ptp(levels_db[a:b])) if b - a > 2 else 0.0 for a, b in pairwise(edges)]
    return float(np.median(falls_db)) >= fall_db
