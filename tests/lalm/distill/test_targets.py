"""Targets from metadata: the reply is what the metadata says, and no wrong option is right as well."""

import random
import re
from typing import Any

import pytest

from lalm.distill.metadata import Metadata
from lalm.distill.targets import QUESTIONS, TargetWriter
from lalm.messages import Conversation


def row(task: str, **fields: Any) -> Metadata:  # noqa: ANN401 - columns of every kind
    known = {"id": str(fields), "audio": "a.ogg", "duration": 5.0, "license": "CC0", "caption": "", **fields}
    return Metadata.model_validate({"task": task, **known})


SOUNDS = ("A dog barking", "A rooster crowing", "A crow cawing", "Rain falling", "A chainsaw", "A helicopter")
ROWS = {
    **{name: row("sound", labels=[name]) for name in SOUNDS},
    "order": row("sound", labels=SOUNDS[:3], order=SOUNDS[:3]),
    "background": row("speech", background="Rain falling", labels=["Rain falling"], language="English"),
    "digits": row("speech", transcript="four five five zero", language="English", speaker={"accent": "German"}),
    "words": row(
        "speech",
        transcript="The little garden behind the castle was full of yellow flowers.",
        language="English",
        speaker={"gender": "female"},
    ),
    "other words": row("speech", transcript="Nobody noticed that yellow engines whistle.", language="English"),
    "voices": row("speech", speakers=["male", "female", "female"], n_speakers=3, language="English"),
    "noisy": row("speech", quality="noise", language="English", speaker={"gender": "male"}),
    "clean": row("speech", quality="clean", language="French", speaker={"gender": "male"}),
    "scale": row("music", playing="scale", labels=["Oboe"], mode="minor", bpm=150),
    "chord": row("music", playing="chord", labels=["Banjo"], mode="augmented"),
    "melody": row("music", caption="Music: lute playing a melody in a minor key, about 70 BPM.", mode="minor"),
    "song": row("music", caption="A song with a chord progression.", title="Hello - live", mode="dorian"),
    "on hold": row("music", music_use="on hold", title="macroform-cold_day", labels=["instrumental"]),
    "announcement": row("speech", speech_kind="telephone announcement", translation="Press one.", transcript="Ett."),
    "book": row("speech", speech_kind="audiobook"),
    "loop": row("music", sample_kind="drum loop", labels=["funk"]),
    "part": row("music", sample_kind="instrument", labels=["funk"]),
    "strokes": row("music", labels=["egg shaker"], count=4),
    "metre": row("music", labels=["Drum kit"], bpm=70, meter="3/4"),
    "piece": row("music", labels=["orchestral", "game music"], title="the_king"),
    "piece 2": row("music", labels=["orchestral", "game music"], title="wanderer"),
}
WRITER = TargetWriter(ROWS.values())


def written(name: str, *, times: int = 30) -> list[Conversation]:
    return [one for seed in range(times) for one in WRITER.write_rows(ROWS[name], random.Random(seed))]


def replies(name: str, kind: str) -> set[str]:
    return {one.response for one in written(name) if one.question_kind == kind}


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("A dog barking", "sound", {"A dog barking"}),
        ("A dog barking", "sound_family", {"An animal", "Animal"}),
        ("A rooster crowing", "animal", {"A rooster", "Rooster"}),
        ("order", "first_sound", {"A dog barking"}),
        ("order", "second_sound", {"A rooster crowing"}),
        ("order", "last_sound", {"A crow cawing"}),
        ("order", "sound_order", {"A dog barking, then a rooster crowing, then a crow cawing"}),
        ("order", "num_sounds", {"Three", "3"}),
        ("background", "background", {"Rain falling"}),
        ("digits", "digits", {"Four five five zero", "4 5 5 0"}),
        ("digits", "digit_sum", {"14"}),
        ("digits", "largest_digit", {"Five", "5"}),
        ("digits", "num_digits", {"Four", "4"}),
        ("digits", "accent", {"German"}),
        ("words", "first_words", {"The little garden"}),
        ("words", "last_words", {"of yellow flowers"}),
        ("words", "gender", {"A woman", "Female", "A female voice"}),
        ("words", "num_speakers", {"One", "1"}),
        ("voices", "num_speakers", {"Three", "3"}),
        ("voices", "num_women", {"Two", "2"}),
        ("voices", "speaker_order", {"A man, then a woman, then a woman"}),
        ("noisy", "has_defect", {"Yes"}),
        ("clean", "has_defect", {"No"}),
        ("clean", "language", {"French"}),
        ("scale", "scale", {"Natural minor scale"}),
        ("scale", "instrument_family", {"Woodwind"}),
        ("scale", "tempo", {"150 BPM", "About 150 beats per minute"}),
        ("scale", "tempo_word", {"Fast", "A fast tempo"}),
        ("metre", "tempo_word", {"Slow", "A slow tempo"}),
        ("metre", "beats_per_bar", {"Three", "3"}),
        ("chord", "chord", {"Augmented"}),
        ("chord", "playing", {"A chord, then its notes one by one"}),
        ("melody", "playing", {"A melody"}),
        ("melody", "key_mode", {"Minor", "A minor key"}),
        ("song", "title", {"Hello live"}),
        ("on hold", "title", {"Cold day"}),
        ("on hold", "vocals", {"Instrumental", "No vocals"}),
        ("on hold", "music_use", {"On a telephone line, while waiting", "Music on hold"}),
        ("announcement", "speech_kind", {"A telephone announcement"}),
        ("announcement", "meaning", {"Press one."}),
        ("loop", "music_sound", {"A drum loop"}),
        ("strokes", "count", {"Four", "4"}),
        ("piece", "genre", {"Orchestral game music"}),
        ("piece", "title", {"The king"}),
    ],
)
def test_the_reply_is_what_the_metadata_says(name: str, kind: str, expected: set[str]) -> None:
    assert replies(name, kind) == expected


