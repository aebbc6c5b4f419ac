"""Rules that scripted models follow."""

import numpy as np
import pytest

from services.errors import ModelError
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import fail_with, weigh
from services.types import AudioClip, Message, Question

CLIP = AudioClip(np.zeros(160, np.float32))
PROMPT = (Message(role="user", content="What is heard?"),)
CHOICES = Question.ask("", ("Rain", "Wind")).choices


async def test_the_same_weights_serve_an_llm_and_a_lalm() -> None:
    llm, lalm = ScriptedLLM(choose=weigh(0.25, 0.75)), ScriptedLALM(choose=weigh(0.25, 0.75))
    read, heard = await llm.choose(PROMPT, CHOICES), await lalm.choose(PROMPT, CLIP, CHOICES)
    assert read == heard
    assert (read.reply, read.probabilities) == ("B", {"A": 0.25, "B": 0.75})
    assert llm.prompts == lalm.prompts == [PROMPT]


async def test_without_a_rule_for_choices_the_reply_stands_for_them() -> None:
    reading = await ScriptedLLM(str.upper).choose(PROMPT, CHOICES)
    assert (reading.reply, reading.probabilities) == ("WHAT IS HEARD?", {})


async def test_a_model_that_is_down_raises_and_one_that_is_not_expected_fails_the_test() -> None:
    with pytest.raises(ModelError, match="It is gone"):
        await ScriptedEars(fail_with(ModelError("It is gone."))).caption(CLIP)
    with pytest.raises(AssertionError):
        await ScriptedLLM().complete(PROMPT)


async def test_a_rule_may_take_time() -> None:
    async def hear(clip: AudioClip) -> tuple[str, ...]:
        return (f"{clip.duration_s} s",)

    (said,) = await ScriptedEars(words=hear, name="clock").transcribe(CLIP)
    assert (said.text, said.kind, said.source) == ("0.01 s", "transcript", "clock")
