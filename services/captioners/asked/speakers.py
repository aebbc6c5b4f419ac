"""Statements on speakers that a focus asks for: how often they change."""

from collections.abc import Sequence

from services.captioners.focus import FocusQuery
from services.captioners.statement import Statement, make_statement
from services.captioners.voices.speaker import AttributedTurn

TURNS_PRECISION = 0.6
CHANGES = r"chang\w*|switch\w*|alternat\w*|turns?"


def state_speaker_changes(turns: Sequence[AttributedTurn], focus: FocusQuery) -> list[Statement]:
    """State how often the speaker changes, where that is asked for."""
    if not (focus.asks(r"how (?:many|often)|number") and focus.asks(CHANGES)):
        return []
    return [make_statement("speaker", "Number of changes of speaker: {}.", [len(turns) - 1], TURNS_PRECISION, "model")]
