from agents.listening.grounds import mark_evidence, unmark
from services.types import Evidence, Question

QUESTION = Question.ask("Which animal is heard?", ("A dog", "A cat", "A cow"))


def state(text: str) -> Evidence:
    return Evidence(kind="sound", source="ears", revision="1", text=text)


DOG, CAT, LEVEL = state("Sounds: dog."), state("Sounds: cat."), state("Level: loud.")


def uses(evidence: tuple[Evidence, ...]) -> list[str | None]:
    return [one.use for one in evidence]


def test_what_was_read_is_marked_and_the_statement_for_the_chosen_option_decided() -> None:
    marked = mark_evidence(QUESTION, (DOG, LEVEL, CAT), (DOG, LEVEL), QUESTION.choices[0])
    assert uses(marked) == ["decided", "read", "unread"]
    assert unmark(marked) == (DOG, LEVEL, CAT)


def test_a_statement_that_was_not_read_decided_nothing() -> None:
    assert uses(mark_evidence(QUESTION, (DOG, LEVEL), (LEVEL,), QUESTION.choices[0])) == ["unread", "read"]


def test_no_statement_decided_where_none_speaks_for_the_choice_alone() -> None:
    both = state("Sounds: dog, cat.")
    assert uses(mark_evidence(QUESTION, (both,), (both,), QUESTION.choices[0])) == ["read"]
    assert uses(mark_evidence(QUESTION, (DOG,), (DOG,), None)) == ["read"]


def test_what_is_said_decides_in_another_spelling_too() -> None:
    question = Question.ask("When does it start?", ("Nine thirty", "Ten", "Noon"))
    said = Evidence(kind="transcript", source="asr", revision="1", text="It starts at 9.30 in room 12.")
    assert uses(mark_evidence(question, (said, LEVEL), (said, LEVEL), question.choices[0])) == ["decided", "read"]


def test_a_finding_of_listening_again_comes_before_what_was_known() -> None:
    heard = state("Of the sounds asked about, most like: dog.")
    marked = mark_evidence(QUESTION, (DOG, heard), (DOG, heard), QUESTION.choices[0], (heard,))
    assert uses(marked) == ["read", "decided"]
