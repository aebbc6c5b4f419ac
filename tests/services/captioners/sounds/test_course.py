import numpy as np
import pytest

from services.captioners.sounds.course import COURSES, TREND_PRECISION, extract_course_features, find_level_course

CENTISECONDS = np.arange(800)


def babble(seed: int = 0) -> np.ndarray:
    """Levels of something like speech: words of 0.3 s at -20 dBFS, pauses of 0.1 s at -50."""
    is_word = CENTISECONDS % 40 < 30
    return np.where(is_word, -20.0, -50.0) + np.random.default_rng(seed).normal(0, 2, 800)


GAINS_DB = {
    COURSES[0]: np.zeros(800),
    COURSES[1]: np.linspace(-24, 0, 800),
    COURSES[2]: np.linspace(0, -24, 800),
    COURSES[3]: np.where(CENTISECONDS < 400, -20.0, 0.0),
    COURSES[4]: np.where(CENTISECONDS < 400, 0.0, -20.0),
    COURSES[5]: -np.abs(np.linspace(-24, 24, 800)),
}


@pytest.mark.parametrize("course", list(GAINS_DB))
def test_a_gain_over_words_and_pauses_is_told(course: str) -> None:
    found = find_level_course((babble() + GAINS_DB[course]).astype(np.float32))
    assert found is not None
    assert found.course == course


def test_words_and_pauses_alone_are_not_a_course() -> None:
    for seed in range(5):
        found = find_level_course(babble(seed).astype(np.float32))
        assert found is None or found.course == COURSES[0]


def test_nothing_is_said_of_a_second() -> None:
    assert find_level_course(babble()[:100].astype(np.float32)) is None


def test_the_features_do_not_depend_on_the_gain_of_the_recording() -> None:
    quiet, loud = extract_course_features(babble()), extract_course_features(babble() + 12)
    assert np.abs(quiet - loud).max() < 1e-3


def test_a_level_that_falls_all_the_time_gets_quieter_where_the_classifier_is_unsure() -> None:
    place = np.linspace(0, 1, 800)
    decay = -10 - 40 * (1 - np.exp(-3 * place)) + np.random.default_rng(0).normal(0, 3, 800)
    found = find_level_course(decay.astype(np.float32))
    assert found is not None
    assert (found.course, found.probability) == (COURSES[2], TREND_PRECISION)
    rise = find_level_course(decay[::-1].astype(np.float32))
    assert rise is not None and rise.course == COURSES[1]
