import numpy as np
import pytest

from agents.listening.hearing_tools import FocusArguments
from agents.listening.ordering.order import estimate_asks_order, find_order, has_orders
from agents.listening.tool import ListenedClip, Listeners
from services.scripted.ears import ScriptedEars
from services.types import AudioClip, Evidence, Focus, Label, Question

CLIP = AudioClip(np.zeros(16_000 * 9, np.float32))


def hear_timeline(clip: AudioClip, focus: Focus | None) -> tuple[Evidence, ...]:
    """Hear a dog, then rain, then a bell, three seconds each; for another topic something in its own words."""
    assert focus is not None
    if focus.topic != "timeline":
        return (state("in its own words", 0, 3, {}),)
    known = [{"dog": 0.9}, {"rain": 0.9}, {"bell": 0.9}]
    return tuple(
        state(str(heard), 3 * number, 3 * number + 3, {event: heard.get(event, 0.01) for event in focus.options})
        for number, heard in enumerate(known)
        if 3 * number < clip.duration_s
    )


def list_asked(ears: ScriptedEars) -> list[tuple[str, ...]]:
    """List the options of the timelines that were asked for."""
    return [focus.options for focus in ears.focuses if focus and focus.topic == "timeline"]


def state(text: str, start_s: float, end_s: float, shares: dict[str, float]) -> Evidence:
    labels = tuple(Label(text=event, probability=share) for event, share in shares.items())
    return Evidence(kind="event", source="ears", revision="1", text=text, labels=labels, start_s=start_s, end_s=end_s)


async def ask(question: str, *options: str, start_s: float = 0.0, end_s: float | None = None) -> Evidence:
    ears = ScriptedEars(hear_timeline)
    arguments = FocusArguments(question=question, options=options, start_s=start_s, end_s=end_s)
    (found,) = (await find_order(Listeners(ears, ears), ListenedClip(CLIP, ()), arguments)).findings
    return found


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which sound opens the recording?", "Dog"),
        ("Which sound comes last?", "Bell"),
        ("What follows the dog?", "Rain"),
        ("What is heard just before the bell?", "Rain"),
    ],
)
async def test_the_option_that_stands_where_the_question_asks_is_the_likeliest(question: str, answer: str) -> None:
    found = await ask(question, "Bell", "Dog", "Rain")
    assert found.labels[0].text == answer
    assert sum(label.probability or 0.0 for label in found.labels) == pytest.approx(1, abs=0.02)
    assert found.text.startswith("Heard in order: dog (0.0-3.0 s), rain (3.0-6.0 s), bell (6.0-9.0 s).")


async def test_the_order_that_was_heard_is_the_likeliest_whatever_the_question_says() -> None:
    found = await ask("Which is right?", "Rain, dog, bell", "Dog, rain, bell", "Bell, rain, dog")
    assert found.labels[0].text == "Dog, rain, bell"


async def test_what_the_question_names_is_looked_for_though_no_option_names_it() -> None:
    found = await ask("Which sound comes right after the dog?", "Rain", "Bell")
    assert [label.text for label in found.labels] == ["Rain", "Bell"]


async def test_times_count_from_the_beginning_of_the_recording() -> None:
    found = await ask("Which sound comes first?", "Dog", "Rain", start_s=1.0)
    assert found.start_s == 1.0


@pytest.mark.parametrize(
    ("question", "options"),
    [("How do the sounds lie in time?", ("Dog", "Rain")), ("Which sound comes first?", ("Dog",))],
)
async def test_what_asks_for_no_relation_between_options_is_told_by_the_captioner(
    question: str, options: tuple[str, ...]
) -> None:
    assert (await ask(question, *options)).text == "in its own words"


async def test_a_captioner_that_knows_no_timeline_tells_the_order_in_its_own_words() -> None:
    ears = ScriptedEars()
    arguments = FocusArguments(question="Which sound comes first?", options=("Dog", "Rain"))
    found = (await find_order(Listeners(ears, ears), ListenedClip(CLIP, ()), arguments)).findings
    assert not any(label.probability for one in found for label in one.labels)


@pytest.mark.parametrize(
    ("question", "asks"), [("Which sound opens the recording?", True), ("How many barks are there?", False)]
)
def test_a_question_asks_for_an_order_by_its_words(question: str, asks: bool) -> None:
    assert (estimate_asks_order(Question.ask(question, ("Dog", "Rain"))) > 0.5) == asks


def test_of_several_recordings_first_and_last_are_recordings() -> None:
    asked = Question.ask("Which sound is heard in the last recording?", ("Dog", "Rain"))
    assert estimate_asks_order(asked.model_copy(update={"num_clips": 2})) == 0


@pytest.mark.parametrize(
    ("options", "has"), [(("Dog, then rain", "Rain, then dog"), True), (("Dog and rain", "Cat and hail"), False)]
)
def test_options_may_be_orders(options: tuple[str, ...], has: bool) -> None:
    assert has_orders(Question.ask("What fits?", options)) == has


async def test_one_section_says_nothing_of_an_order() -> None:
    found = await ask("Which sound comes first?", "Dog", "Rain", end_s=2.9)
    assert found.text.endswith("in its own words")


async def test_what_is_not_decided_is_left_to_all_options_alike() -> None:
    found = await ask("Which comes after the opening one?", "Bell", "Dog", "Rain")
    assert found.labels[0].text == "Rain"
    assert sum(label.probability or 0.0 for label in found.labels) == pytest.approx(1, abs=0.02)


async def test_where_nothing_follows_the_captioner_tells_the_order() -> None:
    assert (await ask("What comes right after the bell?", "Dog", "Rain")).text == "in its own words"


async def test_only_what_is_next_to_something_has_it_looked_for() -> None:
    ears = ScriptedEars(hear_timeline)
    for question in ("Which instrument plays first, before the dog?", "What comes right after the dog?"):
        arguments = FocusArguments(question=question, options=("Bell", "Rain"))
        await find_order(Listeners(ears, ears), ListenedClip(CLIP, ()), arguments)
    assert list_asked(ears) == [("bell", "rain"), ("bell", "rain", "dog")]


async def test_orders_need_nothing_that_the_question_names() -> None:
    ears = ScriptedEars(hear_timeline)
    arguments = FocusArguments(question="What comes after the siren?", options=("Dog, then rain", "Rain, then dog"))
    await find_order(Listeners(ears, ears), ListenedClip(CLIP, ()), arguments)
    assert list_asked(ears) == [("dog", "rain")]


async def test_a_tool_that_is_called_for_an_order_takes_it_that_one_is_asked_for() -> None:
    question = "Counting from the start, which sound is the second?"
    assert estimate_asks_order(Question.ask(question, ())) < 0.8
    assert ((await ask(question, "Bell", "Dog", "Rain")).labels[0].probability or 0.0) > 0.8
