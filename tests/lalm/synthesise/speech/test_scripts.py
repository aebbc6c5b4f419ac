"""Scripts: every slot has a list, every role speaks, and every question has wrong answers that are wrong."""

import pytest

from lalm.synthesise.draft import Draw
from lalm.synthesise.speech.scripts import SCRIPTS, SLOT, Script, Slots, ask_about


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.topic)
def test_a_script_can_be_spoken_and_asked_about(script: Script) -> None:
    assert {role for role, _ in script.turns} == set(range(len(script.roles)))
    for seed in range(3):
        slots = Slots(Draw(str(seed), "train"))
        words = " ".join(slots.fill(text) for _, text in script.turns)
        assert "{" not in words
        for asked in script.asks:
            fact = ask_about(asked, slots)
            assert fact.wrong
            assert fact.answer not in fact.wrong
            assert "{" not in fact.about + str(fact.answer) + str(fact.wrong)


def test_what_is_asked_about_a_slot_was_said() -> None:
    for script in SCRIPTS:
        slots = Slots(Draw(script.topic, "train"))
        words = " ".join(slots.fill(text) for _, text in script.turns).lower()
        for asked in script.asks:
            for name, number in SLOT.findall(asked[1]) if len(asked) == 2 else ():
                assert slots.find_value(name, number).lower() in words, (script.topic, asked)


def test_two_slots_of_a_list_differ() -> None:
    slots = Slots(Draw("1", "train"))
    assert len({slots.find_value("city", number) for number in ("", "2", "3")}) == 3
    assert slots.find_value("city") == slots.find_value("city")
