"""The demo: real recordings from packages whose licence allows it, questions with answers, and a training in miniature.

The speaker reads the opening of Dickens's "A Tale of Two Cities"; what the other two recordings
hold is what their packages say of them.
"""

import json
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import soundfile

from services.errors import BadConfig
from services.files import write_atomic
from services.types import Value
from services.weights import store as weights


class Excerpt(Value):
    """A stretch of a packaged recording that becomes a demo clip."""

    clip: str
    """File name of the demo clip."""
    weights: str
    """Catalogue name of the recording."""
    file: str
    start_s: float
    end_s: float


EXCERPTS = (
    Excerpt(clip="speech.wav", weights="demo-speech", file="two_cities.wav", start_s=0.5, end_s=8.2),
    Excerpt(clip="heaven.wav", weights="demo-speech", file="two_cities.wav", start_s=24.0, end_s=28.2),
    Excerpt(clip="water.wav", weights="demo-water", file="water.wav", start_s=5.0, end_s=15.0),
    Excerpt(clip="drums.wav", weights="demo-drums", file="drumloop.wav", start_s=0.0, end_s=6.0),
)


TRAINING = ("distill.yaml", "train.yaml")
"""Configurations of `lalm.distill` and `lalm.train`, here with `demo-` before their names."""


def write_demo(folder: Path) -> Path:
    """Write the demo clips, `demo.json` (questions in the MMAU schema) and what a training needs; return `demo.json`.

    For a training: `metadata.jsonl`, a line a clip, and the configurations `distill.yaml` and `train.yaml`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"'{folder}' cannot be made a folder: {error.strerror}.") from error
    for excerpt in EXCERPTS:
        _cut(excerpt, folder / excerpt.clip)
    here = files("deploy.console")
    rows = json.loads(here.joinpath("demo-metadata.json").read_text())
    write_atomic(folder / "metadata.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    for name in TRAINING:
        write_atomic(folder / name, here.joinpath(f"demo-{name}").read_text())
    questions = json.loads(here.joinpath("demo.json").read_text())
    path = folder / "demo.json"
    write_atomic(path, json.dumps(questions, indent=1) + "\n")
    return path


def _cut(excerpt: Excerpt, target: Path) -> None:
    with soundfile.SoundFile(weights.ensure_folder(excerpt.weights) / excerpt.file) as recording:
        recording.seek(round(excerpt.start_s * recording.samplerate))
        num_frames = round((excerpt.end_s - excerpt.start_s) * recording.samplerate)
        file = BytesIO()  # written into a file, a full disk is not an OSError
        soundfile.write(file, recording.read(num_frames, dtype="int16"), recording.samplerate, format="WAV")
    write_atomic(target, file.getvalue())
