import pytest

from agents.reading.orders import plan_orders
from agents.reading.reading import read
from services.catalog import SMALL_READER
from services.scripted.llm import ScriptedLLM
from services.types import Choice, Question, Reading, ReadingStyle


@pytest.mark.parametrize(
    ("num_options", "shifts"),
    [
        (2, (0, 1)),
        (4, (0, 1, 2, 3)),
        (8, (0, 2, 4, 6)),
        (26, (0, 3, 7, 11, 14, 18, 22)),
    ],
)
def test_a_small_reader_gets_more_orders_of_more_options_spread_evenly(
    num_options: int, shifts: tuple[int, ...]
) -> None:
    assert plan_orders(SMALL_READER, num_options) == shifts


def test_a_model_that_needs_one_order_or_scores_texts_gets_one() -> None:
    assert plan_orders(ReadingStyle(), 26) == (0,)
    assert plan_orders(ReadingStyle(scores="texts", num_rotations=4, options_per_order=4), 26) == (0,)


async def test_a_preference_for_letters_among_many_options_cancels_out() -> None:
    texts = tuple(f"sound {number}" for number in range(24))

    def prefer_early_letters(_: str, choices: tuple[Choice, ...]) -> Reading:
        fits = [4.0 if one.text == texts[23] else 1.0 for one in choices]
        weights = {one.letter: fit * 2.0**-place for place, (one, fit) in enumerate(zip(choices, fits, strict=True))}
        total = sum(weights.values())
        return Reading(reply="A", probabilities={letter: weight / total for letter, weight in weights.items()})

    question = Question.ask("What is heard?", texts)
    few, all_of_them = ReadingStyle(num_rotations=4), ReadingStyle(num_rotations=4, options_per_order=1)
    rotated, whole = [
        await read(ScriptedLLM(choose=prefer_early_letters, style=style), question) for style in (few, all_of_them)
    ]
    assert whole.choice == question.choices[23]
    assert rotated.choice != question.choices[23]
