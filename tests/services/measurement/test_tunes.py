"""Whether a passage repeats another one: at which pitch, how fast, backwards, in the same rhythm."""

from collections.abc import Sequence

import pytest

from services.captioners.music.notes import DetectedNote
from services.measurement.tunes import TuneLikeness, compare_rhythms, compare_tunes

TUNE = (60, 62, 64, 60, 67, 65)


def play(pitches: Sequence[int], step_s: float = 0.5) -> tuple[DetectedNote, ...]:
    return tuple(
        DetectedNote(step_s * place, step_s * place + 0.9 * step_s, pitch, 0.9) for place, pitch in enumerate(pitches)
    )


@pytest.mark.parametrize(
    ("second", "step_s", "likeness"),
    [
        (TUNE, 0.5, (0, 1.0, False)),
        (TUNE, 0.25, (0, 2.0, False)),
        ([pitch + 7 for pitch in TUNE], 0.5, (7, 1.0, False)),
        ([pitch - 12 for pitch in TUNE], 1.0, (-12, 0.5, False)),
        (TUNE[::-1], 0.5, (0, 1.0, True)),
        ((60, 62, 64, 67, 65), 0.5, (0, 1.0, False)),  # a note is missed
        ((60, 62, 64, 61, 60, 67, 65), 0.5, (0, 1.0, False)),  # and one is added
        ((60, 59, 67, 62, 68, 61), 0.5, None),
        (TUNE[:3], 0.5, None),  # too short to tell
    ],
)
def test_the_same_tune_is_known_at_any_pitch_and_pace(
    second: Sequence[int], step_s: float, likeness: tuple[int, float, bool] | None
) -> None:
    found = compare_tunes(play(TUNE), play(second, step_s))
    assert found == (None if likeness is None else TuneLikeness(*likeness))


def test_notes_that_begin_together_do_not_tell_a_pace() -> None:
    together = tuple(note._replace(start_s=0.0) for note in play(TUNE))
    assert compare_tunes(together, play(TUNE)) == TuneLikeness(0, 1.0, is_backwards=False)


def test_one_repeated_note_is_no_tune() -> None:
    assert compare_tunes(play([60] * 6), play([62] * 6)) is None


@pytest.mark.parametrize(
    ("second", "is_same"),
    [
        ((0, 0.5, 0.75, 1.0, 2.0), True),
        ((5, 6.0, 6.5, 7.0, 9.0), True),  # at half the tempo
        ((0, 0.52, 0.76, 1.01, 2.0), True),
        ((0, 0.25, 0.75, 1.0, 2.0), False),
        ((0, 0.5, 0.75, 1.0), False),
    ],
)
def test_the_same_rhythm_is_known_at_any_tempo(second: tuple[float, ...], *, is_same: bool) -> None:
    assert compare_rhythms((0, 0.5, 0.75, 1.0, 2.0), second) is is_same


def test_three_strokes_are_no_rhythm() -> None:
    assert not compare_rhythms((0, 1, 2), (0, 1, 2))
