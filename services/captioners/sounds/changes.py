"""Change-point detection: when continuous sounds begin, end, or change their level.

A continuous sound, such as rain, an engine or a hiss, raises the quiet moments of its frequency bands until it ends; a
bark or a syllable raises only the loud ones. So a low percentile of the level after a moment is compared with a high
one before it, band by band, which also shows a sound that begins under a louder one.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.frames import Floats, cut_frames
from services.captioners.mel import space_on_mel_scale
from services.captioners.sounds.activity import (
    FRAME_S,
    SILENCE_DB,
    ActiveSpan,
    ActiveSpans,
    detect_activity,
    measure_levels_db,
)
from services.types import SAMPLE_RATE

NUM_BANDS = 16
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
FFT_SIZE = 512
SMOOTHED = 5  # frames
FLOOR_DB = -72.0  # dBFS in one band; below it is silence
REACH_S = 0.7  # compared on either side of a change
MARGIN_S = 0.4  # at the beginning and end of the recording, where no change is detected
QUIET, LOUD = 0.2, 0.8  # quantiles of the levels on one side
MIN_CHANGE_DB = 8.0  # by which the quiet quantile on one side exceeds the loud one on the other
MIN_BANDS = 2
STEP_S = 0.1  # over which a change is localised
HOP = 2  # frames between two candidates
MIN_BACKGROUND_DB = -50.0  # dBFS from which a background counts as a sound
AUDIBLE_DB = 30.0  # below the loudest stretch
SHORTEST_S = 0.5  # of a continuous sound
MIN_FILLED = 0.8  # share of a stretch that a continuous sound fills
SLIVER_S = 0.2  # a shorter piece cut off a sound belongs to its neighbour


class LevelChange(NamedTuple):
    """A moment at which something continuous begins or ends."""

    time_s: float
    begins: bool
    """Whether something begins: some bands are louder afterwards."""
    ends: bool
    """Whether something ends: some bands, perhaps others, are quieter afterwards."""


class SoundRegion(NamedTuple):
    """The sound of one stretch of a recording."""

    spans: ActiveSpans
    is_own: bool
    """Whether a continuous sound begins or ends with it; otherwise it may be the background of its neighbours."""


def find_changes(samples: Floats) -> tuple[LevelChange, ...]:
    """Detect the changes in samples at 16 kHz, in order; empty where there are none."""
    levels = _measure_bands_db(samples)
    reach, nearest = round(REACH_S / FRAME_S), round(MARGIN_S / FRAME_S)
    places = np.arange(nearest, len(levels) - nearest, HOP)
    if not len(places):
        return ()
    padded = np.pad(levels, ((reach, reach), (0, 0)), mode="symmetric")
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, reach, axis=0)[::HOP], axis=2)
    quiet, loud = windows[:, :, round(QUIET * reach)], windows[:, :, round(LOUD * reach)]
    before, after = places // HOP, (places + reach) // HOP
    differences = np.stack([quiet[after] - loud[before], quiet[before] - loud[after]])
    strength = np.sort(differences, axis=2)[:, :, -MIN_BANDS]
    found = []
    for index in _find_peaks(strength.max(axis=0), reach // HOP):
        begins, ends = (bool(one >= MIN_CHANGE_DB) for one in strength[:, index])
        changed = differences[int(strength[1, index] > strength[0, index]), index] >= MIN_CHANGE_DB
        frame = _find_step(levels[:, changed].mean(axis=1), int(places[index]))
        found.append(LevelChange(frame * FRAME_S, begins, ends))
    return tuple(found)


def find_regions(samples: Floats) -> tuple[SoundRegion, ...]:
    """Return the continuous sounds and the regions between them, in order; one without changes, none on silence.

    Activity within a continuous sound is detected without the louder sounds beside it.
    """
    found = detect_activity(samples)
    edges_s = [0.0]
    regions: list[SoundRegion] = []
    for region in _find_continuous(samples):
        before = _limit(found, ActiveSpan(edges_s[-1], region.spans[0].start_s))
        regions += [SoundRegion(before, is_own=False)] if before else []
        regions.append(region)
        edges_s.append(region.spans[-1].end_s)
    behind = _limit(found, ActiveSpan(edges_s[-1], len(samples) / SAMPLE_RATE))
    return (*regions, SoundRegion(behind, is_own=False)) if behind else tuple(regions)


def _find_continuous(samples: Floats) -> Iterator[SoundRegion]:
    """Yield the stretches between changes that are filled with sound other than the background of their neighbours."""
    changes = find_changes(samples)
    if not changes:
        return
    edges_s = [0.0, *(change.time_s for change in changes), len(samples) / SAMPLE_RATE]
    stretches = [ActiveSpan(*edges) for edges in pairwise(edges_s)]
    begins, ends = [False, *(one.begins for one in changes)], [*(one.ends for one in changes), False]
    levels_db = [float(np.median(measure_levels_db(stretch.cut(samples)))) for stretch in stretches]
    least_db = max(MIN_BACKGROUND_DB, max(levels_db) - AUDIBLE_DB)
    for stretch, level_db, is_own in zip(stretches, levels_db, map(max, begins, ends), strict=True):
        if level_db < (SILENCE_DB if is_own else least_db) or stretch.duration_s < SHORTEST_S:
            continue
        spans = tuple(_detect_within(samples, stretch))
        if sum(span.duration_s for span in spans) >= MIN_FILLED * stretch.duration_s:
            yield SoundRegion((ActiveSpan(spans[0].start_s, spans[-1].end_s),), is_own)


def list_spans(regions: Iterable[SoundRegion]) -> ActiveSpans:
    """Return the spans of regions, in order."""
    return tuple(span for region in regions for span in region.spans)


def _detect_within(samples: Floats, stretch: ActiveSpan) -> Iterator[ActiveSpan]:
    """Yield the active spans of a stretch by itself, without the frames at its edges, which belong to either side."""
    inner = ActiveSpan(stretch.start_s + STEP_S / 2, stretch.end_s - STEP_S / 2)
    for span in detect_activity(inner.cut(samples)):
        start_s, end_s = inner.start_s + span.start_s, inner.start_s + span.end_s
        yield ActiveSpan(
            stretch.start_s if span.start_s == 0 else start_s,
            stretch.end_s if end_s > inner.end_s - FRAME_S else end_s,
        )


def _limit(spans: ActiveSpans, stretch: ActiveSpan) -> ActiveSpans:
    """Clip spans to a stretch, and drop the slivers that a cut leaves of the sound beside it."""
    limited = (ActiveSpan(max(span.start_s, stretch.start_s), min(span.end_s, stretch.end_s)) for span in spans)
    return tuple(
        one for one, whole in ((one, one in spans) for one in limited) if one.duration_s >= (0 if whole else SLIVER_S)
    )


def _find_peaks(strength: NDArray[np.float64], reach: int) -> Iterator[int]:
    """Yield the indices of the local maxima of at least `MIN_CHANGE_DB`, `reach` apart, in order."""
    last = -reach
    for index, value in enumerate(strength):
        is_highest = value == strength[max(0, index - reach) : index + reach + 1].max()
        if value >= MIN_CHANGE_DB and is_highest and index - last >= reach:
            yield index
            last = index


def _find_step(levels: NDArray[np.float64], near: int) -> int:
    """Return the frame near `near` at which the level steps most."""
    reach = round(STEP_S / FRAME_S)
    sums = np.concatenate(([0.0], np.cumsum(levels)))
    places = np.arange(max(reach, near - 2 * reach), min(len(levels) - reach, near + 2 * reach) + 1)
    steps = np.abs(sums[places + reach] - 2 * sums[places] + sums[places - reach])
    return int(places[np.argmax(steps)])


def _measure_bands_db(samples: Floats) -> NDArray[np.float64]:
    """Return the smoothed level in dBFS of each 10 ms in each band, shape (num_frames, NUM_BANDS)."""
    hop = round(FRAME_S * SAMPLE_RATE)
    padded = np.pad(samples, (FFT_SIZE // 2, FFT_SIZE // 2 + hop))
    frames = cut_frames(padded, FFT_SIZE, hop)
    power = np.abs(np.fft.rfft(frames * _WINDOW)) ** 2 @ _BANDS
    power = np.pad(power, ((SMOOTHED // 2 + 1, SMOOTHED // 2), (0, 0))).cumsum(axis=0)
    smooth = (power[SMOOTHED:] - power[:-SMOOTHED]) / SMOOTHED
    return np.asarray(10 * np.log10(np.maximum(smooth, 0) + 10 ** (FLOOR_DB / 10)))


def _make_bands() -> NDArray[np.float64]:
    """Return rectangular mel bands, shape (num_bins, NUM_BANDS), scaled so that their powers sum to the mean square."""
    edges_hz = space_on_mel_scale(LOWEST_HZ, HIGHEST_HZ, NUM_BANDS + 1)
    bands = np.searchsorted(edges_hz, np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE)) - 1
    scale = 2 / (FFT_SIZE * float(np.sum(_WINDOW**2)))
    return np.where(bands[:, None] == np.arange(NUM_BANDS), scale, 0.0)


_WINDOW = np.hanning(FFT_SIZE)
_BANDS = _make_bands()
