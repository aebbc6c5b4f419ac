import random

from agents.rows.wording import FRAMES, reword
from services.types import Question

QUESTION = Question.ask("Which animal is heard?", ("A dog", "A cat", "A cow"), id="q1")


def test_frames_hold_the_question_and_options_stay_in_order() -> None:
    asked = {reword(QUESTION, random.Random(seed), framed=1, restyled=0) for seed in range(60)}
    assert all("hich animal is heard?" in one.text for one in asked)
    assert all(one.choices == QUESTION.choices for one in asked)
    assert len({one.text for one in asked}) == len(FRAMES["sentence"]) + len(FRAMES["clause"])


def test_a_sentence_is_not_put_into_a_clause() -> None:
    told = Question.ask("Name the animal.", ("A dog", "A cat"))
    texts = {reword(told, random.Random(seed), framed=1, restyled=0).text for seed in range(60)}
    assert all("Name the animal." in text for text in texts)


def test_options_are_restyled_all_alike() -> None:
    styles = {
        tuple(choice.text for choice in reword(QUESTION, random.Random(seed), framed=0, restyled=1).choices)
        for seed in range(20)
    }
    assert styles == {("a dog", "a cat", "a cow"), ("A dog.", "A cat.", "A cow.")}


def test_options_that_would_become_alike_stay() -> None:
    alike = Question.ask("Which?", ("Ada", "ada"))
    kept = {reword(alike, random.Random(seed), framed=0, restyled=1).choices[0].text for seed in range(20)}
    assert kept == {"Ada", "Ada."}
