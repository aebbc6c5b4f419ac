"""Names of fields that users give, and fields that differ in a letter."""

import pytest

from eval.benchmarks.fields import FieldNames, find_family, find_letter_place, merge_fields, parse_fields
from services.errors import BadConfig


def test_pairs_are_read_and_win_over_those_of_the_file() -> None:
    given = parse_fields(["answer=label", "choices=a, b,c", "answer_form=index1", "audio=clips/{set}/{file}"])
    assert given == FieldNames(
        answer="label", choices=("a", "b", "c"), answer_form="index1", audio="clips/{set}/{file}"
    )
    merged = merge_fields(given, FieldNames(answer="key", question="q"))
    assert (merged.answer, merged.question) == ("label", "q")


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("answer", "'answer' is not a pair; one looks like answer=label"),
        ("answer=", "is not a pair"),
        ("anser=label", "'anser': Extra inputs"),
        ("answer_form=letters", "'answer_form': Input should be 'text', 'letter', 'index0', 'index1' or 'first'"),
        ("id={a", "'{a' is not a text with fields in braces, such as '{a}-{b}': expected '}'"),
        ("question={a!r}", "'{a!r}' asks for more than the field 'a'; braces hold a name alone"),
        ("audio={a:>3}.wav", "asks for more than the field 'a'"),
        ("task={}", "'{}' has braces without the name of a field"),
        ("rule=wer", "'rule': Input should be 'exact set', 'named option', 'bbh', 'refusal', 'word error rate', "),
        ("rule=wer", "'ifeval', 'speech-ifeval' or 'mmau-pro'"),
    ],
)
def test_a_pair_that_says_nothing_is_named(pair: str, said: str) -> None:
    with pytest.raises(BadConfig) as raised:
        parse_fields([pair])
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "family"),
    [
        (["id", "choice_a", "choice_b", "choice_c"], ("choice_a", "choice_b", "choice_c")),
        (["B", "A", "question"], ("A", "B")),
        (["Option 1", "Option 2", "Option 4"], ("Option 1", "Option 2", "Option 3", "Option 4")),
        (["choice_b", "choice_d"], ("choice_a", "choice_b", "choice_c", "choice_d")),
        ([f"option{number}" for number in range(1, 13)], tuple(f"option{number}" for number in range(1, 13))),
        (["option_a", "option_b", "options", "option_x"], ("option_a", "option_b")),
        (["A", "B", "D"], ("A", "B")),
        (["B", "C"], ()),
        (["option0", "option1"], ("option0", "option1")),
        (["choice_a", "answer"], ()),
    ],
)
def test_a_family_of_columns(fields: list[str], family: tuple[str, ...]) -> None:
    assert find_family(fields, ("choice", "option", "")) == family


def test_a_letter_stands_for_a_place() -> None:
    assert [find_letter_place(text, 3) for text in ("B", "(c)", " a. ", "D", "ab", "")] == [1, 2, 0, None, None, None]
