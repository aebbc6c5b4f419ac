"""Counts in sentences: a number with its noun in singular or plural."""


def format_count(number: int, noun: str, plural: str = "") -> str:
    """Return a number and its noun, such as '1 item' or '2 items'; `plural` is the plural that no -s makes."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
