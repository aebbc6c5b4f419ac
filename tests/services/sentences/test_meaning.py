from collections.abc import Mapping, Sequence
from math import cos, sin

import numpy as np
import pytest

from services.captioners.frames import Floats
from services.sentences.meaning import FURTHEST, MeaningMatcher, OptionScore, weigh_scores

ANGLES: Mapping[str, float] = {"dog": 0.0, "puppy": 0.2, "wolf": 0.5, "rain": 1.5, "drizzle": 1.4, "love": 4.0}
LABELS = {"dog barking": ("dog",), "howl": ("wolf",), "rain falling": ("rain",)}


def embed(texts: Sequence[str]) -> Floats:
    return np.array([(cos(ANGLES[text]), sin(ANGLES[text])) for text in texts], np.float32)


@pytest.fixture
def matcher() -> MeaningMatcher:
    return MeaningMatcher(LABELS, {name: embed([name])[0] for name in ("dog", "wolf", "rain")}, embed)


def test_an_option_is_scored_by_the_labels_near_it(matcher: MeaningMatcher) -> None:
    scores = {"dog barking": 4.0, "howl": -6.0, "rain falling": -6.0}
    found = matcher.weigh(("drizzle", "puppy"), scores)
    assert [one.text for one in found] == ["puppy", "drizzle"]
    assert found[0].probability > 0.95 and found[0].score == 4.0
    assert sum(one.probability for one in found) == pytest.approx(1)


def test_labels_near_an_option_add_up(matcher: MeaningMatcher) -> None:
    alone = {"dog barking": 1.0, "howl": -20.0, "rain falling": 1.0}
    both = alone | {"howl": 1.0}
    assert (
        matcher.score_options(("puppy", "rain"), both)[0].score
        > matcher.score_options(("puppy", "rain"), alone)[0].score
    )


def test_an_option_that_no_label_is_like_may_be_any_sound(matcher: MeaningMatcher) -> None:
    scores = {"dog barking": -9.0, "howl": 3.0, "rain falling": -9.0}
    found = {one.option: one for one in matcher.score_options(("love", "rain", "drizzle"), scores)}
    assert found["love"].score == 3.0 - FURTHEST < found["rain"].score and found["love"].likeness < 0


@pytest.mark.parametrize("options", [(), ("dog",), ("love", "love"), ("rain", "love")])
def test_options_that_name_fewer_than_two_labels_are_not_weighed(
    matcher: MeaningMatcher, options: tuple[str, ...]
) -> None:
    scores = dict.fromkeys(LABELS, 0.0)
    assert matcher.weigh(options, scores) == () == matcher.weigh_beside_none(options, scores)


def test_where_none_of_the_options_is_heard_most_is_left_to_none(matcher: MeaningMatcher) -> None:
    heard = matcher.weigh_beside_none(("dog", "drizzle"), {"dog barking": 5.0, "howl": -9.0, "rain falling": -9.0})
    other = matcher.weigh_beside_none(("drizzle", "rain"), {"dog barking": 5.0, "howl": -9.0, "rain falling": -9.0})
    assert heard[0] > 0.8 and sum(other) < 0.5


def test_what_is_less_alike_is_told_less_surely() -> None:
    def weigh(likeness: float) -> float:
        pair = [OptionScore(name, score, 0.0, likeness) for name, score in (("a", 1.0), ("b", 0.0))]
        return weigh_scores(pair)[0].probability

    assert weigh(0.95) == weigh(0.75) > weigh(0.5) > 0.5


def test_a_description_finds_the_labels_that_are_about_as_near_as_the_best(matcher: MeaningMatcher) -> None:
    assert matcher.find_described("puppy") == ("dog barking", "howl")
    assert matcher.find_described("drizzle") == ("rain falling",)
    assert matcher.find_described("love") == ()
