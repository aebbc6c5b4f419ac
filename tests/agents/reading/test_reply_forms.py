"""Replies in forms that models write beside plain words: tables, boxes, JSON, tags, shares, emoji, other languages."""

import importlib
import random
from pathlib import Path

import pytest

from agents.reading.reply import read_choice
from services.types import Question

BENCHMARKS = str(Path(__file__).parents[3] / "benchmarks")
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCHMARKS)  # these import their neighbours
    reply_forms = importlib.import_module("reply_forms")
    reply_fuzz = importlib.import_module("reply_fuzz")

VOICES = ("Man", "Woman", "Child", "Robot")
VEHICLES = ("Car", "Truck", "Car horn", "Horn")
ORDERS = ("A bell", "A knock, then a bell", "A bell, then a knock")
WEATHER = ("Rain", "Thunder", "Rain and thunder", "No rain")

TABLE = [
    # ticks and crosses before options, tables, and boxes that are ticked or not
    ("❌ Man\n✅ Woman\n❌ Child\n❌ Robot", VOICES, "B"),
    ("❌ (C) ✅ B", VOICES, "B"),
    ("| Option | Verdict |\n|---|---|\n| A. Man | ✗ |\n| B. Woman | ✓ |", VOICES, "B"),
    ("- [ ] C. Child\n- [x] B. Woman", VOICES, "B"),
    ("- [ ] B", VOICES, None),
    ("🚫 (C)", VOICES, None),
    ("~~A. Man~~ **B. Woman**", VOICES, "B"),
    ("~~B~~", VOICES, None),
    # shares of several options say which is likely, and of none that it is the answer
    ("A: 10%\nB: 80%\nC: 10%", VOICES, None),
    ("Man (20%), Woman (80%)", VOICES, None),
    ("B (90%)", VOICES, "B"),
    ("Woman\n\nConfidence: high", VOICES, "B"),
    # options that begin as others do, or are two others in a row
    ("A bell, then a knock? Yes.", ORDERS, "C"),
    ("(A) A bell, (B) A knock, then a bell", ORDERS, None),
    ("🥇 A. Car\n🥈 D. Horn", VEHICLES, None),
    ("__(C) Rain and thunder__", WEATHER, "C"),
    ("No rain | Thunder", WEATHER, None),
    ('{"answer": ["A", "a dog"]}', ("A cat", "A dog"), None),
    # what is denied after its letter and its text, or supposed
    ("Anything but C. Child.", VOICES, None),
    ("(B) Woman would be too loud.", VOICES, None),
    ("If it were (B) Woman, I would hear more.", VOICES, None),
    ("It's (A) if it is deep, otherwise B.", VOICES, None),
    ("Is it a woman?", VOICES, None),
    ("a lack of rain", WEATHER, None),
    ("C) Childではない。", VOICES, None),
    ("(B) 鳥ではない。", ("犬", "鳥", "猫"), None),
    # two that are joined, in any language
    ("Entweder (C) oder B.", VOICES, None),
    ("B. Woman或A) Man", VOICES, None),
    ("Soit (B), soit C.", VOICES, None),
    ("A vs. Woman", VOICES, None),
    ("A > (C)", VOICES, None),
    ("Between C and (B), C fits better.", VOICES, None),
    ("\\boxed{A} \\boxed{B}", VOICES, None),
    ("\\boxed{A} seems right. Wait, no: \\boxed{B}", VOICES, "B"),
    # objects, and answers among tags that are not known
    ('{"rejected": "C. Child"}', VOICES, None),
    ("{'rejected': 'C', 'answer': 'B'}", VOICES, "B"),
    ('{"A": false, "B": true, "C": false, "D": false}', VOICES, "B"),
    ('{"answer": ["(B)"]}', VOICES, "B"),
    ("<explanation>C does not fit.</explanation><answer>B</answer>", VOICES, "B"),
    ("<answer>B</answer><reason>C is too loud.</reason>", VOICES, "B"),
    ('<answer type="single">(B) Woman</answer>', VOICES, "B"),
    ("B</answer>", VOICES, "B"),
    # thoughts in a fence, a comment, a fold, and with escaped marks
    ("```thought\nThe answer is A.\n```\nB", VOICES, "B"),
    ("```thinking\nThe answer is A.", VOICES, None),
    ("<!-- The answer is A. -->\nB", VOICES, "B"),
    ("<details><summary>Reasoning</summary>The answer is A.", VOICES, None),
    ("&lt;think&gt;A&lt;/think&gt;B", VOICES, "B"),
    ("{think}It may be A.", VOICES, None),
]


@pytest.mark.parametrize(("reply", "options", "letter"), TABLE)
def test_a_form_is_read_as_it_is_meant(reply: str, options: tuple[str, ...], letter: str | None) -> None:
    choice = read_choice(reply, Question.ask("Which?", options).choices)
    assert (choice and choice.letter) == letter


@pytest.mark.slow
def test_no_generated_form_is_misread() -> None:
    rng = random.Random(1)
    cases = [reply_forms.make_form(rng) for _ in range(1500)]
    misread = [case for case in cases if (place := reply_fuzz.read_place(case)) is not None and place != case.right]
    assert misread == []
