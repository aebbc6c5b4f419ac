"""Times as a player shows them."""

import pytest

from services.longform.clock import format_clock


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0, "0:00"), (59.9, "0:59"), (65.0, "1:05"), (3600.0, "1:00:00"), (7265.4, "2:01:05")]
)
def test_a_time_is_shown_as_a_player_shows_it(seconds: float, shown: str) -> None:
    assert format_clock(seconds) == shown
