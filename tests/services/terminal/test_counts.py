import pytest

from services.terminal.counts import format_count


@pytest.mark.parametrize(("number", "text"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (101, "101 items")])
def test_one_is_singular_and_nothing_else(number: int, text: str) -> None:
    assert format_count(number, "item") == text


def test_a_plural_that_no_s_makes_is_given() -> None:
    assert [format_count(number, "reply", "replies") for number in (1, 2)] == ["1 reply", "2 replies"]
