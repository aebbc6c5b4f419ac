"""Tune recognition: well-known public-domain melodies by their intervals, in any key and tempo."""

import json
from functools import cache
from importlib.resources import files
from itertools import groupby

import numpy as np

MIN_STEPS = 6  # a shorter match may be chance
MIN_STEPS_INSIDE = 8  # where the tune does not begin with the first note
MAX_WRONG = 0.13  # share of the steps that may differ


@cache
def _read_tunes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the name of each tune and the intervals of its beginning in semitones, repeated notes merged."""
    listed: dict[str, list[int]] = json.loads(files("services.captioners.music").joinpath("tunes.json").read_text())
    return tuple((name, _compute_intervals(pitches)) for name, pitches in listed.items())


def _compute_intervals(pitches: list[int]) -> tuple[int, ...]:
    kept = [pitch for pitch, _ in groupby(pitches)]
    return tuple(int(step) for step in np.diff(kept))


def recognise_tune(pitches: list[int]) -> str | None:
    """Return the name of the tune that a sequence of MIDI pitches begins with or contains; None where none fits."""
    played = _compute_intervals(pitches)
    fits = [(_match(steps, played), name) for name, steps in _read_tunes()]
    best, name = max(fits, default=(0, ""))
    return name if best > 0 else None


def _match(tune: tuple[int, ...], played: tuple[int, ...]) -> int:
    """Return the number of consecutive intervals that match the beginning of the tune; 0 where too many differ."""
    best = 0
    for start in range(len(played) - MIN_STEPS + 1):
        least = MIN_STEPS_INSIDE if start else MIN_STEPS
        for length in range(min(len(tune), len(played) - start), least - 1, -1):
            wrong = sum(a != b for a, b in zip(tune[:length], played[start : start + length], strict=True))
            if wrong <= MAX_WRONG * length:
                best = max(best, length - 2 * wrong)
                break
    return best
