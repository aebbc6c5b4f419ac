"""Replies about quantities and directions for the fuzz test of replies: numbers, times and particles.

The same number or time is spelled otherwise in the reply than in the options.
"""

import random
from typing import NamedTuple

from services.number_words import TENS, UNITS


class Case(NamedTuple):
    """A reply, and what is meant by it."""

    kind: str
    choices: tuple[str, ...]
    reply: str
    right: int | None
    """Place of the meant option; None where the reply means none."""


def _spell(number: int) -> str:
    if number < len(UNITS):
        return UNITS[number]
    if number < 100:
        tens, unit = TENS[number // 10 - 2], number % 10
        return f"{tens}-{UNITS[unit]}" if unit else tens
    rest = f" and {_spell(number % 100)}" if number % 100 else ""
    return f"{UNITS[number // 100]} hundred{rest}"


def make_number(rng: random.Random) -> Case:
    """Return a reply with a number in digits or words, or with what is not one of the numbers offered."""
    numbers = rng.sample(range(2, rng.choice((10, 40, 400))), rng.choice((2, 3, 4)))
    right = rng.randrange(len(numbers))
    noun = rng.choice(("", " beats", " speakers"))
    write = rng.choice((str, _spell, lambda number: _spell(number).capitalize()))
    choices = tuple(f"{write(number)}{noun}" for number in numbers)
    other = next(number for number in range(2, 1000) if number not in numbers)
    value = numbers[right]
    said = rng.choice((str(value), _spell(value), f"{value}.0", f"{value}.00"))
    kind = rng.randrange(6)
    if kind == 0:
        return Case("number", choices, said, right)
    if kind == 1:
        return Case("number", choices, f"The answer is {said}.", right)
    if kind == 2:
        return Case("number", choices, f"There are {said}{noun or ' beats'}.", right)
    if kind == 3:
        return Case("number not offered", choices, rng.choice((str(other), _spell(other), f"{other}.0")), None)
    if kind == 4:
        second = _spell(numbers[right - 1])
        return Case("two numbers", choices, f"There are {said} or {second}{noun}.", None)
    return Case("fraction", choices, f"{value}.5", None)


def make_time(rng: random.Random) -> Case:
    """Return a reply with a time in another spelling than the options have, or with what is not one of their times."""
    hours, minutes = rng.sample(range(2, 12), 3), [rng.randrange(10, 60) for _ in range(3)]
    right = rng.randrange(3)
    write = rng.choice((_write_clock, _say_time, lambda hour, minute: f"{hour}.{minute:02}"))
    choices = tuple(write(*one) for one in zip(hours, minutes, strict=True))
    hour, minute = hours[right], minutes[right]
    said = rng.choice((_write_clock, _say_time, _say_past))(hour, minute)
    if rng.random() < 0.3:
        lead = rng.choice(("", "It is ", "The answer is ", "The meeting starts at "))
        return Case("time", choices, f"{lead}{said}{rng.choice(('', '.'))}", right)
    other = rng.choice((_write_clock, _say_time, _say_past))(hours[right - 1], minutes[right - 1])
    past = _say_past(hour, next(one for one in range(11, 60) if one not in minutes))
    kind, reply = rng.choice(
        (
            ("two times", f"From {said} {rng.choice(('to', 'until', 'or at'))} {other}."),
            ("time denied", f"It is not at {said}."),
            ("time not offered", f"{rng.choice(('At', f'Not at {said} but at'))} {past}."),
            ("half of a day", f"At {_say_time(hour, minute)} in the evening."),
            ("duration", f"After {_spell(hour)} minutes and {_spell(minute)} seconds."),
        )
    )
    late = (f"{hour + 12}:{minute:02}",) if kind == "half of a day" else ()
    return Case(kind, (*choices, *late), reply, None)


def _write_clock(hour: int, minute: int) -> str:
    return f"{hour}:{minute:02}"


def _say_time(hour: int, minute: int) -> str:
    return f"{_spell(hour)} {_spell(minute)}"


def _say_past(hour: int, minute: int) -> str:
    part = {15: "quarter", 30: "half"}.get(minute, f"{_spell(minute)} minutes")
    return f"{part} past {_spell(hour)}"


def make_particle(rng: random.Random) -> Case:
    """Return a reply about options that are particles, which other phrases have as well."""
    choices = tuple(rng.sample(rng.choice((("up", "down"), ("in", "out"), ("on", "off"), ("over", "under"))), 2))
    right = rng.randrange(2)
    said, other = choices[right], choices[1 - right]
    kind = rng.randrange(4)
    if kind == 0:
        joint = rng.choice((", not", " and not", " rather than", ", instead of"))
        return Case(
            "particle", choices, f"It {rng.choice(('goes', 'moves', 'turns', 'is'))} {said}{joint} {other}.", right
        )
    if kind == 1:
        return Case("particle", choices, f"It goes not {other} but {said}.", right)
    if kind == 2:
        return Case(
            "both particles", choices, f"It goes {said}{rng.choice((' and', ', then', ' and then'))} {other}.", None
        )
    phrases = ["I give up.", "The sound goes on.", "It breaks down.", "That sums it up.", "It is anything but {}."]
    phrases += ["Somebody walks in.", "The band plays on.", "It does not go {}.", "The alarm goes off."]
    return Case("particle of a phrase", choices, rng.choice(phrases).format(said), None)
