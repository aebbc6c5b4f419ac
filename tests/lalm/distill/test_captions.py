"""Facts that stand in captions of one corpus, and in columns of their own elsewhere."""

from typing import Any

import pytest

from lalm.distill.captions import CaptionFacts, read_caption
from lalm.distill.metadata import Metadata, MetadataSpan


def caption(text: str, **fields: Any) -> Metadata:  # noqa: ANN401 - columns of every kind
    given = {"id": "1", "audio": "a.ogg", "duration": 5.0, "license": "CC0", "caption": text, "task": "speech"}
    return Metadata.model_validate(given | fields)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Read speech by one adult male speaker, English, with background sound: a dog barking.", "read speech"),
        ('Read speech (audiobook), one adult male speaker, English. Transcript: "Up."', "audiobook"),
        ('Telephone announcement, one adult male speaker, Italian. English meaning: "no"', "telephone announcement"),
        ('Short spoken description in Catalan. Transcript: "Una pilota."', "picture description"),
        ("Read aloud by a robot. Telephone announcement", None),
        ("One adult male speaker (German accent, English) says 1 digit: eight.", None),
    ],
)
def test_the_kind_of_speech_is_what_a_caption_begins_with(text: str, kind: str | None) -> None:
    assert read_caption(caption(text)).speech_kind == kind


def test_spans_say_what_is_heard_and_who_speaks() -> None:
    speech = read_caption(caption("Two speakers: [0.0s-3.0s] adult male speaker; [63.3s-66.3s] adult female speaker."))
    assert speech.spans == (
        MetadataSpan(start_s=0, end_s=3, text="adult male"),
        MetadataSpan(start_s=63.3, end_s=66.3, text="adult female"),
    )
    sound = read_caption(caption("In order: [0.0s-2.5s] rain falling; [2.8s-5.2s] a cat.", task="sound"))
    assert [one.text for one in sound.spans] == ["rain falling", "a cat"]
    assert read_caption(caption("Sound event: a cat.", task="sound")).spans == ()


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ('Instrumental music (music on hold); title: "cold day".', "Instrumental music (music on hold)"),
        ('Orchestral game music, instrumental; title of the piece: "knolls".', "Orchestral game music, instrumental"),
        ("Jazz trio; double bass solo.", "Jazz trio; double bass solo"),
    ],
)
def test_a_piece_of_music_is_described_without_its_title(text: str, piece: str) -> None:
    assert read_caption(caption(text, task="music")).piece == piece


@pytest.mark.parametrize(
    ("text", "playing", "use", "sample_kind"),
    [
        ("Music: banjo playing a augmented chord, then its notes one by one, about 130 BPM.", "chord", None, None),
        ("Music: marimba playing a natural minor scale up and down, about 70 BPM.", "scale", None, None),
        ("Music: oboe playing a melody in a minor key, about 70 BPM.", "melody", None, None),
        ('Instrumental music (music on hold) over a telephone; title: "cold day".', None, "on hold", None),
        ('Orchestral game music, instrumental; title of the piece: "knolls".', None, "game", None),
        ("Music sample (bass loop): techno bass.", None, None, "bass loop"),
        ("A pop song with a chord progression; a scale is played on hold. Music sample (drum loop).", None, None, None),
    ],
)
def test_what_is_played_stands_in_whole_phrases(
    text: str, playing: str | None, use: str | None, sample_kind: str | None
) -> None:
    found = read_caption(caption(text, task="music"))
    assert (found.playing, found.music_use, found.sample_kind) == (playing, use, sample_kind)


def test_a_column_goes_before_the_caption() -> None:
    stated = CaptionFacts(
        speech_kind="audiobook",
        translation="Good day.",
        spans=(MetadataSpan(start_s=0, end_s=1, text="a man"),),
        playing="scale",
        music_use="game",
        sample_kind="drum loop",
        piece="",
    )
    columns = {name: value for name, value in stated._asdict().items() if name != "piece"}
    text = 'Telephone announcement. [0.0s-2.0s] a woman. English meaning: "no"'
    assert read_caption(caption(text, **columns))._replace(piece="") == stated
