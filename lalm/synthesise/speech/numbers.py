"""Numbers, times, dates and prices in English words, as they are said."""

from collections.abc import Sequence

from services.number_words import TENS, UNITS

ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def word_integer(value: int) -> str:
    """Word an integer from 0 to 999,999."""
    assert 0 <= value < 1_000_000, value
    if value < 20:
        return UNITS[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        return TENS[tens - 2] + (f"-{UNITS[rest]}" if rest else "")
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        return f"{UNITS[hundreds]} hundred" + (f" and {word_integer(rest)}" if rest else "")
    thousands, rest = divmod(value, 1000)
    joint = " and " if 0 < rest < 100 else " "
    return f"{word_integer(thousands)} thousand" + (f"{joint}{word_integer(rest)}" if rest else "")


def word_ordinal(value: int) -> str:
    """Word the place of something in an order, from 1 to 31."""
    assert 1 <= value <= 31, value
    if value < 20:
        return ORDINALS[value - 1]
    tens, rest = divmod(value, 10)
    return {20: "twentieth", 30: "thirtieth"}[value] if not rest else f"{TENS[tens - 2]}-{ORDINALS[rest - 1]}"


def word_time(hour: int, minute: int) -> str:
    """Word a time of the day as it is read out: seven fifteen, twelve oh five, nine o'clock."""
    if minute == 0:
        return f"{word_integer(hour)} o'clock"
    return f"{word_integer(hour)} {'oh ' if minute < 10 else ''}{word_integer(minute)}"


def word_digits(digits: Sequence[int]) -> str:
    """Read digits out one by one."""
    return " ".join(UNITS[digit] for digit in digits)


def word_price(euros: int, cents: int) -> str:
    """Word a price in euros."""
    whole = f"{word_integer(euros)} euro{'s' * (euros != 1)}"
    return f"{whole} {word_integer(cents)}" if cents else whole
