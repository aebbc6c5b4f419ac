from collections.abc import Callable

import pytest

from agents.reading.reading import plan_orders, read
from services.scripted.llm import ScriptedLLM
from services.types import Choice, Evidence, Question, Reading, ReadingStyle


@pytest.mark.parametrize(
    ("num_rotations", "num_options", "shifts"),
    [(4, 2, (0, 1)), (4, 4, (0, 1, 2, 3)), (4, 8, (0, 2, 4, 6)), (3, 26, (0, 8, 17)), (1, 26, (0,))],
)
def test_rotations_are_spread_evenly(num_rotations: int, num_options: int, shifts: tuple[int, ...]) -> None:
    assert plan_orders(ReadingStyle(num_rotations=num_rotations), num_options) == shifts
    assert plan_orders(ReadingStyle(scores="texts", num_rotations=num_rotations), num_options) == (0,)


def compare_by_naming(prompt: str, choices: tuple[Choice, ...]) -> Reading:
    """Give an option that the prompt names eight times the share of another one; the last ones are common words."""
    heard = prompt.partition("Question:")[0]
    weights = {
        one.letter: (8.0 if one.text in heard else 1.0) * (4.0 if number > 20 else 1.0)
        for number, one in enumerate(choices)
    }
    total = sum(weights.values())
    return Reading(reply="A", probabilities={letter: weight / total for letter, weight in weights.items()})


async def test_of_many_options_the_likeliest_are_lettered_and_the_others_keep_their_share() -> None:
    texts = tuple(f"sound-{number:02}" for number in range(24))
    question = Question.ask("What is heard?", texts)
    heard = Evidence(kind="sound", source="ears", revision="1", text="Heard: sound-05, sound-17.")
    style = ReadingStyle(num_rotations=2, max_lettered=3)
    llm = ScriptedLLM(choose=weigh_text("sound-17"), compare=compare_by_naming, style=style)
    answer = await read(llm, question, (heard,))
    assert answer.choice == question.choices[17]
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert list(answer.probabilities) == [choice.letter for choice in question.choices]
    likely = sorted(answer.probabilities, key=answer.probabilities.__getitem__, reverse=True)
    assert likely[:2] == ["R", "F"]
    assert 0 < answer.probabilities["A"] < answer.probabilities["F"]
    assert "of the 3 likeliest of 24" in answer.note
    few = await read(llm, Question.ask("What is heard?", texts[15:18]), (heard,))
    assert few.choice is not None
    assert "likeliest" not in few.note


def weigh_text(text: str) -> Callable[[str, tuple[Choice, ...]], Reading]:
    def weigh(_: str, choices: tuple[Choice, ...]) -> Reading:
        weights = {one.letter: 3.0 if one.text == text else 1.0 for one in choices}
        total = sum(weights.values())
        return Reading(reply="A", probabilities={letter: weight / total for letter, weight in weights.items()})

    return weigh
