"""What is cut of a sound begins and ends with it, so that the times that are stated of it are heard."""

import numpy as np
import pytest

from lalm.synthesise.draft import EDGE_S, Draw
from lalm.synthesise.sounds.events import EventShelf, SoundEvent
from services.captioners.sounds.activity import detect_activity
from services.types import SAMPLE_RATE


@pytest.mark.parametrize("seconds", [0.6, 5.0])
def test_a_cut_has_no_silence_before_and_after_it(seconds: float) -> None:
    """Whether all of the recording is taken or a part of it."""
    loud = np.random.default_rng(1).normal(0, 0.2, SAMPLE_RATE // 2).astype(np.float32)
    silence = np.zeros(SAMPLE_RATE, np.float32)
    event = SoundEvent("Rain", frozenset({"rain"}), np.concatenate([silence, loud, silence]))
    assert len(event.cut(Draw("one", "train"), seconds)) / SAMPLE_RATE == pytest.approx(0.5 + EDGE_S, abs=EDGE_S)


def test_silence_is_cut_as_it_is() -> None:
    event = SoundEvent("Nothing", frozenset({"nothing"}), np.zeros(SAMPLE_RATE, np.float32))
    assert len(event.cut(Draw("one", "train"), 5.0)) == SAMPLE_RATE


@pytest.mark.slow
def test_computed_sounds_are_heard_from_their_start() -> None:
    shelf = EventShelf(None)
    for number in range(20):
        draw = Draw(f"heard {number}", "train")
        activity = detect_activity(shelf.draw(draw, 3.0).cut(draw, 2.0))
        assert activity[0].start_s < 0.25
