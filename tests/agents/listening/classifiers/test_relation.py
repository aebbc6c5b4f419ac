import pytest

from agents.listening.classifiers.relation import Relation, estimate_relations


@pytest.mark.parametrize(
    ("question", "relation"),
    [
        ("Which noise marks the beginning of this file?", "first"),
        ("Which of these closes the audio?", "last"),
        ("Counting from the start, which sound is the second?", "second"),
        ("Which of the sounds is third in line?", "third"),
        ("What is noticed straight after the goat bleats?", "next"),
        ("Which sound is there just before the lorry passes?", "previous"),
        ("Which one keeps going for the longest time?", "longest"),
        ("Which of the four is the shortest?", "shortest"),
    ],
)
def test_the_relation_that_a_question_asks_for_is_the_likeliest(question: str, relation: Relation) -> None:
    estimates = estimate_relations(question)
    assert max(estimates, key=estimates.__getitem__) == relation
    assert estimates[relation] > 0.4


@pytest.mark.parametrize(
    "question",
    ["How many times does the dog bark?", "What is the tempo of the piece?", "At what time does the rain begin?"],
)
def test_a_question_about_something_else_asks_for_none(question: str) -> None:
    assert sum(estimate_relations(question).values()) < 0.3
