"""DeSTA's seed descriptions."""

from typing import Any

import pytest

from lalm.distill.description import describe_clip
from lalm.distill.metadata import Metadata


def row(**fields: Any) -> Metadata:  # noqa: ANN401 - columns of every kind
    return Metadata.model_validate(
        {"id": "1", "audio": "a.ogg", "duration": 5.0, "license": "CC0", "caption": "", **fields}
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"task": "sound", "labels": ["A dog barking"]}, "[00:00-00:05] (Sound: a dog barking)"),
        (
            {"task": "sound", "caption": "Sound events in order: [0.0s-2.5s] rain falling; [2.8s-5.2s] a cat."},
            "[00:00-00:02] (Sound: rain falling)\n[00:03-00:05] (Sound: a cat)",
        ),
        (
            {
                "task": "speech",
                "caption": "Speech by 2 different speakers, English: [0.0s-3.0s] adult male speaker; "
                "[63.3s-66.3s] adult female speaker.",
            },
            "[00:00-00:03] (Speaker: adult male)\n[01:03-01:06] (Speaker: adult female)",
        ),
        (
            {
                "task": "speech",
                "transcript": "Activated.",
                "language": "English",
                "speaker": {"gender": "female", "age": "adult"},
                "duration": 1.06,
            },
            "[00:00-00:01] Activated. (Gender: female, Age: adult, Language: English)",
        ),
        (
            {
                "task": "speech",
                "caption": 'Short spoken description. English meaning: "A tennis ball."',
                "transcript": "Una pilota de tenis.",
                "language": "Catalan",
            },
            "[00:00-00:05] Una pilota de tenis. (Language: Catalan, English meaning: A tennis ball.)",
        ),
        (
            {"task": "music", "caption": "Music: oboe playing a melody in a minor key, about 70 BPM.", "bpm": 70},
            "[00:00-00:05] (Music: oboe playing a melody in a minor key, about 70 BPM, Tempo: 70 BPM)",
        ),
        (
            {"task": "sound", "labels": ["A baby crying"], "reason": "belly_pain", "age": "0 to 4 weeks"},
            "[00:00-00:05] (Sound: a baby crying, Reason: belly pain, Age: 0 to 4 weeks)",
        ),
    ],
)
def test_a_clip_in_words(fields: dict[str, Any], expected: str) -> None:
    assert describe_clip(row(**fields)) == expected
