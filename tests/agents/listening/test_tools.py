import asyncio
from typing import get_args

import numpy as np
import pytest

from agents.listening.hearing_tools import find_span
from agents.listening.tool import Listeners, ToolInput
from agents.listening.tools import CAPTION, TOOLS, AnyTool, estimate_tools, select_tools
from services.captioners.focus import TOPICS
from services.scripted.ears import ScriptedEars
from services.scripted.service import ScriptedGuidedASR
from services.types import AudioClip, Evidence, Focus, Question, Spanwise, Topic

CLIP = AudioClip(np.zeros(16_000 * 10, np.float32))
LISTENERS = Listeners(ScriptedEars(), ScriptedEars())


async def use(tool: AnyTool, listeners: Listeners, heard: ToolInput) -> tuple[Evidence, ...]:
    """Call a tool with the arguments that it makes from the question."""
    return await tool.use(listeners, heard, tool.make_arguments(listeners, heard))


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("How many barks are heard?", "count"),
        ("How many words does the speaker say?", "words"),
        ("What is the sum of the spoken digits?", "sum"),
        ("Which day of the week is spoken?", "said"),
        ("What does the speaker say?", "said"),
        ("Which words does the speaker begin with?", "said"),
        ("Which of these words is spoken in the audio?", "said"),
        ("Which sequence of digits is spoken?", "said"),
        ("What is spoken in the recording?", "said"),
        ("Which phrase does the man utter?", "said"),
        ("What is the speaker's last sentence?", "said"),
        ("When the bell has rung, what does the man say?", "said"),
        ("What does the man say after the bell?", "said"),
        ("Which of these words best describes the mood of the music?", "style"),
        ("Which sentence best describes the clip?", "caption"),
        ("Which phrase fits the scene?", "caption"),
        ("Which word best describes the place?", "caption"),
        ("In other words, which animal is it?", "sound"),
        ("What would you say is the mood?", "caption"),
        ("Which sound is heard after the man says hello?", "order"),
        ("How many times does she say her name?", "times said"),
        ("How often does the speaker repeat the word no?", "times said"),
        ("Who says hello?", "speaker"),
        ("A total of how many barks are heard?", "count"),
        ("In which order do the sounds occur?", "order"),
        ("Which sound comes after the bell?", "order"),
        ("What is the tempo?", "tempo"),
        ("In which key is the piece?", "key"),
        ("How does the pitch of the melody move?", "pitch"),
        ("What is the frequency of the tone in Hz?", "pitch"),
        ("Do the speakers change?", "speaker"),
        ("Which emotion does the speaker express?", "emotion"),
        ("Which language is spoken?", "language"),
        ("Which description fits the technical quality best?", "quality"),
        ("Which instrument plays this melody?", "instrument"),
        ("Which animal makes the noise?", "sound"),
        ("Why?", "caption"),
    ],
)
def test_the_words_of_a_question_call_for_a_tool(question: str, tool: str) -> None:
    names = [one.tool.name for one in select_tools(ToolInput(Question.ask(question), CLIP, ()))]
    assert names == list(dict.fromkeys((tool, "caption")))


def test_a_span_is_heard_again_only_where_there_is_one() -> None:
    names = [
        one.tool.name for one in select_tools(ToolInput(Question.ask("Why is there rain from 1 to 3 s?"), CLIP, ()))
    ]
    assert names == ["span", "caption"]


@pytest.mark.slow
def test_what_a_tool_asks_the_captioner_for_is_a_topic_that_it_knows() -> None:
    ears = ScriptedEars()
    asked = ears.focuses
    heard = ToolInput(Question.ask("Why: because; or so?", ("Because; not so", "So")), CLIP, ())
    for name, tool in TOOLS.items():
        asyncio.run(use(tool, Listeners(ears, ears), heard))
        if asked:
            assert asked.pop() == Focus(
                topic=name,  # type: ignore[arg-type]
                question="Why: because; or so?",
                options=("Because; not so", "So"),
            )
    asyncio.run(use(CAPTION, Listeners(ears, ears), heard))
    assert asked == [Focus(question="Why: because; or so?", options=("Because; not so", "So"))]
    others = set(get_args(Spanwise))  # turns are for transcriptions, the timeline is for options that are events
    assert {*get_args(Topic)} - others == {*TOPICS, "sound"} <= TOOLS.keys()


