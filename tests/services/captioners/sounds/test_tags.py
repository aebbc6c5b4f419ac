import numpy as np

from services.captioners.sounds.tags import Tag, map_phrases, rank_sounds, score_sounds
from services.captioners.sounds.vocabulary import read_vocabulary

NAMES = ("Animal", "Dog", "Bark", "Rain", "Silence", "Violin, fiddle")


def logits(*values: float) -> np.ndarray:
    return np.tile(np.array(values, np.float32), (4, 1))


def names(tags: tuple[Tag, ...]) -> list[str]:
    return [tag.sound for tag in tags]


def all_names() -> tuple[str, ...]:
    plain = [name for classes in read_vocabulary().plain.values() for name in classes]
    return (*plain, *read_vocabulary().unsaid, "Violin, fiddle")


def scores(**of: float) -> np.ndarray:
    known = all_names()
    return np.tile(np.array([of.get(name.split(",")[0], -9.0) for name in known], np.float32), (4, 1))


def test_classes_that_mean_the_same_share_a_phrase() -> None:
    assert len(map_phrases(NAMES)["dog barking"]) == 2


def test_a_class_without_a_phrase_is_called_by_the_first_part_of_its_name() -> None:
    assert "violin" in map_phrases(NAMES)


def test_unsaid_classes_are_left_out() -> None:
    assert all("ilence" not in phrase for phrase in map_phrases(NAMES))


def test_no_class_has_two_phrases() -> None:
    named = [name for classes in read_vocabulary().plain.values() for name in classes]
    assert len(named) == len(set(named))


def test_every_wider_word_and_its_narrower_ones_exist() -> None:
    known = set(read_vocabulary().plain)
    assert all({wider, *narrower} <= known for wider, narrower in read_vocabulary().wider.items())


def test_a_narrower_sound_replaces_a_wider_one() -> None:
    tags = rank_sounds(score_sounds(scores(Animal=2.0, Dog=1.0), all_names(), {}))
    assert names(tags)[0] == "dog barking"
    assert "animal" not in names(tags)


def test_a_wider_sound_stays_where_no_narrower_one_is_nearly_as_sure() -> None:
    assert names(rank_sounds(score_sounds(scores(Animal=2.0, Dog=-3.0), all_names(), {})))[0] == "animal"


def test_a_second_opinion_is_averaged_in() -> None:
    tags = rank_sounds(
        score_sounds(scores(Rain=2.0, Crackle=0.0), all_names(), {"crackling fire": 4.0, "rain falling": -2.0})
    )
    assert names(tags)[:2] == ["crackling fire", "rain falling"]


def test_an_event_in_a_quarter_of_the_patches_counts_as_much_as_one_all_the_time() -> None:
    rare = np.full((8, len(all_names())), -9.0, np.float32)
    rare[:2, all_names().index("Dog")] = 3.0
    assert rank_sounds(score_sounds(rare, all_names(), {}))[0].sound == "dog barking"


def test_confidence_grows_with_the_logit_and_stays_a_probability() -> None:
    sure, unsure = Tag("rain", 4.0).confidence, Tag("rain", -4.0).confidence
    assert 0 < unsure < 0.2
    assert 0.9 < sure < 1
