"""The say of two arms over options, learnt from questions whose truth is known."""

import numpy as np
import pytest

from eval.routing.stacking import FoldSplit, StackingExample, fit_stack

LETTERS = ("A", "B", "C")


def example(rng: np.random.Generator, *, num_options: int, sound: bool) -> StackingExample:
    """One arm knows, the other guesses: the LALM knows of sounds, the cascade of the rest."""
    letters = LETTERS[:num_options]
    right = str(rng.choice(letters))
    knows = {letter: 0.8 if letter == right else 0.2 / (num_options - 1) for letter in letters}
    guesses = dict(zip(letters, rng.dirichlet(np.full(num_options, 2.0)).tolist(), strict=True))
    cascade, lalm = (guesses, knows) if sound else (knows, guesses)
    return StackingExample({"about sound": float(sound)}, letters, cascade, lalm, right)


def halves(count: int) -> list[FoldSplit]:
    places = np.arange(count)
    return [(places[places % 2 == side], places[places % 2 != side]) for side in (0, 1)]


def test_each_arm_gets_the_say_where_it_knows() -> None:
    rng = np.random.default_rng(0)
    examples = [example(rng, num_options=2 + place % 2, sound=place % 3 == 0) for place in range(240)]
    fitted = fit_stack(examples, halves(len(examples)))
    of_sound, of_rest = (
        fitted.stack.compute_weights({"about sound": 1.0}),
        fitted.stack.compute_weights({"about sound": 0.0}),
    )
    assert of_sound[1] > 3 * of_sound[0]
    assert of_rest[0] > 3 * of_rest[1]
    assert len(fitted.held_out) == len(examples)
    assert fitted.held_out[0] == fitted.held_out[2] != fitted.held_out[1], "a fit per half, without that half"


def test_a_feature_that_tells_nothing_is_held_back() -> None:
    rng = np.random.default_rng(1)
    examples = [
        one._replace(features={"noise": float(rng.normal())})
        for one in (example(rng, num_options=3, sound=False) for _ in range(200))
    ]
    stack = fit_stack(examples, halves(len(examples))).stack
    assert abs(stack.cascade.weights[0]) < 0.2 * stack.cascade.bias


def test_an_arm_without_probabilities_says_nothing_and_costs_nothing() -> None:
    rng = np.random.default_rng(2)
    examples = [example(rng, num_options=3, sound=False)._replace(lalm={}) for _ in range(60)]
    stack = fit_stack(examples, halves(len(examples))).stack
    assert stack.lalm.bias == pytest.approx(1.0), "where it starts: no example moves it"
    assert stack.cascade.bias > 1.0
