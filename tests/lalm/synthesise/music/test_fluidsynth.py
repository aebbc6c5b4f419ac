"""FluidSynth plays the pitch, the time and the same samples again."""

import ctypes.util
from pathlib import Path

import numpy as np
import pytest

from lalm.synthesise.music.fluidsynth import Note, SoundFontPlayer
from services.errors import BadConfig
from services.types import SAMPLE_RATE

pytestmark = pytest.mark.skipif(ctypes.util.find_library("fluidsynth") is None, reason="needs libfluidsynth3")


def test_a_note_has_its_pitch_and_its_time(soundfont: Path) -> None:
    player = SoundFontPlayer(soundfont)
    samples = player.render([Note(81, 0.5, 1.0)], bank=0, program=40, tail_s=0.2)
    assert np.abs(samples[: round(0.45 * SAMPLE_RATE)]).max() < 1e-3
    spectrum = np.abs(np.fft.rfft(samples[round(0.6 * SAMPLE_RATE) : round(1.4 * SAMPLE_RATE)]))
    assert spectrum.argmax() / 0.8 == pytest.approx(880, abs=3)


def test_the_same_notes_give_the_same_samples_whatever_was_played_before(soundfont: Path) -> None:
    player = SoundFontPlayer(soundfont)
    first = player.render([Note(60, 0, 0.3)], bank=0, program=0)
    player.render([Note(72, 0, 0.3), Note(76, 0.1, 0.5)], bank=0, program=70)
    assert (player.render([Note(60, 0, 0.3)], bank=0, program=0) == first).all()


def test_presets_are_listed_and_others_refused(soundfont: Path, tmp_path: Path) -> None:
    player = SoundFontPlayer(soundfont)
    presets = {(one.bank, one.program): one.name for one in player.list_presets()}
    assert len(presets) == 136
    assert presets[128, 3] == "Preset 128 3"
    with pytest.raises(BadConfig, match="no preset 5 in bank 9"):
        player.render([Note(60, 0, 1)], bank=9, program=5)
    (tmp_path / "no.sf2").write_text("nothing")
    with pytest.raises(BadConfig, match="not a soundfont"):
        SoundFontPlayer(tmp_path / "no.sf2")
