"""The demo: real recordings from packages whose licence allows it, and questions whose answers are known.

The speaker reads the opening of Dickens's "A Tale of Two Cities"; what the other two recordings
hold is what their packages say of them.
"""

import json
from importlib.resources import files
from pathlib import Path

import soundfile

from services.errors import BadConfig
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


def write(folder: Path) -> Path:
    """Write the demo clips and `demo.json`, their questions in the MMAU schema; return the path of the latter."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"'{folder}' cannot be made a folder: {error.strerror}.") from error
    for excerpt in EXCERPTS:
        _cut(excerpt, folder / excerpt.clip)
    questions = json.loads(files("deploy.console").joinpath("demo.json").read_text())
    path = folder / "demo.json"
    path.write_text(json.dumps(questions, indent=1) + "\n")
    return path


def _cut(excerpt: Excerpt, target: Path) -> None:
    with soundfile.SoundFile(weights.folder(excerpt.weights) / excerpt.file) as recording:
        recording.seek(round(excerpt.start_s * recording.samplerate))
        num_frames = round((excerpt.end_s - excerpt.start_s) * recording.samplerate)
        soundfile.write(target, recording.read(num_frames, dtype="int16"), recording.samplerate)
