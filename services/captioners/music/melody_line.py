"""Melody extraction: the most salient line of notes, by Viterbi decoding."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.captioners.frames import Floats
from services.captioners.music.notes import OVERTONES, DetectedNote
from services.captioners.music.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches
from services.captioners.music.viterbi import find_best_path
from services.captioners.rhythm.onsets import detect_onsets

REST_SCORE = 0.22  # a pitch less likely than this is a rest
CHANGE_COST = 0.9  # of a change of pitch: about the score of 40 ms
OVERTONE_DISCOUNT = 0.5
SHORTEST_FRAMES = 5
SETTLING_FRAMES = 10  # a slow attack rises for 0.12 s
RESTART = 0.3  # probability of a start from which an onset within a pitch is a new note
BEGUN = 0.15  # probability of a start below which no note begins
REST = 88  # state after those of the 88 pitches


def track_melody(samples: Floats, pitches: Pitches) -> tuple[DetectedNote, ...]:
    """Return the notes of the most salient line, one at a time.

    Args:
        samples: 16 kHz, shape (num_samples,).
        pitches: their transcription.
    """
    track = find_best_path(_compute_salience(pitches), CHANGE_COST)
    onset_frames = np.array([round(onset.time_s * FRAMES_PER_S) for onset in detect_onsets(samples)])
    edges = np.flatnonzero(np.diff(track, prepend=-1, append=-1))
    found = []
    for start, end in pairwise(edges.tolist()):
        pitch = int(track[start])
        if pitch == REST or end - start < SHORTEST_FRAMES or not _has_onset(pitches, pitch, start):
            continue
        cuts = _find_restarts(
            pitches,
            pitch,
            onset_frames[(onset_frames > start + SETTLING_FRAMES) & (onset_frames < end - SHORTEST_FRAMES)],
        )
        for first, last in zip([start, *cuts], [*cuts, end], strict=True):
            strength = float(pitches.sounding[first:last, pitch].mean())
            found.append(DetectedNote(first / FRAMES_PER_S, last / FRAMES_PER_S, pitch + LOWEST_PITCH, strength))
    return _join_octave_slips(found)


def _has_onset(pitches: Pitches, pitch: int, frame: int) -> bool:
    """Return whether a note begins at a frame; the decay of the last note is not a note."""
    return float(pitches.starting[max(0, frame - 5) : frame + 9, pitch].max()) > BEGUN


def _join_octave_slips(found: list[DetectedNote]) -> tuple[DetectedNote, ...]:
    """Join two notes where the track only slipped by octaves within one (octave errors)."""
    if len(found) < 2:
        return tuple(found)
    usual_s = float(np.median([note.duration_s for note in found]))
    kept: list[DetectedNote] = []
    for note in found:
        if kept and _is_slip(kept[-1], note, usual_s):
            longer = max(kept[-1], note, key=lambda part: part.duration_s)
            kept[-1] = DetectedNote(kept[-1].start_s, note.end_s, longer.pitch, longer.strength)
        else:
            kept.append(note)
    return tuple(kept)


def _is_slip(before: DetectedNote, after: DetectedNote, usual_s: float) -> bool:
    lengths_s = (before.duration_s, after.duration_s)
    is_octave = before.pitch != after.pitch and (before.pitch - after.pitch) % 12 == 0
    is_joined = after.start_s - before.end_s < 0.02
    return is_octave and is_joined and min(lengths_s) < 0.6 * usual_s and sum(lengths_s) < 1.6 * usual_s


def _compute_salience(pitches: Pitches) -> Floats:
    both = pitches.sounding + pitches.starting
    below = np.zeros_like(both)
    for interval in OVERTONES:
        below[:, interval:] = np.maximum(below[:, interval:], pitches.sounding[:, :-interval])
    rest = np.full((len(both), 1), REST_SCORE, np.float32)
    return np.concatenate([both - OVERTONE_DISCOUNT * below, rest], axis=1)


def _find_restarts(pitches: Pitches, pitch: int, onset_frames: NDArray[np.int64]) -> list[int]:
    return [int(f) for f in onset_frames if pitches.starting[max(0, f - 4) : f + 5, pitch].max() > RESTART]
