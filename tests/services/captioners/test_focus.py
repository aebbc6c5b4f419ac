import pytest

from services.captioners.focus import resolve_focus
from services.types import Focus


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
        ("tempo: how many beats?", "count"),
        ("", "sound"),
    ],
)
def test_the_topic_of_any_words(words: str, topic: str) -> None:
    assert resolve_focus(Focus(question=words)).topic == topic


def test_a_topic_that_is_named_counts_more_than_the_words() -> None:
    focus = resolve_focus(Focus(topic="tempo", question="How many beats?"))
    assert focus.topic == "tempo" and focus.is_named


def test_the_question_and_its_options() -> None:
    focus = resolve_focus(Focus(topic="order", question="Which sound comes first?", options=("A Dog barking", "Rain")))
    assert focus.question == "which sound comes first?" and focus.options == ("a dog barking", "rain")
    assert focus.asks("first|last") and not focus.asks("order")


@pytest.mark.parametrize(
    ("question", "counts"),
    [
        ("How many speakers are there?", True),
        ("How many different people take part?", True),
        ("What is the number of voices?", True),
        ("How many times does the speaker say no?", False),
        ("How often do the speakers change?", False),
        ("How many words does the speaker say?", False),
    ],
)
def test_what_a_question_counts_is_what_follows_how_many(question: str, counts: bool) -> None:
    assert resolve_focus(Focus(question=question)).asks_how_many("speakers?|people|voices") is counts


def test_sounds_are_told_apart_among_the_options() -> None:
    options = ("A dog barks", "Rain falling", "Person sneezing")
    focus = resolve_focus(Focus(topic="sound", question="Which sound?", options=options))
    labels = ("engine", "raindrop", "dog barking", "person laughing", "sneeze")
    assert focus.find_named(labels) == ("raindrop", "dog barking", "sneeze")


def test_an_option_with_a_semicolon_or_a_colon_stays_whole() -> None:
    options = ("Dog; then rain", "options: rain; then dog")
    focus = resolve_focus(Focus(question="order: which; options: of these?", options=options))
    assert focus.options == ("dog; then rain", "options: rain; then dog")
    assert focus.question == "order: which; options: of these?"
