"""The LALM that ships hears: real weights, real recordings."""

from pathlib import Path

import pytest

from deploy.console import demo
from lalm import catalog
from lalm.catalog import open_lalm
from lalm.prompting import build_messages
from lalm.train import run_files
from services.audio import load as audio
from services.protocols import LALM
from services.types import Question

SHIPPED = Path(catalog.__file__).with_name("earwitness-tiny")
MAX_BYTES = 25_000_000


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    demo.write_demo(folder)
    return folder


@pytest.fixture(scope="module")
def tiny() -> LALM:
    return open_lalm("earwitness-tiny")


def test_it_is_small_and_explains_itself() -> None:
    assert (SHIPPED / run_files.WEIGHTS).stat().st_size <= MAX_BYTES
    card = (SHIPPED / "README.md").read_text()
    assert "licence" in card.lower() and "Limitations" in card


@pytest.mark.weights
@pytest.mark.parametrize(
    ("clip", "text", "right", "wrong"),
    [
        ("heaven.wav", "What kind of audio is it?", "Speech", ("Music", "A sound of the surroundings")),
        ("drums.wav", "Which instrument is heard?", "Drum kit", ("Flute", "Church organ")),
        ("speech.wav", "Which language is spoken?", "English", ("Russian", "French")),
    ],
)
async def test_it_tells_real_recordings_apart(
    tiny: LALM, clips: Path, clip: str, text: str, right: str, wrong: tuple[str, ...]
) -> None:
    question = Question.ask(text, (wrong[0], right, *wrong[1:]))
    messages = build_messages(question, lists_options=False)
    reading = await tiny.choose(messages, audio.load(clips / clip), question.choices)
    assert reading.reply == "B", reading.probabilities


@pytest.mark.weights
async def test_it_replies_in_words(tiny: LALM, clips: Path) -> None:
    reading = await tiny.listen(
        build_messages(Question.ask("Which language is spoken?")), audio.load(clips / "speech.wav")
    )
    assert "english" in reading.reply.lower()
