"""Which passages of a long transcript a question is shown."""

import pytest

from agents.reading.named_times import NamedSpan
from agents.reading.passages import PASSAGE_CHARS, select_passages
from services.types import Evidence, Question

TOPICS = ("gardening", "the price of bread", "whales in the Arctic", "a bridge of steel", "how bees dance")


def make_talk(num_minutes: int = 50) -> list[Evidence]:
    """Return a transcript in sentences of ten seconds; every ten minutes the topic changes."""
    return [
        Evidence(
            kind="transcript",
            source="test",
            revision="1",
            text=f"Now this is sentence {number} and it is about {TOPICS[number * 10 // 600 % 5]} as everybody knows.",
            start_s=10.0 * number,
            end_s=10.0 * number + 9.0,
        )
        for number in range(6 * num_minutes)
    ]


def ask(text: str, *options: str) -> Question:
    return Question.ask(text, options)


def test_the_named_minute_is_shown_whole_as_one_statement_with_its_times() -> None:
    (passage,) = select_passages(ask("What is said about minute 12?"), make_talk(), (NamedSpan(660, 780),), 3000)
    assert (passage.start_s, passage.end_s) == (660.0, 779.0)
    assert "sentence 66 " in passage.text and "sentence 77 " in passage.text


@pytest.mark.parametrize(
    ("question", "minute"),
    [
        (ask("What do they say about whales?"), 20),
        (ask("Which animal is talked about?", "Bees", "Cats"), 40),
        (ask("Is steel mentioned?"), 30),
    ],
)
def test_the_passages_that_share_rare_words_with_the_question_are_shown(question: Question, minute: int) -> None:
    found = select_passages(question, make_talk(), (), 2000)
    assert found
    assert all(60 * minute <= one.start_s < 60 * (minute + 10) for one in found)
    assert sum(len(one.text) for one in found) <= 2000


@pytest.mark.parametrize(("text", "minute"), [("How expensive is food?", 10), ("Which insects move to music?", 40)])
def test_what_is_said_in_other_words_is_shown(text: str, minute: int) -> None:
    found = select_passages(ask(text), make_talk(), (), 6 * PASSAGE_CHARS)
    assert any(60 * minute <= one.start_s < 60 * (minute + 10) for one in found)
    (nearest,) = select_passages(ask(text), make_talk(), (), PASSAGE_CHARS)
    assert 60 * minute <= nearest.start_s < 60 * (minute + 10)


def test_a_question_about_the_whole_is_shown_passages_from_all_over() -> None:
    found = select_passages(ask("Summarise it."), make_talk(), (), 8 * PASSAGE_CHARS)
    assert found[0].start_s == 0.0
    assert found[-1].end_s == 2999.0
    assert {topic for topic in TOPICS if any(topic in one.text for one in found)} == set(TOPICS)


def test_a_transcript_that_fits_is_shown_whole() -> None:
    talk = make_talk(2)
    (whole,) = select_passages(ask("Summarise it."), talk, (), 3000)
    assert whole.text == " ".join(one.text for one in talk)


def test_where_nobody_speaks_nothing_is_shown() -> None:
    assert select_passages(ask("What is said?"), make_talk(), (NamedSpan(3500, 3600),), 3000) == ()
