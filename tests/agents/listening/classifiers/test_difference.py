"""How options say that a second sound differs from a first one, in words that the classifier was not fitted on."""

import pytest

from agents.listening.classifiers.difference import NamedDifference, estimate_differences, names_first


@pytest.mark.parametrize(
    ("option", "difference"),
    [
        ("It goes at a brisker speed", "faster"),
        ("The repeat is a good deal slower", "slower"),
        ("A fourth higher up", "higher"),
        ("The singer goes down in pitch", "lower"),
        ("The volume is turned up", "louder"),
        ("It is played more softly", "quieter"),
        ("The second note is held for longer", "longer"),
        ("The later beep is shorter", "shorter"),
        ("It sounds muffled", "duller"),
        ("The notes are in reverse order", "backwards"),
        ("There is no difference at all", "same"),
        ("Yes, by one and the same woman", "same voice"),
        ("No, two different people", "other voice"),
    ],
)
def test_an_option_names_its_difference(option: str, difference: NamedDifference) -> None:
    found = estimate_differences(option)
    assert max(found, key=lambda one: found[one]) == difference
    assert found[difference] > 0.5


def test_what_is_said_of_the_first_is_the_opposite_of_the_second() -> None:
    assert estimate_differences("The first is louder than the second")["quieter"] > 0.5
    assert estimate_differences("The second is louder than the first")["louder"] > 0.5
    assert estimate_differences("The first is the same as the second")["same"] > 0.5


@pytest.mark.parametrize("option", ["A violin", "Rain is falling", "The doorbell rings", "It has one bar more"])
def test_other_options_name_none(option: str) -> None:
    assert sum(estimate_differences(option).values()) < 0.5


@pytest.mark.parametrize(
    ("option", "is_first"),
    [
        ("The first", True),
        ("The second", False),
        ("The former lasts longer than the latter", True),
        ("Longer than the first", None),
        ("It is louder", None),
        ("The second sound is as long as the first", False),
    ],
)
def test_which_of_the_two_is_spoken_of_is_told(option: str, is_first: bool | None) -> None:
    assert names_first(option) is is_first
