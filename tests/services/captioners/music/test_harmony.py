import numpy as np
import pytest

from services.captioners.music.harmony import QUALITIES, estimate_key, find_interval, find_key_change, recognise_chords
from services.captioners.music.pitches import LOWEST_PITCH, Pitches


def held(rows: list[list[int]], *, frames_each: int = 86) -> Pitches:
    sounding = np.zeros((frames_each * len(rows), 88), np.float32)
    for index, pitches in enumerate(rows):
        sounding[index * frames_each : (index + 1) * frames_each, [p - LOWEST_PITCH for p in pitches]] = 0.8
    return Pitches(sounding, np.zeros_like(sounding))


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("root", [48, 53, 59])
def test_quality_of_a_chord_on_its_root(quality: str, root: int) -> None:
    (chord,) = recognise_chords(held([[root + interval for interval in QUALITIES[quality]]]))
    assert (chord.quality, chord.root) == (quality, root % 12)
    assert chord.fit > 0.95


def test_chords_in_order() -> None:
    found = recognise_chords(held([[48, 52, 55], [43, 47, 50], [45, 48, 52], [41, 45, 48]]))
    assert [chord.name for chord in found] == ["C major", "G major", "A minor", "F major"]


def test_an_inversion_keeps_its_root() -> None:
    (chord,) = recognise_chords(held([[52, 55, 60]]))
    assert chord.name == "C major"


def test_a_chord_over_its_bass_is_heard_though_its_tones_are_overtones_of_the_bass() -> None:
    found = recognise_chords(held([[36, 60, 64, 67], [41, 60, 65, 69], [31, 59, 62, 67]]))
    assert [chord.name for chord in found] == ["C major", "F major", "G major"]


def test_two_notes_together_are_an_interval_and_one_after_the_other_are_none() -> None:
    assert find_interval(held([[60, 67]])) == (60, 67)
    assert find_interval(held([[60], [67]])) is None
    assert find_interval(held([[60, 64, 67]])) is None
    assert find_interval(held([[]])) is None


@pytest.mark.parametrize("rows", [[[60]], [[60, 67]], [[60], [64], [67]], [[]]])
def test_fewer_than_three_tones_are_not_a_chord(rows: list[list[int]]) -> None:
    assert recognise_chords(held(rows)) == ()


@pytest.mark.parametrize(
    ("scale", "name"),
    [
        ([60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60], "C major"),
        ([57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57], "A minor"),
        ([66, 68, 70, 71, 73, 75, 77, 78, 73, 70, 66], "F sharp major"),
    ],
)
def test_key_of_a_melody(scale: list[int], name: str) -> None:
    found = estimate_key(held([[pitch] for pitch in scale], frames_each=20))
    assert found is not None
    assert found.name == name


def test_three_pitch_classes_have_no_key() -> None:
    assert estimate_key(held([[60], [64], [67]])) is None


CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))


def play_cadence(tonic: int) -> list[list[int]]:
    return [[tonic + tone for tone in chord] for chord in CADENCE]


@pytest.mark.parametrize("semitones", [-3, 1, 2, 6])
def test_a_cadence_in_another_key_is_a_change_of_key(semitones: int) -> None:
    change = find_key_change(held(play_cadence(60) + play_cadence(60 + semitones)))
    assert change is not None
    assert (change.before.name, change.after.tonic, change.semitones) == ("C major", semitones % 12, semitones)


def test_one_key_throughout_is_no_change() -> None:
    assert find_key_change(held(play_cadence(60) + play_cadence(60))) is None
    assert find_key_change(held([[60, 64, 67]])) is find_key_change(held([[]])) is None
