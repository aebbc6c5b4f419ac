"""Which span of a recording of an hour the words of a question name."""

import pytest

from agents.reading.named_times import find_named_spans, remove_times
from services.longform.clock import format_clock


def spans(question: str, duration_s: float = 3600.0) -> list[str]:
    return [f"{format_clock(one.start_s)}-{format_clock(one.end_s)}" for one in find_named_spans(question, duration_s)]


@pytest.mark.parametrize(
    ("question", "span"),
    [
        ("What is said about minute 12?", "11:00-13:00"),
        ("What is said in the twelfth minute?", "11:00-12:00"),
        ("What is said at 12:30?", "12:00-13:00"),
        ("Who speaks from 3:20 to 4:00?", "3:20-4:00"),
        ("Who speaks between five and ten minutes in?", "5:00-10:00"),
        ("From minute 5 until minute 7, who talks?", "5:00-7:00"),
        ("What is heard between 2.5 and 4 s?", "0:02-0:04"),
        ("minutes 10-12", "10:00-12:00"),
        ("What happens half an hour in?", "20:00-40:00"),
        ("Around the 45 minute mark, what is heard?", "44:00-46:00"),
        ("What is said 12 minutes and 30 seconds in?", "12:25-12:35"),
        ("What is said after 90 seconds?", "1:25-1:35"),
        ("In the first two minutes, what is said?", "0:00-2:00"),
        ("Was passiert in Minute 12?", "11:00-13:00"),
        ("What is announced in the last minute?", "59:00-1:00:00"),
        ("How does it sound at the end?", "54:00-1:00:00"),
    ],
)
def test_a_question_names_a_span(question: str, span: str) -> None:
    assert spans(question) == [span]


@pytest.mark.parametrize(
    "question",
    [
        "How long is the pause of 3 seconds?",
        "How many minutes does the talk last?",
        "Who speaks first?",
        "What is the second sound?",
        "When does the meeting start?",
        "Does it take 3 to 4 apples?",
        "What does she say about 10 minutes of silence?",
        "What is said at 1:10:00?",  # beyond the end
    ],
)
def test_a_length_a_rank_or_a_time_beyond_the_end_names_none(question: str) -> None:
    assert spans(question) == []


def test_two_times_are_two_spans_in_order() -> None:
    assert spans("What is said at 20:00, and what at 10:00?") == ["9:30-10:30", "19:30-20:30"]


def test_a_span_ends_with_the_recording() -> None:
    assert spans("What is said after minute 2?", 130.0) == ["1:00-2:10"]


def test_the_words_that_name_a_time_are_not_looked_for() -> None:
    assert remove_times("What does Anna say at minute 12 about rain?") == "what does anna say at about rain"
