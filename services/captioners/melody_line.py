"""The single line of notes that is heard as the melody."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.captioners.notes import OVERTONES, Note
from services.captioners.onsets import onsets
from services.captioners.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches

REST_SCORE = 0.22  # a pitch less likely than this is a rest
CHANGE_COST = 0.9  # of going from one pitch to another: about the score of 40 ms
OVERTONE_DISCOUNT = 0.5
SHORTEST_FRAMES = 5
SETTLING_FRAMES = 10  # a slow attack goes on rising for 0.12 s
RESTART = 0.3  # probability of a start that makes an onset within a pitch a new note
REST = 88

Floats = NDArray[np.float32]


def line(samples: Floats, pitches: Pitches) -> tuple[Note, ...]:
    """Return the notes of the most salient line; where several sound at once, one of them."""
    track = _track(_salience(pitches))
    onset_frames = np.array([round(onset.time_s * FRAMES_PER_S) for onset in onsets(samples)])
    edges = np.flatnonzero(np.diff(track, prepend=-1, append=-1))
    found = []
    for start, end in pairwise(edges.tolist()):
        pitch = int(track[start])
        if pitch == REST or end - start < SHORTEST_FRAMES:
            continue
        cuts = _restarts(
            pitches,
            pitch,
            onset_frames[(onset_frames > start + SETTLING_FRAMES) & (onset_frames < end - SHORTEST_FRAMES)],
        )
        for first, last in zip([start, *cuts], [*cuts, end], strict=True):
            strength = float(pitches.sounding[first:last, pitch].mean())
            found.append(Note(first / FRAMES_PER_S, last / FRAMES_PER_S, pitch + LOWEST_PITCH, strength))
    return tuple(found)


def _salience(pitches: Pitches) -> Floats:
    both = pitches.sounding + pitches.starting
    below = np.zeros_like(both)
    for interval in OVERTONES:
        below[:, interval:] = np.maximum(below[:, interval:], pitches.sounding[:, :-interval])
    rest = np.full((len(both), 1), REST_SCORE, np.float32)
    return np.concatenate([both - OVERTONE_DISCOUNT * below, rest], axis=1)


def _track(salience: Floats) -> NDArray[np.int64]:
    """Viterbi: the best path of pitches, where every change costs the same."""
    num_frames = len(salience)
    origin = np.zeros(salience.shape, np.int64)
    stay = np.arange(salience.shape[1])
    score = salience[0].copy()
    for frame in range(1, num_frames):
        best = int(score.argmax())
        change = score[best] - CHANGE_COST
        origin[frame] = np.where(score >= change, stay, best)
        score = np.maximum(score, change) + salience[frame]
    track = np.empty(num_frames, np.int64)
    track[-1] = int(score.argmax())
    for frame in range(num_frames - 1, 0, -1):
        track[frame - 1] = origin[frame, track[frame]]
    return track


def _restarts(pitches: Pitches, pitch: int, onset_frames: NDArray[np.int64]) -> list[int]:
    return [int(f) for f in onset_frames if pitches.starting[max(0, f - 4) : f + 5, pitch].max() > RESTART]
