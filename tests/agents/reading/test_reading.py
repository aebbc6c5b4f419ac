"""A bare letter is read without the reader of replies in words, and alike."""

import random
import subprocess
import sys

import pytest

from agents.reading import reply
from services.questions import read_plain_letter
from services.types import Question

POOLS = (
    ("a dog", "B flat major", "D minor", "It is I", "None of the above", "all of A, B and C", "Both A and B"),
    ("one", "two", "three", "ten", "1 beat", "2 beats", "68.0", "150.0", "I II III", "first", "second"),
    ("3:15", "quarter past three", "12 pm", "A4 440 Hz", "C4 262 Hz", "A#", "D", "Bb", "yes", "五"),
    ("(B) A cat", "(A) A dog", "(C) rain", "A. dog", "B: cat", "Option A", "dog (C)", "Class B"),
)


def test_a_bare_letter_is_read_as_all_that_is_known_of_replies_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "read_plain_letter", lambda *_: None)
    rng, quick = random.Random(1), 0
    for _ in range(400):
        options = tuple(rng.choice(rng.choice(POOLS)) for _ in range(rng.randint(2, 5)))
        choices = Question.ask("", options).choices
        said = rng.choice(("", " ", "\n")) + rng.choice("ABCDEGIab1") + rng.choice(("", " ", "\n"))
        if found := read_plain_letter(said, choices):
            quick += 1
            assert found == reply.read_choice(said, choices), (said, options)
    assert quick > 50


@pytest.mark.slow
def test_a_bare_letter_loads_no_reader_of_other_replies() -> None:
    script = (
        "import asyncio, sys; from agents.reading.reading import read; from services.scripted.llm import ScriptedLLM; "
        "from services.types import Question; asked = Question.ask('', ('dog', 'cat')); "
        "read_one = asyncio.run(read(ScriptedLLM(lambda _: 'B'), asked)); "
        "print(read_one.choice.text, 'agents.reading.reply' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[0] == "cat False"