def test_times_as_options_are_evidence_that_it_is_asked_when_something_is_heard() -> None:
    asked = "When does somebody say 'dogs'?"
    for options, tool in ((("Here", "There"), "said"), (("At 1 s", "At 5 s"), "where said")):
        question = Question.ask(asked, options)
        assert select_tools(ToolInput(question, CLIP, ()))[0].tool.name == tool
        estimates = estimate_tools(question, CLIP.duration_s)
        assert sum(estimates.values()) == pytest.approx(1) and next(iter(estimates.values())) == max(estimates.values())


def test_behind_a_tool_that_takes_two_actions_stands_one_that_takes_one() -> None:
    chosen = select_tools(ToolInput(Question.ask("What is said behind the noise?"), CLIP, ()))
    names = [(one.tool.name, one.tool.cost) for one in chosen]
    assert names[0] == ("denoise", 2) and names[1][1] == 1 and names[-1] == ("caption", 1) and len(names) == 3
    assert 0 <= chosen[-1].relevance < 1 - sum(one.relevance for one in chosen[:-1]) + 1e-9


def test_a_sound_that_can_be_looked_for_is_and_of_any_other_the_changes_are_listed() -> None:
    for asked, tool in (("When does the siren stop?", "find sound"), ("When does the droning stop?", "changes")):
        assert select_tools(ToolInput(Question.ask(asked, ("At 1 s", "At 5 s")), CLIP, ()))[0].tool.name == tool


async def test_the_agent_leaves_a_tool_out_that_its_models_cannot_run() -> None:
    ears = ScriptedEars()
    heard = ToolInput(Question.ask("When is the word 'yes' said?", ("At 1 s", "At 5 s")), CLIP, ())
    assert await use(TOOLS["where said"], Listeners(ears, ears), heard) == ()
    assert await use(TOOLS["alternatives"], Listeners(ears, ears), heard) == ()


async def test_when_a_word_is_said_weighs_the_times_that_are_asked_about() -> None:
    heard = ToolInput(Question.ask("When is 'good morning' said?", ("At 0.3 s", "At 5 s")), CLIP, ())
    placed, weighed = await use(TOOLS["where said"], Listeners(ScriptedEars(), ScriptedGuidedASR()), heard)
    assert (placed.start_s, placed.end_s) == (0.25, 1.0)
    assert weighed.labels[0].text == "At 0.3 s" and (weighed.labels[0].probability or 0) > 0.9


def said(text: str, start_s: float, end_s: float) -> Evidence:
    return Evidence(kind="transcript", source="asr", revision="1", text=text, start_s=start_s, end_s=end_s)


def test_words_and_digits_are_counted_in_what_was_written() -> None:
    spoken = (said("One, one five,", 0, 1), said("zero and 42", 1, 2))
    for question, text in (
        ("How many words does she say?", "Number of words said: 6."),
        ("How many digits does she say?", "Number of digits said: 6."),
    ):
        heard = ToolInput(Question.ask(question), CLIP, spoken)
        (found,) = asyncio.run(use(TOOLS["words"], LISTENERS, heard))
        assert found.text == text and found.end_s == 2


@pytest.mark.parametrize(
    ("question", "span"),
    [
        ("What is heard from 2 to 4.5 seconds?", (2.0, 4.5)),
        ("What is heard at 3-5 s?", (3.0, 5.0)),
        ("What is heard between 8 and 15 seconds?", (8.0, 10.0)),
        ("What is heard between 0 and 10 seconds?", None),
        ("Where is the river?", (5.75, 7.25)),
        ("Where is the castle?", None),
    ],
)
def test_the_span_to_hear_again(question: str, span: tuple[float, float] | None) -> None:
    heard = ToolInput(Question.ask(question), CLIP, (said("The river is wide.", 6, 7), said("Good.", 8, 9)))
    assert find_span(heard) == span


@pytest.mark.parametrize(
    ("question", "options", "tool"),
    [
        ("Which description fits?", ("Dog, then rain", "Rain, then dog"), "order"),
        ("Which instruments are heard?", ("Flute → piano", "Piano → flute"), "order"),
        ("In what order do the man and the woman speak?", ("Man, then woman", "Woman, then man"), "speaker"),
        ("Once the man has finished talking, what comes up next?", ("A bell", "Rain"), "order"),
    ],
)
def test_order_is_told_where_it_is_likelier_to_be_asked_for_than_what_else_is(
    question: str, options: tuple[str, ...], tool: str
) -> None:
    assert select_tools(ToolInput(Question.ask(question, options), CLIP, ()))[0].tool.name == tool
