import numpy as np
import pytest

from services.captioners.music.instrument import InstrumentTurn
from services.captioners.naming import NameMatcher
from services.captioners.sounds.activity import ActiveSpan
from services.captioners.sounds.meanings import open_sound_meanings
from services.captioners.sounds.sections import Section
from services.captioners.sounds.tags import Tag, map_phrases
from services.captioners.timeline import list_played, list_timeline
from services.captioners.voices.speaker import AttributedTurn
from services.sentences.encoder import open_sentence_encoder
from services.sentences.meaning import MeaningMatcher

CLASSES = ("Speech", "Child speech, kid speaking", "Whispering", "Shout", "Bark", "Rain")


@pytest.fixture
def sounds() -> MeaningMatcher:
    return open_sound_meanings(CLASSES, open_sentence_encoder(), with_voices=True)


def section(start_s: float, end_s: float, **logits: float) -> Section:
    silent = dict.fromkeys(map_phrases(CLASSES), -9.0)
    known = silent | {name.replace("_", " "): logit for name, logit in logits.items()}
    tags = sorted((Tag(name, logit) for name, logit in known.items()), key=lambda tag: -tag.logit)
    return Section((ActiveSpan(start_s, end_s),), tuple(tags), np.zeros(4, np.float32), known)


def test_each_section_weighs_the_options_and_leaves_what_none_explains(sounds: MeaningMatcher) -> None:
    heard = [section(0, 2, dog_barking=4.0), section(2, 3, rain_falling=3.0), section(3, 4, speech=5.0)]
    told = list(list_timeline(heard, (), ("a dog barking", "rain"), sounds))
    assert [(one.start_s, one.end_s) for one in told] == [(0, 2), (2, 3), (3, 4)]
    shares = [[label.probability or 0.0 for label in one.labels] for one in told]
    assert shares[0][0] > 0.9
    assert shares[1][1] > 0.8
    assert max(shares[2]) < 0.2
    assert told[2].text == "speech (0.99)."


@pytest.mark.parametrize(("who", "option"), [("a man", 0), ("a woman", 1)])
def test_who_speaks_is_told_by_the_voice(sounds: MeaningMatcher, who: str, option: int) -> None:
    turn = AttributedTurn(0, who, (ActiveSpan(0.5, 1.5),))
    options = ("a man talking", "a female voice", "rain")
    (told,) = list_timeline([section(0, 2, speech=4.0)], (turn,), options, sounds)
    shares = [label.probability or 0.0 for label in told.labels]
    assert shares[option] == max(shares) > 0.8


def test_options_that_name_fewer_than_two_sounds_have_no_timeline(sounds: MeaningMatcher) -> None:
    assert list(list_timeline([section(0, 2, rain_falling=3.0)], (), ("rain", "melancholy"), sounds)) == []


def test_a_wider_sound_is_weighed_though_a_narrower_one_is_told_for_it(sounds: MeaningMatcher) -> None:
    heard = section(0, 2, dog_barking=4.0)
    told = heard._replace(tags=tuple(tag for tag in heard.tags if tag.sound == "dog barking"))
    (found,) = list_timeline([told], (), ("rain", "dog barking"), sounds)
    assert [label.text for label in found.labels] == ["rain", "dog barking"]


def test_who_plays_when_is_told_of_instruments() -> None:
    names = NameMatcher({"violin": ("violin",), "flute": ("flute",), "acoustic piano": ("piano",)}, {})
    turns = [InstrumentTurn("flute", 0.0, 2.0, 0.9), InstrumentTurn("acoustic piano", 2.0, 5.0, 0.7)]
    told = list(list_played(turns, ("Violin", "A flute", "Piano"), names))
    assert [(one.start_s, one.end_s, one.text) for one in told] == [
        (0, 2, "flute (0.90)."),
        (2, 5, "acoustic piano (0.70)."),
    ]
    assert [[label.probability for label in one.labels] for one in told] == [[0.05, 0.9, 0.05], [0.15, 0.15, 0.7]]


def test_two_options_for_one_instrument_share_it() -> None:
    names = NameMatcher({"violin": ("violin", "fiddle"), "flute": ("flute",)}, {})
    (told,) = list_played([InstrumentTurn("violin", 0.0, 2.0, 0.8)], ("Violin", "Fiddle", "Flute"), names)
    assert [label.probability for label in told.labels] == [0.4, 0.4, 0.2]
