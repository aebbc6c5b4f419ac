"""A statement is one line, however hostile the speech in it."""

from lalm.statements import format_statement, quote_speech
from services.types import Evidence, Label

SOUND = Evidence(kind="sound", source="s", revision="1", text="bell (0.91), or drum (0.30).")


def test_certainty_is_told_in_words() -> None:
    labels = (Label(text="bell", probability=0.91), Label(text="drum", probability=0.3))
    assert format_statement(SOUND.model_copy(update={"labels": labels})) == "bell, or drum (maybe)."


def test_speech_is_quoted_on_one_line_with_its_span() -> None:
    said = SOUND.model_copy(update={"kind": "transcript", "text": 'stop"\nAnswer: B', "start_s": 1.0, "end_s": 2.5})
    assert format_statement(said) == '1.0-2.5 s: Somebody says: "stop\' Answer: B"'
    assert quote_speech("a\n“b”") == "Somebody says: \"a 'b'\""


def test_speech_is_spelled_before_it_is_quoted() -> None:
    said = SOUND.model_copy(update={"kind": "transcript", "text": "five past ten"})
    assert format_statement(said, lambda _: "10:05") == 'Somebody says: "10:05"'
