import pytest

from services.captioners.music.families import read_families
from services.captioners.naming import NameMatcher, OptionScale
from services.captioners.sounds.vocabulary import read_vocabulary

SCALE = OptionScale(temperature=2.5, unnamed=-4.0)


@pytest.fixture(scope="module")
def sounds() -> NameMatcher:
    return NameMatcher(read_vocabulary().plain, read_vocabulary().wider)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Crying baby", "baby crying"),
        ("The pig", "pig grunting"),
        ("Sneezes", "person sneezing"),
        ("glass being shattered", "glass shattering"),
        ("An airplane", "aeroplane"),
        ("a burning fuse hissing", "hissing"),
        ("A wolf, or a dog growling", "growling"),
    ],
)
def test_other_words_for_a_sound_find_its_label(sounds: NameMatcher, text: str, label: str) -> None:
    assert label in sounds.match(text)


def test_a_wider_word_stands_for_all_that_it_comprises(sounds: NameMatcher) -> None:
    assert {"dog barking", "cow mooing", "frog croaking"} <= sounds.match("Animal")
    assert "dog barking" not in sounds.match("Vehicle")


def test_a_crow_is_not_the_crowing_of_a_rooster(sounds: NameMatcher) -> None:
    assert "rooster crowing" not in sounds.match("crow")
    assert "rooster crowing" in sounds.match("crowing")


@pytest.mark.parametrize("text", ["sadness", "120 BPM", "In a library", "", "12"])
def test_what_names_no_sound_stands_for_none(sounds: NameMatcher, text: str) -> None:
    assert sounds.match(text) == frozenset()


def test_a_label_belongs_to_the_option_that_is_most_like_it(sounds: NameMatcher) -> None:
    scores = dict.fromkeys(read_vocabulary().plain, -8.0) | {"baby crying": 2.0, "person crying or sobbing": -2.0}
    best, other = sounds.weigh(("a man crying out", "a baby crying"), scores, SCALE)
    assert (best.text, other.text) == ("a baby crying", "a man crying out")
    assert best.probability + other.probability == pytest.approx(1)
    assert best.score == 2.0


def test_an_option_that_names_nothing_keeps_a_share(sounds: NameMatcher) -> None:
    scores = dict.fromkeys(read_vocabulary().plain, -8.0)
    weighed = sounds.weigh(("A dog", "A cow", "A theremin"), scores, SCALE)
    assert weighed[0].text == "A theremin"


def test_options_of_one_sound_are_not_weighed(sounds: NameMatcher) -> None:
    scores = dict.fromkeys(read_vocabulary().plain, 0.0)
    assert sounds.weigh(("A dog", "Sadness", "Joy"), scores, SCALE) == ()


def test_a_family_comprises_its_instruments() -> None:
    labels = {label: () for members in read_families().values() for label in members}
    instruments = NameMatcher(labels | {"bowed strings": ()}, read_families())
    assert {"violin", "cello"} <= instruments.match("Bowed strings")
