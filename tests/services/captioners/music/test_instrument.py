import numpy as np
import pytest

from services.captioners.music.families import read_families
from services.captioners.music.instrument import (
    NO_INSTRUMENT,
    InstrumentHead,
    find_turns,
    rank_families,
    rank_instruments,
)
from services.captioners.sounds.yamnet import HOP_S

LABELS = ("flute", "trumpet", "piano", NO_INSTRUMENT)


def heard(*runs: tuple[str, int]) -> np.ndarray:
    rows = [np.where(np.array(LABELS) == label, 0.9, 0.03) for label, num in runs for _ in range(num)]
    return np.log(np.array(rows, np.float32))


def test_instruments_that_play_in_turn_are_told_in_order() -> None:
    found = find_turns(heard(("trumpet", 10), ("piano", 10), ("flute", 10)), LABELS)
    assert [turn.label for turn in found] == ["trumpet", "piano", "flute"]
    assert found[1].start_s == pytest.approx(10 * HOP_S + 0.48, abs=0.3)


def test_a_single_odd_patch_is_not_a_turn() -> None:
    found = find_turns(heard(("trumpet", 8), ("piano", 1), ("trumpet", 8)), LABELS)
    assert [turn.label for turn in found] == ["trumpet"]


def test_no_instrument_takes_no_turn() -> None:
    found = find_turns(heard(("flute", 8), (NO_INSTRUMENT, 8)), LABELS)
    assert [turn.label for turn in found] == ["flute"]


def test_every_label_of_the_classifier_has_one_family() -> None:
    members = [label for family in read_families().values() for label in family]
    assert sorted(members) == sorted(set(InstrumentHead().labels) - {NO_INSTRUMENT})


def test_a_family_is_as_likely_as_its_members_together() -> None:
    labels = InstrumentHead().labels
    probabilities = np.zeros(len(labels), np.float32)
    probabilities[[labels.index("bongos"), labels.index("conga drum"), labels.index("piano")]] = (0.3, 0.3, 0.4)
    assert rank_instruments(probabilities, labels)[0].label == "piano"
    best = rank_families(probabilities, labels)[0]
    assert best.label.startswith("hand drums")
    assert best.probability == pytest.approx(0.6)
