"""Captions of other people's corpora, as they stand in their metadata."""

from typing import Any

import pytest

from lalm.distill.captions import CaptionedSpan, read_caption
from lalm.distill.metadata import Metadata


def caption(text: str, **fields: Any) -> Metadata:  # noqa: ANN401 - columns of every kind
    given = {"id": "1", "audio": "a.ogg", "duration": 5.0, "license": "CC0", "caption": text, "task": "speech"}
    return Metadata.model_validate(given | fields)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Read speech by one adult male speaker, English, with background sound: a dog barking.", "Read speech"),
        ('Read speech (audiobook), one adult male speaker, English. Transcript: "Up."', "Read speech (audiobook)"),
        ('Telephone announcement, one adult male speaker, Italian. English meaning: "no"', "Telephone announcement"),
        ("One adult male speaker (German accent, English) says 1 digit: eight.", None),
    ],
)
def test_the_kind_of_speech_is_what_a_caption_begins_with(text: str, kind: str | None) -> None:
    assert read_caption(caption(text)).speech_kind == kind


def test_spans_say_what_is_heard_and_who_speaks() -> None:
    speech = read_caption(caption("Two speakers: [0.0s-3.0s] adult male speaker; [63.3s-66.3s] adult female speaker."))
    assert speech.spans == (CaptionedSpan(0, 3, "adult male"), CaptionedSpan(63.3, 66.3, "adult female"))
    sound = read_caption(caption("In order: [0.0s-2.5s] rain falling; [2.8s-5.2s] a cat.", task="sound"))
    assert [one.content for one in sound.spans] == ["rain falling", "a cat"]
    assert read_caption(caption("Sound event: a cat.", task="sound")).spans == ()


def test_a_piece_of_music_is_named_up_to_the_first_semicolon() -> None:
    found = read_caption(caption("Music: oboe playing a melody, about 70 BPM; rendered.", task="music"))
    assert found.piece == "Music: oboe playing a melody, about 70 BPM"
