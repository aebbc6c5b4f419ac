"""Styles: what several models say of one style counts together, and by how far it lies above the usual."""

from collections.abc import Mapping

import numpy as np
import pytest

from services.captioners.music.musicnn import SOURCES, MusicTagger
from services.captioners.music.style import (
    STYLE_SCALE,
    YAMNET,
    StyleClassifier,
    name_styles,
    rank_styles,
    read_styles,
)
from services.captioners.sounds.yamnet import ClassScores, read_class_names
from services.weights import store as weights


def make_scores(**above: float) -> Mapping[str, float]:
    return {style.label: above.get(style.label, 0.0) for style in read_styles().styles}


def test_every_class_of_the_table_is_one_of_its_model_and_has_its_usual_score() -> None:
    table = read_styles()
    for style in table.styles:
        assert style.list_sources(), style.label
        for source, classes in style.list_sources():
            for name in classes:
                assert table.usual[source][name].deviation > 0
                assert source == YAMNET or name in SOURCES[source]


@pytest.mark.weights
def test_every_class_of_yamnet_in_the_table_exists() -> None:
    names = read_class_names(weights.ensure_folder("yamnet"))
    assert {name for style in read_styles().styles for name in style.yamnet} <= set(names)


def test_a_style_is_told_where_it_stands_out_with_what_is_nearly_as_likely() -> None:
    assert rank_styles(make_scores(jazz=0.9), "genre") == []
    assert [one.label for one in rank_styles(make_scores(jazz=2.5, blues=1.8, rock=1.2), "genre")] == ["jazz", "blues"]
    assert [one.label for one in rank_styles(make_scores(jazz=2.5, sad=1.0), "mood")] == ["sad"]


@pytest.mark.parametrize(
    ("options", "likeliest"),
    [
        (("Rock", "Jazz", "Techno"), "Jazz"),
        (("A jazz trio", "Symphonic orchestral music", "Rap"), "A jazz trio"),
        (("Hip-hop", "Heavy metal", "Reggae music"), "Hip-hop"),
    ],
)
def test_options_are_weighed_by_the_styles_that_they_name(options: tuple[str, ...], likeliest: str) -> None:
    weighed = name_styles().weigh(options, make_scores(jazz=2.0, **{"hip hop": 1.5}), STYLE_SCALE)
    assert weighed[0].text == likeliest and weighed[0].probability > 0.5


@pytest.mark.weights
def test_what_is_usual_of_all_music_speaks_for_no_style() -> None:
    """A class at its usual score counts nothing, however likely the model usually finds it."""
    usual = read_styles().usual
    names = read_class_names(weights.ensure_folder("yamnet"))
    means = [usual[YAMNET][name].mean if name in usual[YAMNET] else -9.0 for name in names]
    logits = np.array([means], np.float32)  # far below zero the logit is the logarithm of the probability
    scores = ClassScores(logits, np.zeros((1, 1024), np.float32), np.zeros(1, np.float32))
    silent = np.zeros(48_000, np.float32)
    classify = StyleClassifier(MusicTagger(weights.ensure_folder("musicnn")), names)
    found = classify(silent, scores)
    only_yamnet = [style for style in read_styles().styles if not style.msd and not style.mtt]
    assert len(only_yamnet) > 15
    assert max(abs(found[style.label]) for style in only_yamnet) < 0.5
