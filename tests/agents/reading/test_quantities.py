import pytest

from agents.reading.prompts import build_prompt
from agents.reading.quantities import find_quantities, match_options, spell_like_options
from services.types import Evidence, Question


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("nine thirty", "9:30"),
        ("nine thirty", "9.30"),
        ("half past nine", "9:30"),
        ("quarter to ten", "9:45"),
        ("ten past one", "1:10"),
        ("five to midnight", "23:55"),
        ("a quarter past noon", "12:15"),
        ("open from two to midnight", "2:00 to 24:00"),
        ("point seven five", "0.75"),
        ("nine oh five", "9:05"),
        ("half past seven p.m.", "19:30"),
        ("nine o'clock", "9:00"),
        ("noon", "12:00"),
        ("nineteen eighty-four", "1984"),
        ("twelve hundred and fifty", "1,250"),
        ("one thousand two hundred fifty", "1250"),
        ("five ninety-nine", "5.99"),
        ("two and a half", "2.5"),
        ("three point five", "3.5"),
        ("twenty-first", "21st"),
        ("three million", "3 million"),
        ("a dozen", "12"),
        ("five five five, one two", "55512"),
        ("one, one, five, zero", "1150"),
        ("seventy two", "٧٢"),
    ],
)
def test_the_spoken_and_the_written_form_are_one_quantity(spoken: str, written: str) -> None:
    said, read = ({value for one in find_quantities(text) for value in one.values} for text in (spoken, written))
    assert said & read
    for text, option in ((spoken, written), (written, spoken)):
        question = Question.ask("How much?", (option, "none of it"))
        assert set(match_options(f"It was {text}, they said.", question)) == {"A"}


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("room twelve", "noon"),
        ("nine thirty", "9:13"),
        ("fifteen", "50"),
        ("the first bell", "1"),
        ("point seven five", "7.5"),
        ("from two to midnight", "23:58"),
    ],
)
def test_other_quantities_stay_apart(text: str, option: str) -> None:
    assert not match_options(text, Question.ask("When?", (option, "never")))


def test_an_option_counts_only_where_all_its_quantities_are_there() -> None:
    question = Question.ask("Which figures?", ("9:30 in room 12", "9:30 in room 14", "at noon"))
    assert set(match_options("It starts at half past nine in room twelve.", question)) == {"A"}


def test_a_transcript_is_spelled_as_the_option_that_names_the_same_quantity() -> None:
    said = "The meeting starts at 9.30 in room 12."
    question = Question.ask("When does the meeting start?", ("Nine thirty", "Ten", "Noon"))
    assert spell_like_options(said, question) == "The meeting starts at Nine thirty in room 12."
    heard = Evidence(kind="transcript", source="asr", revision="1", text=said, end_s=7.0)
    prompt = build_prompt(question, (heard,))[-1].content
    assert 'Somebody says: "The meeting starts at Nine thirty in room 12."' in prompt
    assert spell_like_options(said, Question.ask("Why?")) == said


def test_a_spelling_that_two_options_share_is_left_as_it_was() -> None:
    question = Question.ask("What?", ("nine minutes", "9 hours"))
    assert spell_like_options("It took 9 days.", question) == "It took 9 days."


@pytest.mark.parametrize(
    ("said", "language", "options", "letters"),
    [
        ("Der Zug fährt um halb zehn.", "de", ("9:30", "10:30"), {"A"}),
        ("Il y avait vingt et un chats.", "fr", ("20", "21"), {"B"}),
        ("A las nueve y media.", "es", ("half past nine", "half past ten"), {"A"}),
        ("列車は九時半に出ます。", "ja", ("9:30", "21:45"), {"A"}),
        ("Es sind 1.250 Leute und 2,5 Liter.", "de", ("1,250", "2.5", "250"), {"A", "B"}),
        ("cinq cinq un deux", "fr", ("5512", "5521"), {"A"}),
        ("Eine Katze und ein Hund.", "de", ("1", "2"), set()),
    ],
)
def test_what_is_said_in_another_language_names_an_option(
    said: str, language: str, options: tuple[str, ...], letters: set[str]
) -> None:
    assert set(match_options(said, Question.ask("When?", options), language)) == letters


def test_half_a_day_apart_is_the_same_time_only_where_nothing_is_nearer() -> None:
    assert set(match_options("at nine thirty", Question.ask("When?", ("21:30", "22:30")))) == {"A"}
    assert set(match_options("at nine thirty", Question.ask("When?", ("21:30", "9:30")))) == {"B"}
    assert not match_options("at 9:30 a.m.", Question.ask("When?", ("21:30", "22:30")))


def test_the_speech_of_a_prompt_is_spelled_as_the_options() -> None:
    question = Question.ask("When does it leave?", ("9:30", "10:30"))
    assert spell_like_options("Um halb zehn.", question, "de") == "Um 9:30."
