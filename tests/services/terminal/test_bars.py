"""The line of a stage: its mark and seconds, how much of how much, and what is left."""

import sys
from io import StringIO

import pytest

from services.progress import StageAdvanced, StageEnded, StageStarted
from services.terminal.bars import StageBars


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (StageAdvanced(1, 3725, 7200, "seconds of audio"), "· hear 0.0 s 1:02:05 of 2:00:00 of audio"),
        (StageAdvanced(1, 1.25e6, 4e6, "bytes"), "· hear 0.0 s 1.2 of 4.0 MB"),
        (StageAdvanced(1, 3, 7, "clips"), "· hear 0.0 s 3 of 7 clips"),
        (StageAdvanced(1, 0, 7, "clips"), "· hear 0.0 s"),
        (StageEnded(1, "hear", 0.0, "done"), "✓ hear 0.0 s"),
        (StageEnded(1, "hear", 0.0, "failed"), "✗ hear 0.0 s"),
        (StageEnded(1, "hear", 0.0, "cancelled"), "- hear 0.0 s"),
    ],
)
def test_a_line_says_how_far_a_stage_is(
    event: StageAdvanced | StageEnded, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setenv("COLUMNS", "59")  # no bars
    bars = StageBars(transient=False)
    bars.start()
    bars.show(StageStarted(1, "hear", None, "steps"))
    bars.show(event)
    bars.stop()
    assert " ".join(out.getvalue().split()) == shown
