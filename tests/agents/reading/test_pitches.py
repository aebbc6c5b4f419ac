from agents.reading.pitches import spell_pitches_like_options
from services.types import Question


def spell(reply: str, *options: str) -> str:
    return spell_pitches_like_options(reply, Question.ask("Which?", options).choices)


def test_a_pitch_under_another_name_is_spelled_as_the_option() -> None:
    assert spell("It is D flat.", "C♯", "D") == "It is C♯."
    assert spell("C# major", "D flat major", "C major") == "D flat major"


def test_another_mode_or_a_natural_stays() -> None:
    assert spell("C# minor", "D flat major", "C major") == "C# minor"
    assert spell("The key is C", "A minor", "C major") == "The key is C"


def test_nothing_is_spelled_anew_where_an_option_names_no_pitch() -> None:
    assert spell("It is D flat.", "C♯", "A drum") == "It is D flat."
