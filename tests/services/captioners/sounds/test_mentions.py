import pytest

from services.captioners.sounds.mentions import find_mention


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sentence", "mention"),
    [
        ("When does the dog bark?", "dog"),
        ("When does the car horn sound?", "car horn"),
        ("At which second does the telephone ring?", "telephone"),
        ("From when on does it rain?", "rain"),
    ],
)
def test_the_sound_that_a_question_names_is_found(sentence: str, mention: str) -> None:
    assert find_mention(sentence) == mention


@pytest.mark.parametrize(
    "sentence",
    [
        "When does the second speaker start?",
        "At what time of the clip does it begin?",
        "After the bell, when does the dog bark?",
        "",
        "?!",
    ],
)
def test_a_question_that_names_none_or_two_different_ones_names_no_sound(sentence: str) -> None:
    assert find_mention(sentence) is None
