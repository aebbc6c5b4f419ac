"""Tune recognition: well-known melodies in the public domain, by their intervals, in any key and tempo."""

import json
from functools import cache
from importlib.resources import files
from itertools import groupby

import numpy as np

LEAST_STEPS = 6  # a shorter match is chance
LEAST_STEPS_INSIDE = 8  # where the tune does not begin with the first note
MOST_WRONG = 0.13  # share of the steps that may differ


@cache
def _read_tunes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the name of each tune and the steps of its beginning, repeated notes joined."""
    listed: dict[str, list[int]] = json.loads(files("services.captioners.music").joinpath("tunes.json").read_text())
    return tuple((name, _compute_intervals(pitches)) for name, pitches in listed.items())


def _compute_intervals(pitches: list[int]) -> tuple[int, ...]:
    kept = [pitch for pitch, _ in groupby(pitches)]
    return tuple(int(step) for step in np.diff(kept))


def recognise_tune(pitches: list[int]) -> str | None:
    """Return the name of the tune that the MIDI pitches begin or contain; None where none fits."""
    played = _compute_intervals(pitches)
    fits = [(_match(steps, played), name) for name, steps in _read_tunes()]
    best, name = max(fits, default=(0, ""))
    return name if best > 0 else None


def _match(tune: tuple[int, ...], played: tuple[int, ...]) -> int:
    """Return how many steps of the beginning of the tune are played in a row; 0 where too many differ."""
    best = 0
    for start in range(len(played) - LEAST_STEPS + 1):
        least = LEAST_STEPS_INSIDE if start else LEAST_STEPS
        for length in range(min(len(tune), len(played) - start), least - 1, -1):
            wrong = sum(a != b for a, b in zip(tune[:length], played[start : start + length], strict=True))
            if wrong <= MOST_WRONG * length:
                best = max(best, length - 2 * wrong)
                break
    return best
