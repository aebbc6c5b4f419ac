"""Melody extraction: the single line of notes that is heard as the melody, by Viterbi decoding of salience."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.captioners.music.notes import OVERTONES, DetectedNote
from services.captioners.music.onsets import detect_onsets
from services.captioners.music.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches
from services.captioners.music.viterbi import find_best_path

REST_SCORE = 0.22  # a pitch less likely than this is a rest
CHANGE_COST = 0.9  # of going from one pitch to another: about the score of 40 ms
OVERTONE_DISCOUNT = 0.5
SHORTEST_FRAMES = 5
SETTLING_FRAMES = 10  # a slow attack goes on rising for 0.12 s
RESTART = 0.3  # probability of a start that makes an onset within a pitch a new note
BEGUN = 0.15  # probability of a start without which nothing begins
REST = 88

Floats = NDArray[np.float32]


def track_melody(samples: Floats, pitches: Pitches) -> tuple[DetectedNote, ...]:
    """Return the notes of the most salient line; where several sound at once, one of them."""
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
    """Say whether a note begins there: what is left of the last note as it dies away is none."""
    return float(pitches.starting[max(0, frame - 5) : frame + 9, pitch].max()) > BEGUN


def _join_octave_slips(found: list[DetectedNote]) -> tuple[DetectedNote, ...]:
    """Join a note to its neighbour where the track only slipped by octaves within it."""
    if len(found) < 2:
        return tuple(found)
    usual_s = float(np.median([note.end_s - note.start_s for note in found]))
    kept: list[DetectedNote] = []
    for note in found:
        if kept and _is_slip(kept[-1], note, usual_s):
            longer = max(kept[-1], note, key=lambda part: part.end_s - part.start_s)
            kept[-1] = DetectedNote(kept[-1].start_s, note.end_s, longer.pitch, longer.strength)
        else:
            kept.append(note)
    return tuple(kept)


def _is_slip(before: DetectedNote, after: DetectedNote, usual_s: float) -> bool:
    lengths_s = (before.end_s - before.start_s, after.end_s - after.start_s)
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
