import pytest

from agents.listening.places import describe_place


@pytest.mark.parametrize(
    ("span", "place"),
    [
        ((0.0, 9.0), "throughout"),
        ((0.0, 1.0), "near the beginning"),
        ((1.0, 6.0), "in the first half"),
        ((4.5, 5.5), "in the middle"),
        ((6.0, 8.0), "in the second half"),
        ((9.0, 10.0), "near the end"),
    ],
)
def test_a_span_is_described_by_where_its_middle_lies(span: tuple[float, float], place: str) -> None:
    assert describe_place(*span, 10.0) == place
    assert describe_place(*(10 * edge for edge in span), 100.0) == place
