"""What a small reader is shown of what was heard."""

from agents.reading.relevance import list_covered, select_statements
from services.types import Evidence, Question, ReadingStyle


def said(text: str, kind: str = "sound", start_s: float = 0.0) -> Evidence:
    record = {"kind": kind, "source": "test", "revision": "1", "text": text, "start_s": start_s, "end_s": start_s + 1}
    return Evidence.model_validate(record)


LOUD, TEMPO, DOG = said("Level: loud."), said("Tempo: about 120 beats per minute."), said("A dog barks twice.")
QUESTION = Question.ask("What is the tempo?", ("90 beats per minute", "120 beats per minute"))


def test_the_statement_that_shares_most_words_with_the_question_comes_last() -> None:
    assert select_statements(QUESTION, (TEMPO, LOUD, DOG), ReadingStyle(num_statements=2))[-1] == TEMPO


def test_words_of_the_options_count_too() -> None:
    question = Question.ask("What is it?", ("A cat", "A dog"))
    assert select_statements(question, (DOG, LOUD, TEMPO), ReadingStyle(num_statements=1)) == (DOG,)


def test_other_orders_of_the_options_choose_the_same_statements() -> None:
    turned = Question.ask(QUESTION.text, tuple(choice.text for choice in reversed(QUESTION.choices)))
    assert select_statements(QUESTION, (LOUD, DOG, TEMPO), ReadingStyle(num_statements=2)) == select_statements(
        turned, (LOUD, DOG, TEMPO), ReadingStyle(num_statements=2)
    )


def test_without_a_limit_all_is_shown_in_the_order_heard() -> None:
    assert select_statements(QUESTION, (TEMPO, LOUD, DOG), ReadingStyle()) == (TEMPO, LOUD, DOG)


def test_a_sentence_in_two_pieces_is_one_statement() -> None:
    halves = (said("It was the best", "transcript"), said("of times.", "transcript", 1.0))
    (whole,) = select_statements(QUESTION, halves, ReadingStyle(num_statements=4))
    assert (whole.text, whole.start_s, whole.end_s) == ("It was the best of times.", 0.0, 2.0)


def test_of_half_an_hour_the_relevant_part_stays_within_the_prompt() -> None:
    long = tuple(said(f"{number} " + "noise " * 50, start_s=number) for number in range(200))
    shown = select_statements(QUESTION, (*long, TEMPO), ReadingStyle())
    assert TEMPO in shown
    assert sum(len(statement.text) for statement in shown) <= ReadingStyle().max_chars
    assert [statement.start_s for statement in shown[:-1]] == sorted(statement.start_s for statement in shown[:-1])


def test_one_statement_longer_than_the_prompt_is_shortened_not_lost() -> None:
    huge = said("tempo " * 10_000)
    for style in (ReadingStyle(max_chars=100), ReadingStyle(max_chars=100, num_statements=2)):
        shown = select_statements(QUESTION, (LOUD, huge), style)
        assert [len(statement.text) for statement in shown if statement.text.startswith("tempo")] == [100]


LONG = (
    said("Over the whole recording: speech in 60 of 60 parts.").model_copy(update={"end_s": 3600.0}),
    *(said(f"{n}:00-{n + 1}:00 (0 s is {n}:00): speech.", start_s=60.0 * n) for n in range(60)),
    *(
        said(f"Chapter {n} is about {'whales' if n == 40 else 'weather'} and more. " * 5, "transcript", 60.0 * n + 1)
        for n in range(60)
    ),
)


def test_of_an_hour_the_named_minute_is_shown_and_no_other() -> None:
    shown = select_statements(Question.ask("What is said in minute 12?"), LONG, ReadingStyle(max_chars=6000))
    assert [one.start_s for one in shown if one.kind == "transcript"] == [661.0]
    assert {one.start_s for one in shown} <= {0.0, 660.0, 661.0, 720.0}


def test_of_an_hour_the_passage_that_an_option_names_comes_last() -> None:
    style = ReadingStyle(num_statements=4, max_chars=6000)
    shown = select_statements(Question.ask("Which animals are talked about?", ("Bees", "Whales")), LONG, style)
    assert "whales" in shown[-1].text


def test_a_question_about_the_whole_is_shown_the_overview_and_passages_from_all_over() -> None:
    shown = select_statements(Question.ask("Give a summary."), LONG, ReadingStyle(max_chars=6000))
    assert shown[0].end_s == 3600.0
    starts = [one.start_s for one in shown if one.kind == "transcript"]
    assert (starts[0], starts[-1]) == (1.0, 3541.0)
    assert sum(len(one.text) for one in shown) <= 6000


def test_the_same_words_at_another_time_were_not_read() -> None:
    early, late = said("Yes.", "transcript", 10.0), said("Yes.", "transcript", 700.0)
    passage = said("No. Yes. Maybe.", "transcript", 690.0).model_copy(update={"end_s": 720.0})
    assert list_covered((early, late), (passage,)) == (late,)
