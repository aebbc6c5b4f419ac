import asyncio

import numpy as np
import pytest

from agents.cascade import Cascade
from agents.text_only import TextOnly
from services.errors import ModelError
from services.scripted.clock import SimulatedClock
from services.types import AudioClip, Choice, Evidence, Focus, Message, Question, Reading, ReadingStyle

CLIP = AudioClip(np.zeros(16_000, np.float32))
QUESTION = Question.ask("Who speaks?", ("Man", "Woman"), id="q1")
OPEN = Question.ask("Who speaks?", id="q2")


class Reader:
    """An LLM that gives one Reading, and keeps the prompts it was given."""

    name = "reader"
    revision = "1"
    style = ReadingStyle()

    def __init__(self, reading: Reading, delay_s: float = 0.0) -> None:
        self.reading = reading
        self.delay_s = delay_s
        self.prompts: list[str] = []

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        self.prompts.append("\n".join(message.content for message in messages))
        return Reading(reply="A woman speaks.")

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        self.prompts.append("\n".join(message.content for message in messages))
        await asyncio.sleep(self.delay_s)
        return self.reading


class Ears:
    """A captioner and an ASR in one, each taking its time."""

    name = "ears"
    revision = "1"

    def __init__(self, delay_s: float = 0.0, *, deaf: bool = False) -> None:
        self.delay_s = delay_s
        self.deaf = deaf
        self.cancelled = False

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        if self.deaf:
            raise ModelError("The captioner is gone.")
        await asyncio.sleep(self.delay_s)
        return (Evidence(kind="sound", source="ears", revision="1", text="Birds sing far away", end_s=1.0),)

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return (Evidence(kind="transcript", source="ears", revision="1", text="good morning madam", end_s=1.0),)


def cascade(llm: Reader, ears: Ears) -> Cascade:
    return Cascade(llm, ears, ears)


async def test_the_llm_reads_what_was_heard_and_its_probabilities_decide() -> None:
    llm = Reader(Reading(reply="A", probabilities={"A": 0.2, "B": 0.8}))
    answer = await cascade(llm, Ears()).answer(QUESTION, CLIP)
    assert answer.choice == QUESTION.choices[1]
    assert answer.probabilities == {"A": 0.2, "B": 0.8}
    assert (answer.question_id, answer.path, answer.reply) == ("q1", "cascade", "A")
    (prompt,) = llm.prompts
    for heard in ("Birds sing far away", "good morning madam", "Who speaks?", "Man", "Woman"):
        assert heard in prompt


async def test_without_probabilities_the_reply_is_read() -> None:
    answer = await cascade(Reader(Reading(reply="(B) Woman")), Ears()).answer(QUESTION, CLIP)
    assert answer.choice == QUESTION.choices[1]
    assert answer.probabilities == {}


async def test_a_reply_that_names_no_option_gives_no_choice() -> None:
    answer = await cascade(Reader(Reading(reply="A man or a woman.")), Ears()).answer(QUESTION, CLIP)
    assert (answer.choice, answer.reply) == (None, "A man or a woman.")


async def test_an_open_question_is_answered_in_words() -> None:
    answer = await cascade(Reader(Reading(reply="")), Ears()).answer(OPEN, CLIP)
    assert (answer.reply, answer.choice, answer.probabilities) == ("A woman speaks.", None, {})


async def test_the_answer_says_what_it_rests_on() -> None:
    answer = await cascade(Reader(Reading(reply="A")), Ears()).answer(QUESTION, CLIP)
    assert [evidence.kind for evidence in answer.evidence] == ["sound", "transcript"]
    assert tuple(map(str, answer.trace)) == ("caption: ears", "transcribe: ears", "read: reader")
    assert answer.timings_s.keys() == {"caption", "transcribe", "read"}
    assert answer.degraded == ()


def test_caption_and_transcript_are_made_at_the_same_time(clock: SimulatedClock) -> None:
    path = cascade(Reader(Reading(reply="A"), delay_s=0.05), Ears(delay_s=0.3))
    answer = clock.run(path.answer(QUESTION, CLIP))
    assert clock.time() == pytest.approx(0.35)
    assert answer.timings_s == pytest.approx({"caption": 0.3, "transcribe": 0.3, "read": 0.05})


async def test_answers_at_the_same_time_do_not_mix() -> None:
    path = cascade(Reader(Reading(reply="A"), delay_s=0.01), Ears(delay_s=0.01))
    questions = [Question.ask("?", ("x", "y"), id=str(number)) for number in range(20)]
    answers = await asyncio.gather(*(path.answer(question, CLIP) for question in questions))
    assert [answer.question_id for answer in answers] == [question.id for question in questions]
    assert all(len(answer.evidence) == 2 for answer in answers)


async def test_a_failed_model_raises_and_stops_its_neighbour() -> None:
    ears = Ears(delay_s=1.0, deaf=True)
    with pytest.raises(ModelError, match=r"The captioner is gone\."):
        await cascade(Reader(Reading(reply="A")), ears).answer(QUESTION, CLIP)
    assert ears.cancelled


async def test_text_only_hears_nothing() -> None:
    llm = Reader(Reading(reply="", probabilities={"A": 0.9, "B": 0.1}))
    answer = await TextOnly(llm).answer(QUESTION, CLIP)
    assert (answer.choice, answer.path, answer.evidence) == (QUESTION.choices[0], "text", ())
    assert llm.prompts
    assert "Birds" not in llm.prompts[0]
    assert (await TextOnly(llm).answer(OPEN, None)).reply == "A woman speaks."
