import numpy as np
import pytest

from services.audio.load import load
from services.measurement.analyser import find_sound
from services.types import SAMPLE_RATE, AudioClip
from services.weights import store as weights


@pytest.fixture(scope="module")
def speech_and_silence() -> AudioClip:
    """Return 5 s of silence, 4 s of speech, 5 s of silence."""
    spoken = load(weights.ensure_folder("demo-speech") / "two_cities.wav").cut(1.2, 5.2).samples
    silence = np.zeros(5 * SAMPLE_RATE, np.float32)
    return AudioClip(np.concatenate([silence, spoken, silence]))


@pytest.mark.weights
@pytest.mark.parametrize("described", ["speech", "Somebody's speech"])
async def test_a_described_sound_is_found_where_it_is_heard(speech_and_silence: AudioClip, described: str) -> None:
    search = await find_sound(speech_and_silence, described)
    assert search.names
    spans = [one.span for one in search.found]
    assert spans and spans[0].start_s == pytest.approx(5, abs=0.3) and spans[-1].end_s == pytest.approx(9, abs=0.3)
    assert all(one.confidence >= 0.4 for one in search.found)


@pytest.mark.weights
async def test_a_sound_that_is_not_heard_has_names_and_one_that_nobody_knows_has_none(
    speech_and_silence: AudioClip,
) -> None:
    search = await find_sound(speech_and_silence, "a chainsaw")
    assert search.names == ("chainsaw",) and search.found == ()
    assert await find_sound(speech_and_silence, "xyzzy") == ((), ())
