"""Linear probes: what is planted is found, on recordings that the probe never saw, and labels at random are not."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from eval.probing.linear import (
    STRENGTH,
    Classes,
    Floats,
    Fold,
    predict_held_out,
    predict_majority,
    shuffle_labels,
    split_folds,
)

NUM_CLIPS, NUM_CLASSES = 120, 4
SOURCES = [f"recording {number // 2}" for number in range(NUM_CLIPS)]  # two clips of each
LABELS = np.repeat(np.arange(NUM_CLIPS // 2) % NUM_CLASSES, 2)


def plant(width: int, strength: float, labels: Classes = LABELS) -> Floats:
    """Return noise in which each class has a direction of its own."""
    rng = np.random.default_rng(5)
    means = rng.normal(size=(NUM_CLASSES, width)) * strength / np.sqrt(width)
    return (means[labels] + rng.normal(size=(len(labels), width)) / np.sqrt(width)).astype(np.float32)


@pytest.mark.parametrize("width", [16, 3000])
@pytest.mark.slow
def test_a_planted_class_is_read_from_unseen_recordings(width: int) -> None:
    folds = split_folds(LABELS, SOURCES, 5, seed=1)
    (likely,) = predict_held_out(plant(width, 3.0), [LABELS], folds)
    assert (likely.argmax(1) == LABELS).mean() > 0.95
    assert likely.sum(1) == pytest.approx(1)


@pytest.mark.slow
def test_noise_and_labels_at_random_stay_at_chance() -> None:
    folds = split_folds(LABELS, SOURCES, 5, seed=1)
    control = shuffle_labels(LABELS, SOURCES, seed=1)
    by_noise, _ = predict_held_out(plant(64, 0.0), [LABELS, LABELS], folds)
    _, by_control = predict_held_out(plant(64, 3.0), [LABELS, control], folds)
    for likely, target in ((by_noise, LABELS), (by_control, control)):
        assert 0.1 < (likely.argmax(1) == target).mean() < 0.4  # chance is 0.25


def test_a_recording_is_never_in_both_halves_and_each_clip_is_unseen_once() -> None:
    folds = split_folds(LABELS, SOURCES, 5, seed=3)
    assert sorted(place for fold in folds for place in fold.unseen) == list(range(NUM_CLIPS))
    for seen, unseen in folds:
        assert not {SOURCES[place] for place in seen} & {SOURCES[place] for place in unseen}
        assert {*LABELS[unseen]} == {*range(NUM_CLASSES)}


@pytest.mark.slow
def test_clips_of_one_recording_that_leak_between_folds_are_what_the_control_shows() -> None:
    rng = np.random.default_rng(2)
    by_recording = np.repeat(rng.normal(size=(NUM_CLIPS // 2, 64)), 2, axis=0)  # nothing of the class, all of the clip
    control = shuffle_labels(LABELS, SOURCES, seed=1)
    honest = split_folds(LABELS, SOURCES, 5, seed=1)
    leaking = split_folds(LABELS, [str(number) for number in range(NUM_CLIPS)], 5, seed=1)
    scores = [
        (predict_held_out(by_recording, [control], folds)[0].argmax(1) == control).mean() for folds in (honest, leaking)
    ]
    assert scores[0] < 0.4
    assert scores[1] > 0.8


def test_labels_at_random_keep_their_frequencies_and_are_one_for_a_recording() -> None:
    control = shuffle_labels(LABELS, SOURCES, seed=1)
    assert sorted(control) == sorted(LABELS)
    assert (control != LABELS).mean() > 0.5
    assert all(control[a] == control[b] for a, b in pairwise(range(NUM_CLIPS)) if SOURCES[a] == SOURCES[b])
    assert (control == shuffle_labels(LABELS, SOURCES, seed=1)).all()
    assert (control != shuffle_labels(LABELS, SOURCES, seed=2)).any()


@pytest.mark.slow
def test_a_wide_stage_gives_what_the_regression_on_all_its_features_gives() -> None:
    folds = split_folds(LABELS, SOURCES, 4, seed=1)
    vectors = plant(500, 0.2)
    (likely,) = predict_held_out(vectors, [LABELS], folds)
    assert np.median(likely.max(1)) < 0.8  # probabilities at 0 and 1 would agree whatever the scale of the features
    for seen, unseen in folds:
        scaler = StandardScaler().fit(vectors[seen].astype(float))
        train, test = (scaler.transform(vectors[rows].astype(float)) / np.sqrt(500) for rows in (seen, unseen))
        plain = LogisticRegression(C=STRENGTH, max_iter=5000, tol=1e-8).fit(train, LABELS[seen]).predict_proba(test)
        assert likely[unseen] == pytest.approx(plain, abs=0.02)


def test_features_without_a_difference_tell_the_shares_of_the_classes() -> None:
    folds = split_folds(LABELS, SOURCES, 5, seed=1)
    (likely,) = predict_held_out(np.full((NUM_CLIPS, 8), 7.0, np.float32), [LABELS], folds)
    assert likely == pytest.approx(np.full_like(likely, 1 / NUM_CLASSES), abs=0.05)


@pytest.mark.parametrize("width", [8, 200])
def test_constant_features_tell_unequal_shares_whatever_their_number(width: int) -> None:
    labels = np.array([0] * 80 + [1] * 40)
    folds = split_folds(labels, SOURCES, 4, seed=0)
    (likely,) = predict_held_out(np.full((NUM_CLIPS, width), 7.0, np.float32), [labels], folds)
    assert likely == pytest.approx(np.tile([2 / 3, 1 / 3], (NUM_CLIPS, 1)), abs=0.02)


def test_a_class_alone_in_a_fold_is_certain_there() -> None:
    labels = np.array([0] * 80 + [1] * 40)
    folds = [Fold(np.arange(60), np.arange(60, NUM_CLIPS)), Fold(np.arange(60, NUM_CLIPS), np.arange(60))]
    (likely,) = predict_held_out(plant(8, 1.0, labels), [labels], folds)
    assert (likely[60:] == [1, 0]).all()


def test_the_majority_is_that_of_the_recordings_seen() -> None:
    labels = np.array([0] * 80 + [1] * 40)
    folds = split_folds(labels, SOURCES, 4, seed=0)
    assert (predict_majority(labels, folds) == 0).all()
