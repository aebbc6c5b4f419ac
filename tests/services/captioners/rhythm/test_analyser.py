"""Tempi that are asked about, weighed by the beats that were found."""

import pytest

from services.captioners.rhythm.analyser import Tempo, weigh_tempi

CANDIDATES = (Tempo(60.2, 0.1), Tempo(120.4, 0.6), Tempo(181.0, 0.05))


@pytest.mark.parametrize(
    ("options", "likeliest"),
    [
        (("About 60 beats per minute", "About 121 beats per minute", "About 90 beats per minute"), 1),
        (("60 BPM", "180 BPM"), 0),
        (("40-80 BPM", "80-110 BPM", "between 110 and 130 BPM"), 2),
        (("72.5 bpm", "119.8 bpm"), 1),
        (("120", "200"), 0),
    ],
)
def test_the_tempo_that_a_likely_beat_has_comes_first(options: tuple[str, ...], likeliest: int) -> None:
    weighed = weigh_tempi(CANDIDATES, options)
    assert weighed[0].text == options[likeliest]
    assert sum(one.probability for one in weighed) == pytest.approx(1)


def test_tempi_that_no_beat_has_are_alike() -> None:
    assert {round(one.probability, 3) for one in weigh_tempi(CANDIDATES, ("97 BPM", "150 BPM"))} == {0.5}


def test_of_tempi_apart_by_a_few_beats_the_nearest_is_not_told_for_sure() -> None:
    weighed = weigh_tempi(CANDIDATES, ("118 BPM", "123 BPM"))
    assert weighed[0].probability < 0.6


@pytest.mark.parametrize(
    "options",
    [
        ("slower", "faster"),
        ("slow", "it speeds up"),
        ("120 BPM", "loud"),
        ("3/4", "4/4"),
        ("120 BPM",),
        (),
        ("1200 BPM", "120 BPM"),
        ("1 2 60", "90"),
    ],
)
def test_options_that_are_not_all_tempi_are_not_weighed(options: tuple[str, ...]) -> None:
    assert weigh_tempi(CANDIDATES, options) == ()


def test_without_a_beat_nothing_is_weighed() -> None:
    assert weigh_tempi((), ("60 BPM", "120 BPM")) == ()
