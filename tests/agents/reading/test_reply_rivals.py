"""Replies that hold more than one option, range or answer, of which one is meant or none can be told."""

import pytest

from agents.reading.reply import read_choice
from services.types import Question

VOICES = ("Man", "Woman", "Child", "Robot")
SPANS = ("0-5 seconds", "5-10 seconds", "10-15 seconds")
TEMPI = ("60 BPM", "90 BPM", "120 BPM")
WEATHER = ("Rain and thunder", "Rain", "Thunder", "Heavy rain")

TABLE = [
    # another option's letter behind, as what does not hold
    ("C), not D)", VOICES, "C"),
    ("B), since **A** does not fit.", VOICES, "B"),
    ("A. (C) would need another sound.", VOICES, "A"),
    ("(C) would need another sound.", VOICES, None),
    ("A. (C) would be right too.", VOICES, None),
    ("A? No, B.", VOICES, "B"),
    ("Is it **A**? No.", VOICES, None),
    # ranges and units in other words
    ("from 5 to 10 seconds", SPANS, "B"),
    ("It lasts between 5 and 10 seconds.", SPANS, "B"),
    ("5 seconds to 10 seconds", SPANS, "B"),
    ("5–10 seconds", ("0 to 5 seconds", "5 to 10 seconds"), "B"),
    ("5 and 10 seconds", SPANS, None),
    ("5 to 100 seconds", SPANS, None),
    ("5 to 15 seconds", SPANS, None),
    ("from 5 to 10 or from 10 to 15 seconds", SPANS, None),
    ("ninety beats per minute", TEMPI, "B"),
    ("About 90 beats per minute.", TEMPI, "B"),
    ("90 or 120 beats per minute", TEMPI, None),
    ("ten kilohertz", ("10 Hz", "10 kHz", "100 kHz"), "B"),
    ("10 hertz", ("10 kHz", "100 kHz", "1 kHz"), None),
    # options that share words in a reply
    ("Both heavy rain and thunder.", WEATHER, None),
    ("It is rain and thunder.", WEATHER, "A"),
    # JSON after JSON, and a draft with its revision
    ('{"answer": "A"}\n{"answer": "B"}', VOICES, None),
    ('[{"answer": "A"}, {"answer": "B"}]', VOICES, None),
    ('{"answer": "B"}\n{"answer": "B"}', VOICES, "B"),
    ('A first try: {"answer": "A"}\nOn reflection: {"answer": "B"}', VOICES, "B"),
]


@pytest.mark.parametrize(("reply", "options", "letter"), TABLE)
def test_a_reply_is_read_as_the_option_that_is_meant(reply: str, options: tuple[str, ...], letter: str | None) -> None:
    choice = read_choice(reply, Question.ask("Which?", options).choices)
    assert (choice and choice.letter) == letter
