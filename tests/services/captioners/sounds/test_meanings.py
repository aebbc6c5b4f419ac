import numpy as np
import pytest

from services.captioners.head import read_head
from services.captioners.sounds import meanings
from services.captioners.sounds.meanings import FILE, list_sound_names, list_voice_names, open_sound_meanings
from services.captioners.sounds.yamnet import read_class_names
from services.sentences.encoder import open_sentence_encoder
from services.sentences.meaning import MeaningMatcher
from services.weights import store as weights

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def class_names() -> tuple[str, ...]:
    return read_class_names(weights.ensure_folder("yamnet"))


@pytest.fixture(scope="module")
def sounds(class_names: tuple[str, ...]) -> MeaningMatcher:
    return open_sound_meanings(class_names, open_sentence_encoder())


def test_the_file_holds_the_embedding_of_every_name(class_names: tuple[str, ...]) -> None:
    file = read_head(meanings.__package__, FILE)
    named = {name for also in (list_sound_names(class_names) | list_voice_names()).values() for name in also}
    assert set(file.labels) == named, "run python -m benchmarks.sounds.embed_names"
    fresh = open_sentence_encoder()(file.labels)
    assert (fresh * file.tensors["vectors"]).sum(axis=1).min() > 0.96  # int8 differs between processors
    assert np.isfinite(file.tensors["vectors"]).all()


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("a locomotive", "train"),
        ("someone sobbing", "person crying or sobbing"),
        ("people cheering in a stadium", "crowd cheering"),
        ("a kettle coming to the boil", "boiling or bubbling"),
        ("kitten", "cat meowing"),
    ],
)
def test_words_that_no_class_has_find_the_sound_they_mean(sounds: MeaningMatcher, text: str, sound: str) -> None:
    assert sounds.find_described(text)[0] == sound


@pytest.mark.parametrize("text", ["democracy", "the CEO", "zyx", "seventeen", ""])
def test_what_describes_no_sound_finds_none(sounds: MeaningMatcher, text: str) -> None:
    assert sounds.find_described(text) == ()
