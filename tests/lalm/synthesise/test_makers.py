"""Every kind of clip: its facts can be asked, no wrong answer is right, and what is heard fits what is said."""

import ctypes.util
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lalm.distill.targets import QUESTIONS
from lalm.synthesise.draft import ClipDraft, Draw, NoSource
from lalm.synthesise.makers import MAKERS, make_clip
from lalm.synthesise.music.fluidsynth import SoundFontPlayer
from lalm.synthesise.music.instruments import Orchestra
from lalm.synthesise.sounds.events import EventShelf
from lalm.synthesise.sounds.recordings import RecordingShelf
from lalm.synthesise.speech import voices
from lalm.synthesise.speech.voices import Delivery, SyntheticVoice, VoiceBank
from lalm.synthesise.studio import Studio
from services.errors import BadConfig
from services.types import SAMPLE_RATE

MIN_WORDINGS = 6


@pytest.fixture(scope="module")
def studio(recordings: Path, soundfont: Path) -> Iterator[Studio]:
    """Return a studio with noise for voices, so that no synthesiser is needed."""

    def make_noise(voice: SyntheticVoice, text: str, how: Delivery = Delivery()) -> np.ndarray:  # noqa: B008 - frozen
        seconds = 0.05 * len(text) / how.rate
        return np.random.default_rng(len(text)).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)

    shelf = RecordingShelf(recordings, ("NC",), (r"^reader:(\d+)-",), seed=3)
    orchestra = None
    if ctypes.util.find_library("fluidsynth"):
        orchestra = Orchestra({"sine": SoundFontPlayer(soundfont)}, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("sayings", "scripts", "languages", "phonetics"):
            patch.setattr(f"lalm.synthesise.speech.{name}.speak", make_noise)
        yield Studio(EventShelf(shelf), orchestra, VoiceBank(("espeak-ng",), 3), shelf)


def draw_some(studio: Studio, name: str, count: int = 4) -> list[ClipDraft]:
    """Make clips of a kind, or skip where FluidSynth is not installed."""
    made = []
    for number in range(count):
        try:
            made.append(MAKERS[name].make(studio, Draw(f"{name} {number}", "train")))
        except NoSource as error:
            if studio.orchestra is None:
                pytest.skip(str(error))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_every_kind_of_clip_states_facts_that_can_be_asked(studio: Studio, name: str) -> None:
    made = draw_some(studio, name)
    assert made
    for draft in made:
        assert draft.samples.dtype == np.float32
        assert np.isfinite(draft.samples).all()
        assert 0.05 < np.abs(draft.samples).max() <= 1
        for fact in draft.facts:
            assert len(QUESTIONS[fact.kind]) >= MIN_WORDINGS, fact.kind
            assert all("{about}" not in wording or fact.about for wording in QUESTIONS[fact.kind])
            wrong = {words[0].lower() for words in fact.wrong}
            assert fact.answer[0].lower() not in wrong
            assert all(len(words) == len(fact.answer) for words in fact.wrong)


@pytest.mark.slow
def test_a_kind_that_has_no_source_is_replaced(recordings: Path) -> None:
    bare = Studio(EventShelf(RecordingShelf(recordings, (), (), seed=3)))
    kinds = {make_clip(bare, Draw(f"{number}", "train"), {}).kind for number in range(12)}
    assert len(kinds) > 3
    assert not kinds & {"chord", "script", "style", "real speakers"}
    with pytest.raises(NoSource):
        make_clip(bare, Draw("0", "train"), {name: 0 for name in MAKERS if name != "chord"})


@pytest.mark.slow
def test_strokes_are_as_many_as_is_said(studio: Studio) -> None:
    for draft in draw_some(studio, "strokes", 8):
        (count,) = (int(fact.answer[1]) for fact in draft.facts if fact.kind == "count")
        assert f"{count} stroke" in draft.caption


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_a_voice_speaks_without_silence_around_it() -> None:
    voice = next(one for one in voices.list_voices() if one.engine == "espeak-ng" and one.language == "English")
    slow, fast = (voices.speak(voice, "One, two, three.", Delivery(rate)) for rate in (0.7, 1.6))
    assert len(slow) > 1.5 * len(fast)
    assert np.abs(slow[-1600:]).max() > 0.005


def test_a_voice_that_says_nothing_is_not_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = replace(voices.COMMANDS["flite"], build=lambda voice, text, how, file: ("touch", str(file)))
    monkeypatch.setitem(voices.COMMANDS, "flite", silent)
    voice = next(one for one in voices.list_voices() if one.engine == "flite")
    with pytest.raises(NoSource, match="cannot say 'hm'"):
        voices.speak(voice, "hm")


def test_a_synthesiser_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = replace(voices.COMMANDS["flite"], build=lambda voice, text, how, file: ("no-such-synthesiser",))
    monkeypatch.setitem(voices.COMMANDS, "flite", missing)
    voice = next(one for one in voices.list_voices() if one.engine == "flite")
    with pytest.raises(BadConfig, match="`apt-get install flite`"):
        voices.speak(voice, "hm")
