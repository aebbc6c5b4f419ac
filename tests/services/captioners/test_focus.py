import pytest

from services.captioners.focus import read_focus


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("How many barks are there?", "count"),
        ("Which sound comes first?", "order"),
        ("How many beats per minute?", "count"),
        ("the tempo", "tempo"),
        ("Is the chord major?", "key"),
        ("how angry does she feel", "emotion"),
        ("who talks", "speaker"),
        ("rain", "sound"),
        ("tempo: how many beats?", "tempo"),
        ("hint: rain", "sound"),
        ("", "sound"),
    ],
)
def test_the_topic_of_any_words(words: str, topic: str) -> None:
    assert read_focus(words).topic == topic


def test_the_question_and_its_options() -> None:
    focus = read_focus("order: Which sound comes first?; options: A Dog barking; Rain")
    assert focus.question == "which sound comes first?" and focus.options == ("a dog barking", "rain")
    assert focus.asks("first|last") and not focus.asks("order")


def test_sounds_are_told_apart_among_the_options() -> None:
    focus = read_focus("sound: Which sound?; options: A dog barks; Rain falling; Person sneezing")
    labels = ("engine", "raindrop", "dog barking", "person laughing", "sneeze")
    assert focus.named(labels) == ("raindrop", "dog barking", "sneeze")
