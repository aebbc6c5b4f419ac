"""Which of several recordings a question names."""

import pytest

from agents.listening.named_clips import find_named_clips
from services.types import Question


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("What is heard in the second recording?", {2}),
        ("Which instrument plays in recording 3?", {3}),
        ("In audio clip two, who speaks?", {2}),
        ("Is the 2nd audio file louder?", {2}),
        ("What do the first and third clips have in common?", {1, 3}),
        ("Do recordings 1 and 2 hold the same voice?", {1, 2}),
        ("Compare audio #1, #2 and #3.", {1, 2, 3}),
        ("Who speaks in audio_2?", {2}),
        ("Which tempo has clip B?", {2}),
        ("Is clip A slower than clip C?", {1, 3}),
        ("What is said at the end of the last track?", {3}),
        ("Which recording is louder?", set()),
        ("What do both recordings share?", set()),
        ("What is the second sound in the recordings?", set()),
        ("Who says that track 9 is the best?", set()),
        ("Is a clip a recording?", set()),
        ("How loud is the recording at 2 seconds?", set()),
    ],
)
def test_a_question_names_recordings_by_ordinal_number_or_letter(text: str, named: set[int]) -> None:
    assert find_named_clips(Question(id="", text=text, num_clips=3)) == named


def test_a_question_about_one_recording_names_none() -> None:
    assert find_named_clips(Question.ask("What is heard in recording 1?")) == frozenset()
