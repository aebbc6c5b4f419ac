"""Facts about speech from metadata: gender, number and order of speakers, language, words."""

import random
import re
from collections.abc import Mapping

from lalm.distill.captions import read_caption
from lalm.distill.facts import (
    OWN,
    THEN,
    Fact,
    Wordings,
    capitalise,
    capitalise_first,
    look_up_wordings,
    make_number,
    make_worded_choice,
    make_yes_no,
    word_number,
)
from lalm.distill.metadata import Metadata, SpeechKind
from services.number_words import UNITS

PERSON: Mapping[str, Wordings] = {
    "male": ("A man", "Male", "A male voice"),
    "female": ("A woman", "Female", "A female voice"),
}
DIGITS = UNITS[:10]
MAX_OPTION_WORDS = 14
MAX_TRANSCRIPT_WORDS = 40  # of a transcript that is asked for
MIN_WORD_LETTERS = 5  # of a word that is asked for
SHARE_OF_LONE_VOICES_COUNTED = 0.1  # so that "one" is not nearly always the number of speakers
SHARE_OF_ENGLISH_NAMED = 0.25  # so that English is not nearly always the language
SHARE_OF_DEFECTS_CONFIRMED = 0.2  # so that a defect is not nearly always confirmed
SPEECH_KINDS: Mapping[SpeechKind, str] = {
    "telephone announcement": "A telephone announcement",
    "audiobook": "Reading from a book",
    "picture description": "A short spoken description of a picture",
}


def read_speech_facts(row: Metadata, rng: random.Random) -> list[Fact]:
    """Read the facts about speech; none for other clips."""
    if row.task != "speech":
        return []
    return (
        _state_voices(row, rng)
        + _state_manner(row, rng)
        + (_state_digits(row, rng) if _read_digits(row) else _state_words(row, rng))
    )


def _state_voices(row: Metadata, rng: random.Random) -> list[Fact]:
    if row.speakers:
        voices = [PERSON[one][0] for one in row.speakers]
        return [
            make_number("num_speakers", len(voices)),
            make_number("num_women", voices.count("A woman"), lowest=0),
            make_number("num_men", voices.count("A man"), lowest=0),
            make_worded_choice("first_speaker", row.speakers[0], PERSON),
            make_worded_choice("last_speaker", row.speakers[-1], PERSON),
            Fact("speaker_order", _state_sequence(row.speakers), wrong=_draw_other_sequences(row.speakers, rng)),
        ]
    facts = [make_worded_choice("gender", row.speaker.gender, PERSON)] if row.speaker.gender else []
    if row.speaker.gender and rng.random() < SHARE_OF_LONE_VOICES_COUNTED:
        facts.append(make_number("num_speakers", 1))
    if row.speaker.accent:
        facts.append(Fact("accent", capitalise(row.speaker.accent)))
    return facts


def _state_sequence(genders: tuple[str, ...]) -> Wordings:
    return (capitalise_first(THEN.join(PERSON[one][0].lower() for one in genders)),)


def _draw_other_sequences(genders: tuple[str, ...], rng: random.Random) -> tuple[Wordings, ...]:
    """Return wrong sequences of speakers, with the same number of speakers or one more."""
    lengths = (len(genders), len(genders), min(len(genders) + 1, 4))
    drawn = {tuple(rng.choice(("male", "female")) for _ in range(rng.choice(lengths))) for _ in range(24)}
    return tuple(_state_sequence(one) for one in sorted(drawn - {genders})[:6])


def _state_manner(row: Metadata, rng: random.Random) -> list[Fact]:
    facts = []
    if row.language and (row.language != "English" or rng.random() < SHARE_OF_ENGLISH_NAMED):
        facts.append(Fact("language", capitalise(row.language)))
    kind = read_caption(row).speech_kind
    if kind and kind in SPEECH_KINDS:
        facts.append(Fact("speech_kind", (SPEECH_KINDS[kind],)))
    if row.quality:
        if wordings := look_up_wordings("quality", row.quality):
            facts.append(Fact("quality", wordings))
        if row.quality == "clean" or rng.random() < SHARE_OF_DEFECTS_CONFIRMED:
            facts.append(make_yes_no("has_defect", is_true=row.quality != "clean"))
    return facts


def _read_digits(row: Metadata) -> list[int]:
    words = row.transcript.lower().split()
    return [DIGITS.index(word) for word in words] if set(words) <= set(DIGITS) else []


def _state_digits(row: Metadata, rng: random.Random) -> list[Fact]:
    digits = _read_digits(row)
    first, last, largest = (word_number(one) for one in (digits[0], digits[-1], max(digits)))
    facts = [
        Fact("digits", _read_out(digits), wrong=_draw_other_digits(digits, rng), pool=OWN),
        make_number("num_digits", len(digits)),
    ]
    if len(digits) == 1:
        return facts
    others = tuple(map(word_number, rng.sample(range(10), 10)))
    return [
        *facts,
        Fact("first_digit", first, wrong=_leave_out(first, others), pool=OWN),
        Fact("last_digit", last, wrong=_leave_out(last, others), pool=OWN),
        Fact("largest_digit", largest, wrong=_leave_out(largest, others), pool=OWN),
        make_number("digit_sum", sum(digits)),
    ]


def _leave_out(right: Wordings, others: tuple[Wordings, ...]) -> tuple[Wordings, ...]:
    return tuple(one for one in others if one != right)


def _read_out(digits: list[int]) -> Wordings:
    text = " ".join(DIGITS[one] for one in digits)
    return (capitalise_first(text), " ".join(map(str, digits)))


def _draw_other_digits(digits: list[int], rng: random.Random) -> tuple[Wordings, ...]:
    """Return sequences that differ in one digit, and one without the last."""
    changed = set()
    for _ in range(12):
        place = rng.randrange(len(digits))
        changed.add(tuple(rng.randrange(10) if i == place else one for i, one in enumerate(digits)))
    if len(digits) > 1:
        changed.add(tuple(digits[:-1]))
    return tuple(_read_out(list(one)) for one in sorted(changed - {tuple(digits)}, key=lambda _: rng.random())[:6])


def _state_words(row: Metadata, rng: random.Random) -> list[Fact]:
    facts = []
    said = row.transcript.strip()
    words = said.split()
    pool = f"{row.language} words"
    if 1 < len(words) <= MAX_TRANSCRIPT_WORDS:
        is_short = len(words) <= MAX_OPTION_WORDS
        facts.append(Fact("said", (said,), pool=f"said in {row.language}", is_choice=is_short))
    if len(words) >= 6:
        facts.append(Fact("first_words", (_strip_punctuation(words[:3]),), pool=f"first {row.language}"))
        facts.append(Fact("last_words", (_strip_punctuation(words[-3:]),), pool=f"last {row.language}"))
    if asked := sorted({word for word in _split_words(said) if len(word) >= MIN_WORD_LETTERS}):
        spoken = frozenset(_split_words(said))
        facts.append(Fact("word", capitalise(rng.choice(asked)), also_true=spoken, pool=pool, is_open=False))
    translation = read_caption(row).translation
    if 1 < len(translation.split()) <= MAX_OPTION_WORDS:
        facts.append(Fact("meaning", (translation,)))
    return facts


def _strip_punctuation(words: list[str]) -> str:
    return " ".join(words).strip(" .,;:!?\"'")


def _split_words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
