import pytest

from agents.listening.ordering.sequences import read_sequences

DOG_FIRST, RAIN_FIRST = ("dog barking", "rain"), ("rain", "dog barking")


@pytest.mark.parametrize(
    "options",
    [
        ("A dog barking, then rain", "Rain, then a dog barking"),
        ("dog barking → rain", "rain → dog barking"),
        ("Dog barking - rain", "Rain - dog barking"),
        ("First a dog barking and then the rain.", "First the rain and then a dog barking."),
        ("Dog barking followed by rain", "Rain followed by dog barking"),
        ("Dog barking, and finally rain", "Rain, and finally dog barking"),
        ("dog barking > rain", "rain > dog barking"),
    ],
)
def test_orders_of_the_same_events_are_read_however_they_are_joined(options: tuple[str, ...]) -> None:
    assert read_sequences(options) == (DOG_FIRST, RAIN_FIRST)


@pytest.mark.parametrize(
    "options",
    [
        ("A dog", "Rain"),
        ("Rain and thunder", "Wind and hail"),
        ("Rain, then a dog", "Rain"),
        ("Rain, then a dog", "A dog, then rain", "Hail"),
        ("Rain, then a dog", "Rain, then a dog", "Rain, then a dog"),
        ("Rain, then a dog", "Rain, then a dog"),
        (),
    ],
)
def test_options_that_are_no_orders_of_the_same_events_are_not_sequences(options: tuple[str, ...]) -> None:
    assert read_sequences(options) == ()
