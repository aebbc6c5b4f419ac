import numpy as np
import pytest

from agents.listening.options.times import name_times, place_in_options
from services.types import SAMPLE_RATE, AudioClip, Evidence

CLIP = AudioClip(np.zeros(10 * SAMPLE_RATE, np.float32))


def found(start_s: float, end_s: float | None, confidence: float = 0.9) -> Evidence:
    known = {"kind": "event", "source": "ears", "revision": "1", "text": "A bell.", "confidence": confidence}
    return Evidence.model_validate(known | {"start_s": start_s, "end_s": end_s})


@pytest.mark.parametrize(
    ("options", "span", "likeliest"),
    [
        (("At 1 s", "At 3.5 s", "At 6 s"), (3.4, 5.0), "At 3.5 s"),
        (("At 1 s", "At 3.5 s", "At 6 s"), (2.0, 6.1), "At 6 s"),
        (("0-2 s", "2-4 s", "4-6 s"), (2.1, 3.9), "2-4 s"),
        (("from 0 to 2 seconds", "from 2 to 4 seconds"), (0.1, 1.0), "from 0 to 2 seconds"),
        (("First half", "Second half"), (6.0, 7.0), "Second half"),
        (("In the first third", "In the middle third", "In the last third"), (4.0, 5.0), "In the middle third"),
        (("At the beginning", "In the middle", "At the end"), (8.0, None), "At the end"),
        (("0:02", "0:05", "0:08"), (5.2, 5.4), "0:05"),
        (("Second 2", "Second 7"), (7.0, 7.4), "Second 7"),
        (("two seconds", "seven seconds"), (7.0, 7.4), "seven seconds"),
        (("2", "7"), (7.0, 7.4), "7"),
    ],
)
def test_the_option_that_names_the_time_is_the_likeliest(
    options: tuple[str, ...], span: tuple[float, float | None], likeliest: str
) -> None:
    (stated,) = place_in_options([found(*span)], options, CLIP)
    assert stated.labels[0].text == likeliest and (stated.labels[0].probability or 0) > 0.8
    assert {label.text for label in stated.labels} == set(options)
    assert stated.text.startswith(f"Of the times asked about: {likeliest} (")


@pytest.mark.parametrize(
    "options",
    [
        ("A dog", "A cat"),
        ("2 dogs", "7 dogs"),
        ("At 2 s", "Never"),
        ("At 2 s",),
        (),
        ("from 1 to 2 s and 4 to 5 s", "at 7 s"),
        ("from 5 to 2 s", "at 7 s"),
    ],
)
def test_options_that_are_not_all_times_are_not_weighed(options: tuple[str, ...]) -> None:
    assert place_in_options([found(2, 3)], options, CLIP) == ()
    assert not name_times(options, 10)


def test_what_is_near_none_of_the_times_or_not_found_says_nothing() -> None:
    assert place_in_options([found(5, 5.5)], ("At 1 s", "At 9 s"), CLIP) == ()
    assert place_in_options([], ("At 1 s", "At 9 s"), CLIP) == ()


def test_between_two_edges_that_are_both_named_nothing_is_decided() -> None:
    (stated,) = place_in_options([found(2, 6)], ("At 2 s", "At 6 s"), CLIP)
    assert [label.probability for label in stated.labels] == [0.5, 0.5]


def test_of_several_the_nearest_counts_and_the_surest_stands_for_them() -> None:
    stretches = [found(1, 2, 0.5), found(7, 8, 0.95)]
    (stated,) = place_in_options(stretches, ("At 4 s", "At 7 s"), CLIP)
    assert stated.labels[0].text == "At 7 s" and stated.confidence == 0.95


def test_times_of_day_are_not_times_of_a_recording() -> None:
    assert name_times(("At 2 s", "At 9 s"), 10)
    assert not name_times(("9:30", "10:45"), 10)


@pytest.mark.parametrize("options", [("2", "3"), ("Two", "Three"), ("2.", "3.")])
def test_bare_numbers_may_be_counts(options: tuple[str, ...]) -> None:
    assert not name_times(options, 10)
