import pytest

from services.captioners.asked.speakers import state_speaker_changes
from services.captioners.focus import FocusQuery
from services.captioners.sounds.activity import ActiveSpan
from services.captioners.voices.speaker import AttributedTurn

TURNS = tuple(
    AttributedTurn(number % 2, "a woman" if number % 2 else "a man", (ActiveSpan(2.0 * number, 2.0 * number + 1),))
    for number in range(4)
)


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("how often does the speaker change?", ["Number of changes of speaker: 3."]),
        ("how many times do the voices switch?", ["Number of changes of speaker: 3."]),
        ("how many speakers are there?", []),
        ("does the speaker change?", []),
    ],
)
def test_changes_of_speaker_are_counted_where_that_is_asked(question: str, texts: list[str]) -> None:
    focus = FocusQuery("speaker", question, (), is_named=True)
    assert [one.text for one in state_speaker_changes(TURNS, focus)] == texts
