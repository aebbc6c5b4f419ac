"""Chord recognition and key estimation from chroma (the strength of the 12 pitch classes)."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.captioners.frames import Floats
from services.captioners.music.notes import NAMES, DetectedNote
from services.captioners.music.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches
from services.captioners.music.viterbi import find_best_path

FRAME_S = 0.1  # resolution of the chords
CHANGE_COST = 0.6
AUDIBLE = 0.15  # probability above which a pitch sounds
AUDIBLE_BASS = 0.3  # and above which it may be the bass
ON_ROOT = 0.1  # score that a chord gains whose root is the bass
CHORD_PRECISION, KEY_PRECISION = (
    0.93,
    0.9,
)  # share of the chords that fit fully, and of the keys, that are right (docs/ears.md)
MISFIT = 0.4  # share by which precision is lower for a chord that explains nothing of the sound
TOGETHER = 0.6  # share of the sounding frames in which both notes of an interval sound
SUSTAINED = 0.3  # mean probability of a pitch that sounds throughout
FAINTER = 0.6  # of the strongest pitch; a fainter one is an overtone
FEWEST_CLASSES = 5  # that sound where a key is told
MOST_PLACES = 120  # about how many places are weighed at which the key may change
EDGE = 0.25  # share of the sound before and behind a change of key, at least
MIN_KEY_CHANGE = 0.35  # margin of both keys from which a change is stated
KEY_CHANGE_PRECISION = 0.85  # share of the stated changes that are right
QUALITIES = {
    "major": (0, 4, 7),
    "minor": (0, 3, 7),
    "diminished": (0, 3, 6),
    "augmented": (0, 4, 8),
    "suspended fourth (sus4)": (0, 5, 7),
    "suspended second (sus2)": (0, 2, 7),
    "dominant seventh": (0, 4, 7, 10),
    "major seventh": (0, 4, 7, 11),
    "minor seventh": (0, 3, 7, 10),
    "diminished seventh": (0, 3, 6, 9),
    "half-diminished seventh": (0, 3, 6, 10),
}
Mode: TypeAlias = Literal["major", "minor"]
MAJOR_KEY = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR_KEY = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
"""How often each pitch class is heard, counted from the tonic (Temperley, Music and Probability, 2007)."""
KEY_PROFILES: Mapping[Mode, tuple[float, ...]] = {"major": MAJOR_KEY, "minor": MINOR_KEY}


class Chord(NamedTuple):
    """A chord and when it sounds."""

    start_s: float
    end_s: float
    root: int
    """Pitch class, 0 is C."""
    quality: str
    fit: float
    """Share of the chroma that its tones explain, in [0, 1]."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    @property
    def confidence(self) -> float:
        """Probability that the quality is right."""
        return CHORD_PRECISION * (1 - MISFIT * (1 - self.fit))

    @property
    def name(self) -> str:
        """Name such as A minor."""
        return f"{NAMES[self.root]} {self.quality}"


class MusicalKey(NamedTuple):
    """A musical key."""

    tonic: int
    """Pitch class, 0 is C."""
    mode: Mode
    lead: float
    """Correlation by which it exceeds the best key of the other mode."""

    @property
    def confidence(self) -> float:
        """Probability that the key is right."""
        return min(KEY_PRECISION, 0.5 + 2 * self.lead)

    @property
    def name(self) -> str:
        """Name such as C major."""
        return f"{NAMES[self.tonic]} {self.mode}"

    def count_steps_to(self, other: "MusicalKey") -> int:
        """Count the semitones from this tonic to that of another key, the shorter way: -5 to 6."""
        return (other.tonic - self.tonic + 5) % 12 - 5


class KeyChange(NamedTuple):
    """A modulation: the key before and after it."""

    before: MusicalKey
    after: MusicalKey
    margin: float
    """Correlation by which each key exceeds the other one in its own part, the lesser of the two."""

    @property
    def semitones(self) -> int:
        """Semitones from one tonic to the next, the shorter way: -5 to 6."""
        return self.before.count_steps_to(self.after)


