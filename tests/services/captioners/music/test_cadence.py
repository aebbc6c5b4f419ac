import pytest

from services.captioners.music.cadence import analyse_progression
from services.captioners.music.harmony import Chord, MusicalKey

C_MAJOR, A_MINOR = MusicalKey(0, "major", 0.2), MusicalKey(9, "minor", 0.2)


def chords(*named: tuple[int, str]) -> list[Chord]:
    return [Chord(float(i), i + 1.0, root, quality, 1.0) for i, (root, quality) in enumerate(named)]


@pytest.mark.parametrize(
    ("key", "row", "numerals", "cadence"),
    [
        (C_MAJOR, [(0, "major"), (5, "major"), (7, "major"), (0, "major")], "I IV V I", "authentic"),
        (C_MAJOR, [(0, "major"), (9, "minor"), (5, "major"), (0, "major")], "I vi IV I", "plagal"),
        (C_MAJOR, [(0, "major"), (2, "minor"), (7, "dominant seventh")], "I ii V", "half"),
        (C_MAJOR, [(0, "major"), (7, "major"), (9, "minor")], "I V vi", "deceptive"),
        (A_MINOR, [(9, "minor"), (2, "minor"), (4, "major"), (9, "minor")], "i iv V i", "authentic"),
        (A_MINOR, [(9, "minor"), (4, "major"), (5, "major")], "i V VI", "deceptive"),
    ],
)
def test_degrees_and_cadence(key: MusicalKey, row: list[tuple[int, str]], numerals: str, cadence: str) -> None:
    found = analyse_progression(chords(*row), key)
    assert found is not None
    assert " ".join(found.numerals) == numerals
    assert found.cadence is not None and cadence in found.cadence
    assert found.describe(key).startswith(f"Progression in {key.name}: ")


def test_a_progression_that_ends_on_another_degree_has_no_cadence() -> None:
    found = analyse_progression(chords((0, "major"), (7, "major"), (2, "minor")), C_MAJOR)
    assert found is not None
    assert found.cadence is None


def test_a_chord_outside_the_key_and_a_single_chord_have_no_degrees() -> None:
    assert analyse_progression(chords((0, "major"), (6, "major"), (0, "major")), C_MAJOR) is None
    assert analyse_progression(chords((0, "major"), (0, "major")), C_MAJOR) is None
