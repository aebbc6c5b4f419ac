import numpy as np
import pytest

from lalm.runtimes.transcript import transcribe
from services.scripted.ears import ScriptedEars
from services.types import AudioClip

CLIP = AudioClip(np.zeros(16_000, np.float32))


async def test_a_model_without_an_asr_is_given_no_transcript() -> None:
    assert await transcribe(None, CLIP) == ()


async def test_the_words_are_given_and_nothing_else_that_the_asr_states() -> None:
    asr = ScriptedEars(words=lambda clip: ("good morning",))
    assert {one.kind for one in await asr.transcribe(CLIP)} >= {"transcript"}
    assert [one.text for one in await transcribe(asr, CLIP)] == ["good morning"]


@pytest.mark.slow
async def test_of_a_long_recording_as_much_is_transcribed_as_a_prompt_has_room_for() -> None:
    asked: list[float] = []

    def say(clip: AudioClip) -> tuple[str, ...]:
        asked.append(clip.duration_s)
        return ("word " * 50,)

    said = await transcribe(ScriptedEars(words=say), AudioClip(np.zeros(600 * 16_000, np.float32)))
    assert len(asked) == len(said) == 2  # 250 characters each, of ten parts
    assert said[1].start_s == round(asked[0], 2)
