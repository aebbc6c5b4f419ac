"""Word and character error rates after normalisation."""

import pytest

from eval.scoring.error_rates import count_character_errors, count_word_errors, normalise_transcript

pytest.importorskip("jiwer")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Hello,  World!", "hello world"),
        ("It's [laughs] well-known (really)", "it s well known"),
        ("<noise> Ｏｎｅ ２", "one 2"),
        ("Grüße — “so”", "grüße so"),
        ("你好，世界。", "你好 世界"),
        ("...", ""),
        ("(a) b] [c (d <e", "b c d e"),
        ("हिन्दी", "ह न द"),  # marks are dropped, as Whisper's basic normaliser drops them
    ],
)
def test_normalisation_leaves_words_and_numbers(text: str, kept: str) -> None:
    assert normalise_transcript(text) == kept


@pytest.mark.parametrize(
    ("reference", "reply", "errors"),
    [
        ("a b c d", "A b, c d.", (0, 4)),
        ("a b c d", "a x c", (2, 4)),
        ("a b", "", (2, 2)),
        ("a", "a b c d", (3, 1)),
        ("...", "a b", (2, 0)),
    ],
)
def test_words_that_are_wrong_missing_or_too_many_count(reference: str, reply: str, errors: tuple[int, int]) -> None:
    assert count_word_errors(reference, reply) == errors


def test_characters_count_without_spaces() -> None:
    assert count_character_errors("你好，世界", "你好 世") == (1, 4)
    assert count_character_errors("ab cd", "abcd") == (0, 4)
    assert count_character_errors("!", "ab") == (2, 0)
    assert count_character_errors("ab", "a bc") == (1, 2)
