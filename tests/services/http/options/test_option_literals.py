"""Options as programs print a list or a mapping of them."""

import pytest

from services.http.options.option_lines import Split, split_options

HEARD = "Which sound is heard?"
OPTIONS = ("Rain", "Someone's dog", "Wind, far off")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (f"{HEARD} Please choose the answer from the following options: {list(OPTIONS)!r}.", HEARD),
        (f"{HEARD}\nOptions: {OPTIONS!r}", HEARD),
        (f"{HEARD} {list(OPTIONS)!r}", HEARD),
        (f"Choose one of these options: {list(OPTIONS)!r}\n{HEARD}", HEARD),
        (
            f"{HEARD} Choose from the options: {list(OPTIONS)!r}. Output the answer in <answer> </answer>.",
            f"{HEARD}\nOutput the answer in <answer> </answer>.",
        ),
        (f"Name the best of the options: {list(OPTIONS)!r}", "Name the best of the options:"),
    ],
)
def test_a_list_is_read_behind_a_question_or_words_for_options(text: str, question: str) -> None:
    assert split_options(text) == Split(question, OPTIONS)


def test_a_mapping_has_marks() -> None:
    assert split_options(f'{HEARD}\nOptions: {{"A": "Rain", \'B\': "Wind"}}') == Split(
        HEARD, ("Rain", "Wind"), ("A", "B")
    )


@pytest.mark.parametrize(
    "text",
    [
        f'{HEARD} Answer in this format: ["label", "reason"]',
        f'{HEARD} The choices = ["a", "b"] are of a program.',
        f"{HEARD} Options: ['Rain']",
        "Which options are better, ['a', 'b'] or the options ['c', 'd']?",
    ],
)
def test_other_lists_are_left_in_the_question(text: str) -> None:
    assert split_options(text) == Split(text, ())
