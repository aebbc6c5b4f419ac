"""Limits: the defaults are those of the documentation, and a bound that cannot be meant is refused."""

import pytest
from pydantic import ValidationError

from services.errors import TooLarge
from services.http.access.limits import Limits, PerKey


def test_the_defaults_are_those_of_the_operations_page() -> None:
    limits = Limits()
    assert (limits.max_upload_bytes, limits.max_upload_bytes_inside) == (100_000_000, 500_000_000)
    assert (limits.max_duration_s, limits.upload_s, limits.deadline_s) == (7200, 120, None)
    assert (limits.max_running, limits.max_waiting, limits.max_inside) == (32, 64, 96)
    assert limits.per_key == PerKey(requests_per_s=20, burst=60, max_running=32)
    assert not limits.strict_parameters
    assert not limits.audio_urls.hosts


def test_an_upload_of_exactly_the_bound_is_taken_and_one_byte_more_is_not() -> None:
    limits = Limits(max_upload_bytes=10)
    limits.check_bytes(10)
    with pytest.raises(TooLarge, match="has more than 10 bytes, the most that is accepted"):
        limits.check_bytes(11)


@pytest.mark.parametrize(
    "fields",
    [
        {"max_upload_bytes": 0},
        {"max_duration_s": float("inf")},
        {"deadline_s": 0},
        {"deadline_s": float("inf")},
        {"upload_s": float("nan")},
        {"max_running": 0},
        {"max_waiting": -1},
        {"per_key": {"requests_per_s": 0}},
        {"per_key": {"burst": 0.5}},
        {"per_key": {"max_running": 0}},
    ],
)
def test_a_bound_that_lets_nothing_or_everything_through_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate(fields)


def test_the_smallest_bounds_that_let_something_through_are_taken() -> None:
    smallest = Limits(max_running=1, max_waiting=0, upload_s=0.1, per_key=PerKey(requests_per_s=0.1, burst=1))
    assert smallest.max_inside == 1