def compute_chroma(pitches: Pitches) -> Floats:
    """Return the chroma: strength of the 12 pitch classes per frame, shape (num_frames, 12).

    Overtones are not removed: the transcriber reports few, and those of the bass coincide with tones of the chord. The
    square root compresses the loud tones of a chord.
    """
    heard = np.where(pitches.sounding > AUDIBLE, pitches.sounding, 0)
    folded = np.zeros((len(heard), 12), np.float32)
    for column in range(88):
        target = (column + 9) % 12
        folded[:, target] = np.maximum(folded[:, target], heard[:, column])
    return np.sqrt(folded)


def find_bass(pitches: Pitches) -> NDArray[np.int64]:
    """Return the pitch class of the lowest sounding pitch in each frame, -1 in silence; shape (num_frames,)."""
    heard = pitches.sounding > AUDIBLE_BASS
    return np.where(heard.any(axis=1), (heard.argmax(axis=1) + 9) % 12, -1)


def recognise_chords(pitches: Pitches) -> tuple[Chord, ...]:
    """Recognise the chords, in order, by Viterbi decoding; none while fewer than three pitch classes sound together."""
    step = round(FRAME_S * FRAMES_PER_S)
    num_steps = len(pitches.sounding) // step
    if num_steps < 2:
        return ()
    strengths = compute_chroma(pitches)[: num_steps * step].reshape(num_steps, step, 12).mean(axis=1)
    bass = find_bass(pitches)[: num_steps * step].reshape(num_steps, step)[:, step // 2]
    path = find_best_path(_score_chords(strengths, bass), CHANGE_COST)
    edges = np.flatnonzero(np.diff(path, prepend=-2, append=-2))
    spans = pairwise(edges.tolist())
    return tuple(_make_chord(a, b, int(path[a]), strengths) for a, b in spans if path[a] < 12 * len(QUALITIES))


def _make_chord(start: int, end: int, state: int, strengths: Floats) -> Chord:
    quality, root = divmod(state, 12)
    label = tuple(QUALITIES)[quality]
    tones = [(root + interval) % 12 for interval in QUALITIES[label]]
    total = strengths[start:end].sum()
    fit = float(strengths[start:end][:, tones].sum() / total) if total else 0.0
    return Chord(start * FRAME_S, end * FRAME_S, root, label, fit)


def _score_chords(strengths: Floats, bass: NDArray[np.int64]) -> Floats:
    """Score each chord in each step, shape (num_steps, 12 * num_qualities + 1); the last state is no chord."""
    norm = strengths / np.maximum(np.linalg.norm(strengths, axis=1, keepdims=True), 1e-6)
    columns = []
    for intervals in QUALITIES.values():
        tones = [np.roll(norm, -interval, axis=1) for interval in intervals]
        match = sum(tones) / np.sqrt(len(intervals))
        weakest = np.minimum.reduce(tones) * np.sqrt(len(intervals))
        on_root = np.eye(12, dtype=np.float32)[bass] * (bass >= 0)[:, None]
        columns.append(match + 0.5 * np.minimum(weakest, 1) + ON_ROOT * on_root - 0.04 * (len(intervals) - 3))
    silent = np.where(strengths.max(axis=1) > 0.05, 1.2, 2.0).astype(np.float32)
    return np.concatenate([*columns, silent[:, None]], axis=1)


def find_interval(pitches: Pitches) -> tuple[int, int] | None:
    """Return the only two MIDI pitches that sound together throughout, the lower one first; None if not just two."""
    is_on = pitches.sounding.max(axis=1) > AUDIBLE_BASS
    if not is_on.any():
        return None
    strengths = pitches.sounding[is_on].mean(axis=0)
    found = np.flatnonzero(strengths > max(SUSTAINED, FAINTER * float(strengths.max())))
    if len(found) != 2 or (pitches.sounding[is_on][:, found].min(axis=1) > AUDIBLE).mean() < TOGETHER:
        return None
    return int(found[0]) + LOWEST_PITCH, int(found[1]) + LOWEST_PITCH


def estimate_key(pitches: Pitches) -> MusicalKey | None:
    """Estimate the key by profile matching (Krumhansl & Schmuckler); None where fewer than five pitch classes sound."""
    return _match_key(compute_chroma(pitches).sum(axis=0))


def estimate_key_of_melody(tune: tuple[DetectedNote, ...]) -> MusicalKey | None:
    """Estimate the key of a melody in the same way, every note counted once."""
    return _match_key(np.bincount([note.pitch % 12 for note in tune], minlength=12).astype(np.float32))


def find_key_change(pitches: Pitches) -> KeyChange | None:
    """Find the change of key that best divides the clip; None where one key fits both parts about as well."""
    step = round(FRAME_S * FRAMES_PER_S)
    chroma = compute_chroma(pitches)
    heard = np.cumsum(chroma[chroma.max(axis=1) > 0], axis=0)[step - 1 :: step]
    num = len(heard)
    places = range(round(EDGE * num), num - round(EDGE * num), 1 + num // MOST_PLACES)
    found = [one for place in places if (one := _weigh_change(heard[place], heard[-1] - heard[place]))]
    best = max(found, key=lambda one: one.margin, default=None)
    return best if best and best.margin >= MIN_KEY_CHANGE else None


def _weigh_change(before: Floats, after: Floats) -> KeyChange | None:
    """Weigh a change of key between two parts, of which the chroma is given: most modulations keep the mode."""
    if not (_is_rich(before) and _is_rich(after)):
        return None
    fits, later = _fit_keys(before), _fit_keys(after)
    mode = max(fits, key=lambda one: float(fits[one].max() + later[one].max()))
    first, second = _make_key(fits, mode), _make_key(later, mode)
    margins = (
        fits[mode][first.tonic] - fits[mode][second.tonic],
        later[mode][second.tonic] - later[mode][first.tonic],
    )
    return KeyChange(first, second, float(min(margins)))


def _match_key(weights: Floats) -> MusicalKey | None:
    if not _is_rich(weights):
        return None
    fits = _fit_keys(weights)
    return _make_key(fits, max(fits, key=lambda name: float(fits[name].max())))


def _is_rich(weights: Floats) -> bool:
    """Say whether so many pitch classes sound that they tell a key."""
    return int((weights > 0.08 * weights.max(initial=1e-6)).sum()) >= FEWEST_CLASSES


def _fit_keys(weights: Floats) -> dict[Mode, Floats]:
    """Return the correlation of the chroma with the profile of the key on each pitch class."""
    centred = weights - weights.mean()
    scaled = centred / max(float(np.linalg.norm(centred)), 1e-9)
    return {mode: np.array(_SCALED_PROFILES[mode] @ scaled, np.float32) for mode in KEY_PROFILES}


def _make_key(fits: Mapping[Mode, Floats], mode: Mode) -> MusicalKey:
    """Return the best key of a mode."""
    other: Mode = "minor" if mode == "major" else "major"
    return MusicalKey(int(fits[mode].argmax()), mode, float(fits[mode].max() - fits[other].max()))


def _scale_profiles(profile: tuple[float, ...]) -> Floats:
    """Return the profile of each of the 12 keys, centred and of length 1, shape (12, 12)."""
    centred = np.array(profile, np.float32) - np.float32(np.mean(profile))
    scaled: Floats = np.stack([np.roll(centred, tonic) for tonic in range(12)]) / np.linalg.norm(centred)
    return scaled


_SCALED_PROFILES = {mode: _scale_profiles(profile) for mode, profile in KEY_PROFILES.items()}
