import pytest

from services.asr.repeats import count_repeated, list_units


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("4, 1, 9, 4, 1, 9, 4, 1, 9, 4,", 7),
        ("It was the best of times, it was the worst of times.", 0),  # not at once
        ("No! No! no.", 2),
        ("77777", 4),
        ("stop it, stop it", 2),
        ("one two three one two", 0),
        ("", 0),
    ],
)
def test_what_is_said_again_at_once_is_counted(text: str, repeated: int) -> None:
    assert count_repeated(text) == repeated


def test_digits_and_characters_are_units_as_words_are() -> None:
    assert list_units("Don't dial 34, 你好.") == ["don't", "dial", "3", "4", "你", "好"]
