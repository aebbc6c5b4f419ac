"""Numbers and times of day in many languages: how often the spoken form meets the option in digits, and only that one.

    pip install num2words ovos-date-parser
    python benchmarks/spoken_quantities.py

Each sentence holds a number, or a time, spelled by a library that the product does not use (num2words, OVOS), and is
matched with four options in digits: the right one and three that differ. `right`: the right option alone is found;
`wrong`: another one is; the rest is not found. English is matched as English, any other language as the ASR tells it;
`as English` is what the grammar for English makes of it.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from num2words import num2words
from ovos_date_parser import nice_time
from rich.console import Console
from rich.table import Table

from agents.reading.quantities import match_options
from services.types import Question

NUMBERS = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "ru", "pl", "cs", "sv", "da", "no", "fi", "hu", "tr", "uk", "ro"),
    *("ar", "he", "ja", "ko", "vi", "id", "th", "lt", "lv", "sl", "sr", "ca", "is", "az", "cy", "sk", "be", "te"),
)
TIMES = (
    *("en-us", "de-de", "fr-fr", "es-es", "it-it", "pt-pt", "nl-nl", "sv-se", "da-dk", "pl-pl", "cs-cz", "hu-hu"),
    *("ca-es", "uk-ua", "ru-ru", "gl-es"),
)
SEED, NUM_PAIRS = 0, 200


class Pair(NamedTuple):
    """What is said, and the options in digits."""

    said: str
    options: tuple[str, ...]
    right: str


def make_numbers(language: str, rng: random.Random) -> Iterator[Pair]:
    """Yield numbers in words."""
    for _ in range(NUM_PAIRS):
        values = rng.sample(range(2, rng.choice((12, 100, 2_000))), 4)
        yield Pair(f"… {num2words(values[0], lang=language)} …", tuple(map(str, values)), str(values[0]))


def make_times(language: str, rng: random.Random) -> Iterator[Pair]:
    """Yield times of day in words, by a clock with hands."""
    for _ in range(NUM_PAIRS):
        times = [(rng.randrange(1, 13), rng.choice((0, 15, 20, 30, 45, 50, rng.randrange(60)))) for _ in range(4)]
        hour, minute = times[0]
        said = nice_time(datetime(2026, 1, 1, hour % 12, minute), lang=language, speech=True)
        options = tuple(dict.fromkeys(f"{one}:{other:02}" for one, other in times))
        yield Pair(f"… {said} …", options, options[0])


def measure(pairs: Sequence[Pair], language: str | None) -> tuple[float, float]:
    """Return the shares of pairs in percent whose right option alone, and any wrong option, is found."""
    found = [
        {question.choices[ord(letter) - ord("A")].text for letter in match_options(pair.said, question, language)}
        for pair in pairs
        for question in [Question.ask("When?", pair.options)]
    ]
    right = sum(one == {pair.right} for one, pair in zip(found, pairs, strict=True))
    wrong = sum(bool(one - {pair.right}) for one, pair in zip(found, pairs, strict=True))
    return 100 * right / len(pairs), 100 * wrong / len(pairs)


def main() -> None:
    """Measure numbers, then times, in each language."""
    table = Table("kind", "language", "right, %", "wrong, %", "as English: right, %")
    for kind, make, languages in (("number", make_numbers, NUMBERS), ("time", make_times, TIMES)):
        for language in languages:
            pairs = list(make(language, random.Random(SEED)))  # noqa: S311 - no secret
            right, wrong = measure(pairs, language.split("-")[0])
            table.add_row(kind, language, f"{right:.0f}", f"{wrong:.0f}", f"{measure(pairs, None)[0]:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
