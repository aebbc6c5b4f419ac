import numpy as np
import pytest

from services.audio.load import load
from services.errors import ModelError
from services.measurement.alternatives import list_alternatives, merge_texts
from services.types import AudioClip
from services.weights import store as weights


def test_texts_of_the_same_words_are_one_alternative_in_its_likeliest_spelling() -> None:
    merged = merge_texts([("the blue fold", 0.2), ("The Bluefolder.", 0.2), ("the bluefolder", 0.4), ("…", 0.2)])
    assert [one.text for one in merged] == ["the bluefolder", "the blue fold"]
    assert [one.share for one in merged] == pytest.approx([0.75, 0.25])
    assert merge_texts([]) == ()


async def test_an_asr_without_a_beam_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="'other' gives no alternatives; these do: whisper-base"):
        await list_alternatives(AudioClip(np.zeros(1600, np.float32)), "other")


@pytest.mark.weights
async def test_the_likeliest_alternative_is_what_is_said_and_silence_has_none() -> None:
    speech = load(weights.ensure_folder("demo-speech") / "two_cities.wav").cut(1.1, 3.2)
    (window,) = await list_alternatives(speech, "whisper-base")
    assert "it was the best of times" in window.texts[0].text.lower() and window.language == "en"
    assert 0 <= window.start_s < window.end_s <= speech.duration_s
    assert sum(one.share for one in window.texts) == pytest.approx(1)
    assert await list_alternatives(AudioClip(np.zeros(8_000, np.float32)), "whisper-base") == ()
