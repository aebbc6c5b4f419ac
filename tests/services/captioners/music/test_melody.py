import numpy as np
import pytest

from services.captioners.music.melody import describe_contour, drop_ghost_notes, measure_solo_share, recognise_scale
from services.captioners.music.melody_line import track_melody
from services.captioners.music.notes import DetectedNote, name_pitch
from services.captioners.music.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches
from services.captioners.music.tunes import recognise_tune


def up_and_down(steps: list[int], start: int = 60) -> list[int]:
    rising = [start, *(start + int(total) for total in np.cumsum(steps))]
    return rising + rising[-2::-1]


@pytest.mark.parametrize(
    ("pitches", "words"),
    [
        ([60, 62, 64, 65, 67], "goes steadily upwards"),
        ([67, 65, 64, 62, 60], "goes steadily downwards"),
        ([60, 62, 64, 67, 64, 62, 60], "first rises and then falls"),
        ([67, 64, 62, 60, 62, 64, 67], "first falls and then rises"),
        ([60, 60, 60, 60], "repeats the same pitch"),
        ([60, 67, 62, 69, 60, 65, 61], "moves up and down and ends higher"),
        ([60, 67, 62, 69, 60, 65, 60], "ends on the note it began with"),
    ],
)
def test_direction(pitches: list[int], words: str) -> None:
    assert words in describe_contour(pitches)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([2, 2, 1, 2, 2, 2, 1], "a major scale"),
        ([2, 1, 2, 2, 1, 2, 2], "a natural minor scale"),
        ([2, 1, 2, 2, 1, 3, 1], "a harmonic minor scale"),
        ([1] * 12, "a chromatic scale"),
        ([2] * 6, "a whole-tone scale"),
        ([2, 2, 3, 2, 3], "a major pentatonic scale"),
        ([3, 2, 2, 3, 2], "a minor pentatonic scale"),
    ],
)
def test_scale(steps: list[int], words: str) -> None:
    assert words in (recognise_scale(up_and_down(steps)) or "")


def test_a_tune_is_not_a_scale() -> None:
    assert recognise_scale([60, 67, 64, 72, 62, 71, 65, 69, 60]) is None


def test_half_a_scale_is_not_named() -> None:
    assert recognise_scale([60, 62, 64, 65, 67]) is None


@pytest.mark.parametrize("transpose", [0, 5, -7])
def test_tunes_are_recognised_in_any_key(transpose: int) -> None:
    twinkle = [60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60]
    assert recognise_tune([pitch + transpose for pitch in twinkle]) == "Twinkle, Twinkle, Little Star"


def test_a_scale_is_not_a_tune() -> None:
    assert recognise_tune(up_and_down([2, 2, 1, 2, 2, 2, 1])) is None


def test_names_of_pitches() -> None:
    assert [name_pitch(pitch) for pitch in (60, 61, 69, 70, 21)] == ["C4", "C#4", "A4", "Bb4", "A0"]


def transcribed(found: list[DetectedNote], duration_s: float) -> Pitches:
    sounding = np.zeros((round(duration_s * FRAMES_PER_S), 88), np.float32)
    starting = np.zeros_like(sounding)
    for note in found:
        first, last = round(note.start_s * FRAMES_PER_S), round(note.end_s * FRAMES_PER_S)
        sounding[first:last, note.pitch - LOWEST_PITCH] = note.strength
        starting[first : first + 3, note.pitch - LOWEST_PITCH] = 0.8
    return Pitches(sounding, starting)


def test_the_line_follows_the_notes_and_not_their_overtones() -> None:
    played = [DetectedNote(0.1 + 0.4 * i, 0.45 + 0.4 * i, 60 + 2 * i, 0.8) for i in range(5)]
    overtones = [DetectedNote(n.start_s, n.end_s, n.pitch + 12, 0.5) for n in played]
    pitches = transcribed([*played, *overtones], 2.5)
    found = track_melody(np.zeros(40_000, np.float32), pitches)
    assert [note.pitch for note in found] == [60, 62, 64, 66, 68]
    assert measure_solo_share(found, pitches) > 0.95


def test_chords_are_not_a_solo() -> None:
    pitches = transcribed([DetectedNote(0.1, 2.0, pitch, 0.8) for pitch in (60, 64, 67)], 2.5)
    assert measure_solo_share(track_melody(np.zeros(40_000, np.float32), pitches), pitches) < 0.5


def test_short_faint_notes_are_dropped() -> None:
    loud = [DetectedNote(i, i + 0.8, 60 + i, 0.9) for i in range(4)]
    assert drop_ghost_notes((*loud, DetectedNote(4.0, 4.05, 90, 0.2))) == tuple(loud)
