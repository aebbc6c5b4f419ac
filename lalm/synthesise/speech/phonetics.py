"""Speech about the sound of words: rhymes, syllables, stress, spelling, first sounds, repeated and odd words."""

import json
from collections.abc import Mapping
from pathlib import Path

from lalm.distill.facts import OWN, Fact, capitalise, make_choice, make_number, make_yes_no
from lalm.synthesise.draft import ClipDraft, Draw
from lalm.synthesise.speech.finishing import finish_speech, join
from lalm.synthesise.speech.numbers import word_ordinal
from lalm.synthesise.speech.voices import Delivery, VoiceBank, speak
from services.types import Value


class SoundTable(Value):
    """Words sorted by how they sound."""

    rhymes: tuple[tuple[str, ...], ...]
    """Groups of words that rhyme with each other and with no word of another group."""
    syllables: Mapping[int, tuple[str, ...]]
    stress: Mapping[int, tuple[str, ...]]
    """Number of the stressed syllable -> words of three syllables."""
    pairs: tuple[tuple[str, str], ...]
    """Words that differ in one sound."""
    onsets: Mapping[str, tuple[str, ...]]
    """First sound -> words."""


SOUND_TABLE = SoundTable.model_validate(json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")))


def make_rhyme(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say words of which one does not rhyme, or ask whether two rhyme."""
    group, other = draw.rng.sample(SOUND_TABLE.rhymes, 2)
    if draw.decide(0.5):
        words = draw.rng.sample(group, 2)
        is_true = draw.decide(0.5)
        said = words if is_true else [words[0], draw.rng.choice(other)]
        return _say_words(bank, draw, said, [make_yes_no("do_rhyme", is_true=is_true)])
    words = draw.rng.sample(group, 3)
    odd = draw.rng.choice(other)
    said = draw.shuffle([*words, odd])
    facts = [Fact("odd_rhyme", capitalise(odd), wrong=tuple(map(capitalise, words)), pool=OWN)]
    return _say_words(bank, draw, said, facts)


def make_syllables(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say one word, and ask for its syllables and its stress."""
    if draw.decide(0.5):
        count = draw.rng.choice(list(SOUND_TABLE.syllables))
        word = draw.rng.choice(SOUND_TABLE.syllables[count])
        return _say_words(bank, draw, [word], [make_number("num_syllables", count)])
    place = draw.rng.choice(list(SOUND_TABLE.stress))
    word = draw.rng.choice(SOUND_TABLE.stress[place])
    known = {number: f"The {word_ordinal(number)}" for number in (1, 2, 3)}
    facts = [make_choice("stressed_syllable", known[place], known.values()), make_number("num_syllables", 3)]
    return _say_words(bank, draw, [word], facts)


def make_pair(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say two words that differ in one sound, or one word twice."""
    pair = draw.shuffle(draw.rng.choice(SOUND_TABLE.pairs))
    is_same = draw.decide(0.5)
    said = [pair[0], pair[0]] if is_same else pair
    facts = [make_yes_no("same_word", is_true=is_same)]
    last = said[-1]
    other = pair[1] if last == pair[0] else pair[0]
    facts.append(Fact("second_word", capitalise(last), wrong=(capitalise(other),), pool=OWN))
    return _say_words(bank, draw, said, facts)


def make_onset(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Say words that begin with one sound, and one that does not."""
    sound, other = draw.rng.sample(list(SOUND_TABLE.onsets), 2)
    words = draw.rng.sample(SOUND_TABLE.onsets[sound], 3)
    odd = draw.rng.choice(SOUND_TABLE.onsets[other])
    facts = [Fact("odd_onset", capitalise(odd), wrong=tuple(map(capitalise, words)), pool=OWN)]
    return _say_words(bank, draw, draw.shuffle([*words, odd]), facts)


def make_spelling(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Spell a word."""
    known = [word for words in SOUND_TABLE.onsets.values() for word in words]
    word, *others = draw.rng.sample(known, 5)
    wrong = tuple(capitalise(one) for one in others)
    facts = [Fact("spelled_word", capitalise(word), wrong=wrong, pool=OWN), make_number("num_letters", len(word))]
    return _say_words(bank, draw, list(word.upper()), facts)


def _say_words(bank: VoiceBank, draw: Draw, words: list[str], facts: list[Fact]) -> ClipDraft:
    """Say words one by one."""
    voice = bank.draw(draw)
    how = Delivery(0.85 * draw.rng.uniform(0.9, 1.1), draw.rng.randint(40, 60))
    parts = [speak(voice, f"{word}.", how) for word in words]
    samples = join(parts, draw, shortest_s=0.25, longest_s=0.45)
    said = "single words" if len(words) > 1 else "a single word"
    return finish_speech([voice], draw, samples, facts, words=", ".join(words) + ".", said=said)
