"""Options that name a difference, laid beside what was measured of two sounds."""

import pytest

from agents.listening.options.differences import asks_which, weigh_differences
from services.captioners.music.harmony import MusicalKey
from services.measurement.comparison import KeyPair, Pace, SoundComparison, ValuePair
from services.measurement.tunes import TuneLikeness
from services.types import Question

LONGER = SoundComparison(lengths_s=ValuePair(1.0, 3.0), level_difference_db=0.1)
UP = SoundComparison(keys=KeyPair(MusicalKey(0, "major", 0.3), MusicalKey(2, "major", 0.3)))
AGAIN = SoundComparison(
    lengths_s=ValuePair(4.0, 4.0), level_difference_db=0.2, tune=TuneLikeness(0, 1.0, is_backwards=False)
)
TWICE_AS_FAST = SoundComparison(lengths_s=ValuePair(4.0, 2.0), tune=TuneLikeness(0, 2.0, is_backwards=False))
MUFFLED = SoundComparison(highest_hz=ValuePair(7000, 1500), level_difference_db=0.0, lengths_s=ValuePair(4, 4))
LOUDER = SoundComparison(level_difference_db=9.0, pace=Pace(90, 91, "BPM"))
TWO_VOICES = SoundComparison(same_speaker=0.1, level_difference_db=0.0)


@pytest.mark.parametrize(
    ("found", "question", "options", "likeliest"),
    [
        (LONGER, "How do they compare?", ("The first is longer", "The second is longer", "Both are equally long"), 1),
        (LONGER, "How long?", ("The second lasts 1.5 times as long", "The second lasts three times as long"), 1),
        (LONGER, "Which one lasts longer?", ("The first one", "The second one"), 1),
        (LONGER, "Is the second longer than the first?", ("No", "Yes"), 1),
        (UP, "What happens?", ("The key stays the same", "It moves to a lower key", "It moves to a higher key"), 2),
        (AGAIN, "What changes?", ("It is louder", "Nothing changes", "It is played backwards"), 1),
        (TWICE_AS_FAST, "What changes?", ("It is slower", "It is higher", "It is faster"), 2),
        (MUFFLED, "What changes?", ("It has been slowed down", "It becomes much louder", "It sounds muffled"), 2),
        (LOUDER, "Compare them.", ("The first is louder than the second", "The first is quieter than the second"), 1),
        (TWO_VOICES, "Who speaks?", ("The same man both times", "Two different men"), 1),
    ],
)
def test_the_difference_that_was_measured_is_the_likeliest(
    found: SoundComparison, question: str, options: tuple[str, ...], likeliest: int
) -> None:
    labels = weigh_differences(question, options, found)
    assert labels[0].text == options[likeliest]
    assert sum(label.probability or 0.0 for label in labels) == pytest.approx(1.0, abs=0.03)
    assert (labels[0].probability or 0.0) > 0.6


@pytest.mark.parametrize(
    ("found", "options"),
    [
        (LONGER, ("A violin", "A flute", "A drum")),
        (LONGER, ("The second is in another metre", "The second is longer")),  # one of them alone says little
        (SoundComparison(), ("The first is longer", "The second is longer")),
        (LONGER, ("The first is longer", "The second is longer", "The third is longer")),
        (LONGER, ("It is higher", "It is lower")),  # of which nothing was measured
        (LONGER, ()),
    ],
)
def test_options_that_name_nothing_measured_are_not_weighed(found: SoundComparison, options: tuple[str, ...]) -> None:
    assert weigh_differences("What changes?", options, found) == ()


@pytest.mark.parametrize(
    ("text", "options", "is_asked"),
    [
        ("Which one is louder?", ("The first", "The second", "Both are equally loud"), True),
        ("Which of the two bells rings longer?", ("the first one", "the second one"), True),
        ("Which one is louder?", ("The dog", "The cat"), False),
        ("Which speaker is a woman?", ("The first", "The second"), False),
        ("Which one is louder?", ("The first", "Both"), False),
        ("Which one is louder?", ("The first", "The second", "The third"), False),
    ],
)
def test_a_question_which_of_two_is_more_is_known_by_its_options(
    text: str, options: tuple[str, ...], *, is_asked: bool
) -> None:
    assert asks_which(Question.ask(text, options)) is is_asked
