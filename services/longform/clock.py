"""Times in long-form audio: from which length a recording is long, and timestamps as a player shows them."""

WHOLE_S = 90.0  # a longer recording is heard in parts


def format_clock(seconds: float) -> str:
    """Return a time as a player shows it: `7:05`, or `1:07:05` from an hour on."""
    minutes, whole_s = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole_s:02}" if hours else f"{minutes}:{whole_s:02}"
