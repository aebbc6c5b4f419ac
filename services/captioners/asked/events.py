"""Statements on separate events: how many there are, when, and how far apart they are."""

from collections.abc import Sequence
from math import exp, log

import numpy as np

from services.captioners.asked.numbers import read_durations_s
from services.captioners.music.caption import MAX_TIMES
from services.captioners.rhythm.onsets import describe_spacing
from services.captioners.statement import Statement, make_labels
from services.sentences.meaning import WeighedOption
from services.types import Label

COUNT_PRECISION = 0.9
SAME_GAP = 0.12  # standard deviation of the logarithm of the ratio of a gap to the duration of an option
MOST_OFF = 0.4  # of that logarithm, from which on no option is meant
LEAST = 0.01  # weight that every option keeps


def state_events(times_s: Sequence[float], options: Sequence[str]) -> Statement:
    """State how many events there are, with their times where they are few; of two, or regular ones, how far apart.

    Options that are durations ask for the distance: then that speaks for one of them, and the number for none.
    """
    gap_s = _measure_gap_s(times_s)
    listed = f", at {_list_times(times_s)} s" if len(times_s) <= MAX_TIMES else ""
    apart = f", {gap_s:.1f} s apart" if gap_s else ""
    durations_s = read_durations_s(options)
    if len(durations_s) < 2:
        labels = make_labels([len(times_s)])
        return Statement(
            "event", f"Number of separate events: {labels[0]}{listed}{apart}.", COUNT_PRECISION, labels=labels
        )
    weighed = _weigh_gap(gap_s, options, durations_s) if gap_s else ()
    if not weighed:
        return Statement("event", f"Separate events{listed}{apart}.", COUNT_PRECISION, labels=make_labels([listed[2:]]))
    label = Label.round_to_label(weighed[0].text, weighed[0].probability)
    text = f"Separate events{listed}{apart}; of the times asked about, most like: {label}."
    return Statement("event", text, weighed[0].probability, labels=(label,))


def _list_times(times_s: Sequence[float]) -> str:
    *others, last = [f"{time_s:.1f}" for time_s in times_s]
    return f"{', '.join(others)} and {last}" if others else last


def _measure_gap_s(times_s: Sequence[float]) -> float | None:
    """Return the time between two events, or between any two neighbours of regular ones."""
    gaps_s = np.diff(times_s)
    is_one = len(gaps_s) == 1 or describe_spacing(times_s) == "regular"
    return float(np.median(gaps_s)) if is_one else None


def _weigh_gap(gap_s: float, options: Sequence[str], durations_s: Sequence[float]) -> tuple[WeighedOption, ...]:
    """Weigh options by how near their durations are to a gap, the likeliest first; empty where none is near."""
    off = [abs(log(max(duration_s, 0.01) / max(gap_s, 0.01))) for duration_s in durations_s]
    if min(off) > MOST_OFF:
        return ()
    weights = [exp(-0.5 * (one / SAME_GAP) ** 2) + LEAST for one in off]
    found = (WeighedOption(text, one / sum(weights), one) for text, one in zip(options, weights, strict=True))
    return tuple(sorted(found, key=lambda one: -one.probability))
