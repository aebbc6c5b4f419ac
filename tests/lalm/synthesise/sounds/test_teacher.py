"""What the teacher hears becomes an answer only where it agrees with what is known of the recording."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lalm.synthesise.draft import Draw, Floats
from lalm.synthesise.sounds.events import EventShelf
from lalm.synthesise.sounds.mixtures import state_names
from lalm.synthesise.sounds.models import SOUND_MODELS
from lalm.synthesise.sounds.recordings import RecordingShelf
from lalm.synthesise.sounds.teacher import TeacherTags, YamNetTeacher
from services.types import SAMPLE_RATE

QUIET = np.zeros(3 * SAMPLE_RATE, np.float32)


@pytest.fixture(scope="module")
def teacher() -> YamNetTeacher:
    return YamNetTeacher()


def render(name: str) -> Floats:
    model = next(one for one in SOUND_MODELS if one.name == name)
    return np.asarray(model.render(Draw("a", "train"), 3.0), np.float32)


def test_a_class_that_the_known_label_excludes_is_heard_but_not_right(teacher: YamNetTeacher) -> None:
    """A sound that is hardly audible is not silence, whatever the teacher takes it for."""
    tags = teacher.tag(QUIET, ["A helicopter"])
    assert tags.heard == ("Silence",)
    assert tags.right == ()


def test_classes_that_agree_with_the_label_are_right(teacher: YamNetTeacher) -> None:
    gunshots, glasses = (teacher.tag(render(name), [name]) for name in ("Gunshots", "Glasses clinking"))
    assert gunshots.right == gunshots.heard == ("Gunshot, gunfire", "Explosion")
    assert "Glass" in glasses.right
    assert {"Chime", "Bell"} <= set(glasses.heard) - set(glasses.right)


def test_a_label_of_many_words_and_a_wider_class_agree(teacher: YamNetTeacher) -> None:
    akin = teacher.tag(QUIET, ["A helicopter"]).akin
    assert {"Helicopter", "Vehicle"} <= set(akin)
    assert not {"Silence", "Animal", "Music", "Bird"} & set(akin)


def test_nothing_is_right_about_a_label_that_the_teacher_has_no_name_for(teacher: YamNetTeacher) -> None:
    tags = teacher.tag(render("Gunshots"), ["Zrblgx"])
    assert tags.heard
    assert (tags.right, tags.akin) == ((), ())


def write_recording(folder: Path) -> Path:
    """Write one recording of a helicopter; return its metadata."""
    soundfile.write(folder / "a.wav", np.random.default_rng(5).normal(0, 0.1, 2 * SAMPLE_RATE), SAMPLE_RATE)
    row = {"id": "a", "audio": "a.wav", "duration": 2.0, "caption": "A helicopter.", "license": "CC0", "task": "sound"}
    metadata = folder / "clips.jsonl"
    metadata.write_text(json.dumps({**row, "labels": ["A helicopter"]}))
    return metadata


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        (TeacherTags(("Silence",)), None),
        (TeacherTags(("Silence", "Vehicle"), ("Vehicle",), ("Vehicle", "Helicopter")), "Vehicle"),
    ],
)
def test_the_question_for_a_label_is_asked_only_where_one_is_right(
    tmp_path: Path, tags: TeacherTags, answer: str | None
) -> None:
    recordings = RecordingShelf(write_recording(tmp_path), (), (), 3, lambda _samples, _labels: tags)
    shelf, draw = EventShelf(recordings), Draw("a", recordings.recordings[0].side)
    event = shelf.draw_named(draw, "A helicopter", 3.0)
    asked = [fact for fact in state_names(event, shelf, draw) if fact.kind == "sound_tag"]
    assert [fact.answer for fact in asked] == ([(answer,)] if answer else [])
    assert all("helicopter" in fact.also_true for fact in asked)  # AudioSet's name, which is no wrong option
    assert "silence" in event.also_true
