import pytest

from agents.reading.clock_phrases import find_times
from agents.reading.spelled_numbers import find_spelled


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "language", "time"),
    [
        ("um halb zehn", "de", (9, 30)),
        ("fünf vor halb zehn", "de", (9, 25)),
        ("dreiviertel acht", "de", (7, 45)),
        ("à dix heures moins le quart", "fr", (9, 45)),
        ("une heure et quart", "fr", (1, 15)),
        ("minuit trente", "fr", (0, 30)),
        ("las nueve y media", "es", (9, 30)),
        ("la una en punto", "es", (1, 0)),
        ("sette e tre quarti", "it", (7, 45)),
        ("quinze para as dez", "pt", (9, 45)),
        ("kwart over negen", "nl", (9, 15)),
        ("половина десятого", "ru", (9, 30)),
        ("без четверти восемь", "ru", (7, 45)),
        ("wpół do dziesiątej", "pl", (9, 30)),
        ("九時半", "ja", (9, 30)),
        ("아홉 시 삼십 분", "ko", (9, 30)),
    ],
)
def test_a_time_in_words_is_that_time(text: str, language: str, time: tuple[int, int]) -> None:
    assert [(one.hour, one.minute) for one in find_times(text, language, find_spelled(text, language))] == [time]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "language"), [("neuf, trente", "fr"), ("nueve perros y media pizza", "es"), ("zehn von neunzig", "de")]
)
def test_numbers_that_are_apart_are_not_a_time(text: str, language: str) -> None:
    assert not find_times(text, language, find_spelled(text, language))
