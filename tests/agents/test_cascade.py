import asyncio

import numpy as np
import pytest

from agents.cascade import Cascade
from agents.text_only import TextOnly
from services.errors import ModelError
from services.scripted.clock import SimulatedClock
from services.scripted.ears import ScriptedEars
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import fail_with
from services.types import AudioClip, Question, Reading

CLIP = AudioClip(np.zeros(16_000, np.float32))
QUESTION = Question.ask("Who speaks?", ("Man", "Woman"), id="q1")
OPEN = Question.ask("Who speaks?", id="q2")


def open_llm(reading: Reading, delay_s: float = 0.0) -> ScriptedLLM:
    """Return an LLM that reads every choice alike, and answers every open question alike."""
    return ScriptedLLM(lambda _: "A woman speaks.", lambda *_: reading, name="reader", latency_s=delay_s)


def open_ears(delay_s: float = 0.0) -> ScriptedEars:
    return ScriptedEars(
        lambda *_: ("Birds sing far away",), lambda _: ("good morning madam",), name="ears", latency_s=delay_s
    )


def cascade(llm: ScriptedLLM, ears: ScriptedEars) -> Cascade:
    return Cascade(llm, ears, ears)


async def test_the_llm_reads_what_was_heard_and_its_probabilities_decide() -> None:
    llm = open_llm(Reading(reply="A", probabilities={"A": 0.2, "B": 0.8}))
    answer = await cascade(llm, open_ears()).answer(QUESTION, CLIP)
    assert answer.choice == QUESTION.choices[1]
    assert answer.probabilities == {"A": 0.2, "B": 0.8}
    assert (answer.question_id, answer.path, answer.reply) == ("q1", "cascade", "A")
    (prompt,) = ("\n".join(message.content for message in messages) for messages in llm.prompts)
    for heard in ("Birds sing far away", "good morning madam", "Who speaks?", "Man", "Woman"):
        assert heard in prompt


async def test_without_probabilities_the_reply_is_read() -> None:
    answer = await cascade(open_llm(Reading(reply="(B) Woman")), open_ears()).answer(QUESTION, CLIP)
    assert answer.choice == QUESTION.choices[1]
    assert answer.probabilities == {}


async def test_a_reply_that_names_no_option_gives_no_choice() -> None:
    answer = await cascade(open_llm(Reading(reply="A man or a woman.")), open_ears()).answer(QUESTION, CLIP)
    assert (answer.choice, answer.reply) == (None, "A man or a woman.")


async def test_an_open_question_is_answered_in_words() -> None:
    answer = await cascade(open_llm(Reading(reply="")), open_ears()).answer(OPEN, CLIP)
    assert (answer.reply, answer.choice, answer.probabilities) == ("A woman speaks.", None, {})


async def test_the_answer_says_what_it_rests_on() -> None:
    answer = await cascade(open_llm(Reading(reply="A")), open_ears()).answer(QUESTION, CLIP)
    assert [evidence.kind for evidence in answer.evidence] == ["sound", "transcript"]
    assert tuple(map(str, answer.trace)) == ("caption: ears", "transcribe: ears", "read: reader")
    assert answer.timings_s.keys() == {"caption", "transcribe", "read"}
    assert answer.degraded == ()


def test_caption_and_transcript_are_made_at_the_same_time(clock: SimulatedClock) -> None:
    path = cascade(open_llm(Reading(reply="A"), delay_s=0.05), open_ears(delay_s=0.3))
    answer = clock.run(path.answer(QUESTION, CLIP))
    assert clock.time() == pytest.approx(0.35)
    assert answer.timings_s == pytest.approx({"caption": 0.3, "transcribe": 0.3, "read": 0.05})


async def test_answers_at_the_same_time_do_not_mix() -> None:
    path = cascade(open_llm(Reading(reply="A"), delay_s=0.01), open_ears(delay_s=0.01))
    questions = [Question.ask("?", ("x", "y"), id=str(number)) for number in range(20)]
    answers = await asyncio.gather(*(path.answer(question, CLIP) for question in questions))
    assert [answer.question_id for answer in answers] == [question.id for question in questions]
    assert all(len(answer.evidence) == 2 for answer in answers)


async def test_a_failed_model_raises_and_stops_its_neighbour() -> None:
    stopped: list[str] = []

    async def transcribe(clip: AudioClip) -> tuple[str, ...]:
        try:
            await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            stopped.append("ASR")
            raise
        return ()

    ears = ScriptedEars(fail_with(ModelError("The captioner is gone.")), transcribe)
    with pytest.raises(ModelError, match=r"The captioner is gone\."):
        await cascade(open_llm(Reading(reply="A")), ears).answer(QUESTION, CLIP)
    assert stopped == ["ASR"]


async def test_text_only_hears_nothing() -> None:
    llm = open_llm(Reading(reply="", probabilities={"A": 0.9, "B": 0.1}))
    answer = await TextOnly(llm).answer(QUESTION, CLIP)
    assert (answer.choice, answer.path, answer.evidence) == (QUESTION.choices[0], "text", ())
    assert llm.prompts
    assert not any("Birds" in message.content for message in llm.prompts[0])
    assert (await TextOnly(llm).answer(OPEN, None)).reply == "A woman speaks."
