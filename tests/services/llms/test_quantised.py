"""The embedded readers themselves: `earwitness models pull` fetches the default one."""

import asyncio

import pytest

from agents.reading.reading import read
from services.catalog import DEFAULT_LLM, LLMS, open_llm
from services.llms.quantised import QuantisedLLM
from services.types import Evidence, Message, Question, Sampling

pytestmark = pytest.mark.weights

HEARD = (
    Evidence(kind="sound", source="test", revision="1", text="Sounds heard, most likely first: dog barking (0.97)."),
    Evidence(kind="loudness", source="test", revision="1", text="Level: loud."),
)
OPTIONS = ("Church bells", "A dog barking", "Rain falling", "A violin")


@pytest.fixture(scope="module")
def llm() -> QuantisedLLM:
    opened = LLMS[DEFAULT_LLM](None)
    assert isinstance(opened, QuantisedLLM)
    return opened


@pytest.fixture(scope="module")
def small() -> QuantisedLLM:
    """Return the smallest: what batches and kept beginnings of prompts do is the same code for each."""
    opened = LLMS["smollm2-135m"](None)
    assert isinstance(opened, QuantisedLLM)
    return opened


@pytest.mark.parametrize("turn", range(4))
async def test_the_evidence_decides_wherever_the_right_option_stands(llm: QuantisedLLM, turn: int) -> None:
    options = OPTIONS[turn:] + OPTIONS[:turn]
    answered = await read(llm, Question.ask("Which sound is heard?", options), HEARD)
    assert answered.choice is not None
    assert answered.choice.text == "A dog barking"
    assert answered.note == DEFAULT_LLM  # one order of the options, whichever it is
    assert sum(answered.probabilities.values()) == pytest.approx(1)


async def test_probabilities_do_not_depend_on_the_other_requests_of_the_batch(small: QuantisedLLM) -> None:
    questions = [Question.ask(f"Which sound is heard{mark}", OPTIONS) for mark in ("?", ", please?", " in the clip?")]
    alone = [(await read(small, question, HEARD)).probabilities for question in questions]
    together = await asyncio.gather(*(read(small, question, HEARD) for question in questions))
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other.probabilities, abs=0.02)


async def test_an_open_question_gets_words(llm: QuantisedLLM) -> None:
    answered = await read(llm, Question.ask("What animal is heard?"), HEARD)
    assert "dog" in answered.reply.lower()
    assert answered.choice is None


async def test_drawn_replies_repeat_with_their_seed_and_are_cut_off_at_the_limit() -> None:
    prompts = [(Message(role="user", content=f"Tell a story about {thing}."),) for thing in ("a dog", "rain", "a bell")]
    drawn = []
    for seed in (1, 1, 2):
        llm = open_llm("smollm2-135m", sampling=Sampling(temperature=1.0, max_tokens=12, seed=seed))
        drawn.append(await asyncio.gather(*(llm.complete(prompt) for prompt in prompts)))
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert not any(reading.is_finished for reading in drawn[0])


async def test_a_reading_is_the_same_whatever_was_asked_before(small: QuantisedLLM) -> None:
    question = Question.ask("Which sound is heard?", OPTIONS)
    first = (await read(small, question, HEARD)).probabilities  # the beginning of the prompt is read and kept
    for number in range(10):  # more beginnings than are kept
        await small.choose((Message(role="system", content=f"Be {number}."), asked("Bells?")), question.choices)
    assert (await read(small, question, HEARD)).probabilities == first


async def test_a_question_in_the_words_of_the_instructions_is_read(small: QuantisedLLM) -> None:
    options = Question.ask("", ("You", "A dog")).choices
    for words in ("You", "system", ""):  # each stands in the prompt before the last message as well
        reading = await small.choose((Message(role="system", content="You answer."), asked(words)), options)
        assert sum(reading.probabilities.values()) == pytest.approx(1)


def asked(words: str) -> Message:
    return Message(role="user", content=words)