def test_nothing_is_asked_that_the_metadata_does_not_say() -> None:
    kinds = {name: {one.question_kind for one in written(name)} for name in ("song", "part", "piece")}
    assert not kinds["song"] & {"chord", "scale", "key_mode", "playing", "vocals", "music_use", "genre"}
    assert "music_sound" not in kinds["part"]
    assert not kinds["piece"] & {"vocals", "music_use"}


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"task": "speech", "quality": "hum"}, {"quality"}),
        ({"task": "sound", "labels": ["a baby"], "reason": "lonely"}, {"cry_reason"}),
        ({"task": "sound", "order": ["A dog"]}, {"first_sound", "sound_order"}),
        ({"task": "music", "meter": "waltz"}, {"meter", "beats_per_bar"}),
        ({"task": "music", "labels": [""]}, {"instrument", "music_sound"}),
    ],
)
def test_a_value_that_no_wording_is_known_for_gives_no_question(fields: dict[str, Any], kinds: set[str]) -> None:
    asked = {one.question_kind for one in WRITER.write_rows(row(**fields), random.Random(0))}
    assert not asked & kinds


@pytest.mark.parametrize(
    ("caption", "corrected"),
    [
        ("3 strokes on a egg shaker.", "3 strokes on an egg shaker."),
        ("A one-man band in a university; a unicorn.", "A one-man band in a university; a unicorn."),
    ],
)
def test_articles_of_a_caption_are_corrected_and_right_ones_kept(caption: str, corrected: str) -> None:
    described = row("music", caption=caption)
    assert {c.response for c in WRITER.write_rows(described, random.Random(1)) if c.style == "describe"} == {corrected}


@pytest.mark.parametrize("name", [name for name in ROWS if name not in {"part", "book"}])
def test_the_reply_is_one_of_two_to_five_different_options_in_any_place(name: str) -> None:
    places = set()
    for one in written(name):
        if one.style == "multiple_choice":
            options = re.findall(r"^[A-E]\. (.+)$", one.prompt, flags=re.MULTILINE)
            assert 2 <= len(options) <= 5
            assert len({option.lower() for option in options}) == len(options)
            places.add(options.index(one.response))
    assert {0, 1} <= places


@pytest.mark.slow
def test_a_word_that_is_said_is_not_a_wrong_option() -> None:
    said = set(re.findall(r"\w+", ROWS["words"].transcript.lower()))
    for one in written("words", times=100):
        if one.question_kind == "word":
            options = re.findall(r"^[A-E]\. (.+)$", one.prompt, flags=re.MULTILINE)
            assert [option for option in options if option.lower() in said] == [one.response]


@pytest.mark.slow
def test_presence_is_true_as_often_as_false_and_right() -> None:
    heard = [one for one in written("Rain falling", times=200) if one.question_kind == "presence"]
    assert all((one.response == "Yes") == ("rain falling" in one.prompt.lower()) for one in heard)
    assert 0.35 < sum(one.response == "Yes" for one in heard) / len(heard) < 0.65


def test_the_same_random_numbers_give_the_same_rows_and_others_other_wordings() -> None:
    one, same, other = (WRITER.write_rows(ROWS["voices"], random.Random(seed)) for seed in (1, 1, 2))
    assert one == same
    assert {row.prompt for row in one} != {row.prompt for row in other}


def test_every_kind_is_worded_in_at_least_six_ways() -> None:
    assert all(len(set(wordings)) == len(wordings) >= 6 for wordings in QUESTIONS.values())


def test_a_row_hears_its_clip_and_says_that_it_is_metadata() -> None:
    one = written("words", times=1)[0]
    assert (one.audio_paths, one.source) == (("a.ogg",), "metadata")
    assert one.audios[0].text == ROWS["words"].transcript
    assert one.turns[-1].content.startswith("<start_audio><|AUDIO|><end_audio>\n\n")
