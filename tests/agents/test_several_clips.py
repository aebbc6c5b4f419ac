"""A question about several recordings: each is heard by itself, and the evidence names the one that it is about."""

import numpy as np
import pytest

from agents.auto import Auto
from agents.cascade import Cascade
from agents.degradation import DEGRADING
from agents.direct import Direct
from agents.informed import Informed
from agents.listening.listening import FollowUp
from agents.listening.tool import Listeners
from agents.routing.router import Rule
from services.errors import ModelError, TooManyClips
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM, ScriptedMultiClipLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import fail_with, weigh
from services.types import SAMPLE_RATE, AudioClip, Evidence, Focus, Message, Question, ReadingStyle


def make_clip(level: float, seconds: float = 1.0) -> AudioClip:
    return AudioClip(np.full(round(seconds * SAMPLE_RATE), level, np.float32))


LOW, MIDDLE, HIGH = (make_clip(level) for level in (0.1, 0.2, 0.3))
NAMES = {LOW.sha256: "rain", MIDDLE.sha256: "a dog", HIGH.sha256: "a violin"}
WHICH = Question.ask("Which recording has a violin?", ("The first", "The second"), id="q")


def name_sound(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
    return (f"Sounds heard: {NAMES[clip.sha256]}.",)


def say(clip: AudioClip) -> tuple[Evidence, ...]:
    said = Evidence(kind="transcript", source="ears", revision="1", text=f"This is {NAMES[clip.sha256]}.")
    return (said.model_copy(update={"start_s": 0.1, "end_s": 0.9}),)


@pytest.mark.slow
async def test_each_recording_is_heard_by_itself_and_its_statements_name_it() -> None:
    ears, llm = ScriptedEars(name_sound, say), ScriptedLLM(choose=weigh(0.2, 0.8))
    said = Question.ask("In which recording does somebody say that it rains?", ("The first", "The second"))
    answer = await Cascade(llm, ears, ears).answer(said, LOW, HIGH)
    assert [clip.sha256 for clip in ears.captioned] == [LOW.sha256, HIGH.sha256]
    assert [(one.recording, one.kind) for one in answer.evidence if one.recording] == [
        *((1, "sound"), (2, "sound")),
        *((1, "transcript"), (2, "transcript")),
    ]
    system, asked = llm.prompts[0]
    assert "2 audio recordings" in system.content
    assert asked.content.splitlines()[1:5] == [
        "- recording 1: Sounds heard: rain.",
        '- recording 1, 0.1-0.9 s: Somebody says: "This is rain."',
        "- recording 2: Sounds heard: a violin.",
        '- recording 2, 0.1-0.9 s: Somebody says: "This is a violin."',
    ]
    assert str(answer.trace[0]) == "caption: scripted, 2 of 2 recordings"


async def test_what_compares_the_recordings_stands_behind_what_is_heard_in_each() -> None:
    ears = ScriptedEars(lambda *_: ("Sounds heard: rain.",))
    llm = ScriptedLLM(choose=weigh(0.2, 0.8), style=ReadingStyle(num_statements=1))
    longer = make_clip(0.3, 2.0)
    answer = await Cascade(llm, ears, ears).answer(WHICH, LOW, longer)
    compared = "Recording 2 is longer (2.0 s), recording 1 is shorter (1.0 s)."
    assert f"- {compared}" in llm.prompts[0][-1].content.split("recording 2: Sounds")[1]
    (statement,) = [one for one in answer.evidence if one.text == compared]
    assert (statement.recording, statement.step, statement.use) == (None, "read", "read")


async def test_one_recording_is_compared_with_nothing() -> None:
    ears, llm = ScriptedEars(name_sound), ScriptedLLM(choose=weigh(0.2, 0.8))
    answer = await Cascade(llm, ears, ears).answer(WHICH, LOW)
    assert [one.source for one in answer.evidence] == ["scripted"]


async def test_the_same_recording_twice_is_two() -> None:
    ears, llm = ScriptedEars(name_sound), ScriptedLLM(choose=weigh(0.5, 0.5))
    answer = await Cascade(llm, ears, ears).answer(WHICH, LOW, LOW)
    assert [one.recording for one in answer.evidence if one.kind == "sound"] == [1, 2]


async def test_a_recording_in_which_nothing_could_be_named_is_listed() -> None:
    ears = ScriptedEars(lambda clip, _: name_sound(clip, None) if clip is HIGH else ())
    llm = ScriptedLLM(choose=weigh(0.5, 0.5))
    await Cascade(llm, ears, ears).answer(WHICH, LOW, HIGH)
    assert "- recording 1: nothing that they could name" in llm.prompts[0][-1].content


async def test_a_reader_of_few_statements_gets_some_of_each_recording() -> None:
    def describe(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
        return ("A violin here.", "A violin there.", "A violin again.") if clip is LOW else ("Rain.", "Wind.", "Hail.")

    llm = ScriptedLLM(choose=weigh(0.5, 0.5), style=ReadingStyle(num_statements=2))
    ears = ScriptedEars(describe)
    answer = await Cascade(llm, ears, ears).answer(WHICH, LOW, HIGH)
    assert sorted(one.recording for one in answer.evidence if one.recording and one.use != "unread") == [1, 1, 2, 2]


@pytest.mark.slow
async def test_a_long_recording_does_not_leave_a_short_one_unheard() -> None:
    long, ears = make_clip(0.4, 200.0), ScriptedEars(lambda *_: ("Hum.",))
    answer = await Cascade(ScriptedLLM(choose=weigh(0.5, 0.5)), ears, ears).answer(WHICH, long, LOW)
    assert [clip.sha256 for clip in ears.captioned].index(LOW.sha256) == 1
    assert max(one.end_s or 0 for one in answer.evidence if one.recording == 1) == 200.0
    assert answer.trace[0].text == f"scripted, {len(ears.captioned)} of {len(ears.captioned)} parts of 2 recordings"


async def test_what_a_model_failed_to_hear_names_the_recording() -> None:
    def caption(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
        if clip is HIGH:
            raise ModelError("It broke.")
        return ("Rain.",)

    llm, ears = ScriptedLLM(choose=weigh(0.5, 0.5)), ScriptedEars(caption)
    answer = await Cascade(llm, ears, ears, policy=DEGRADING).answer(WHICH, LOW, HIGH)
    assert answer.degraded == ("no captioner of recording 2 from 0:00 to 0:01: It broke.",)


class Again:
    """A cascade with one follow-up, which hears something only when it listens again."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.llm = ScriptedLLM(choose=weigh(0.5, 0.5))
        ears = ScriptedEars(self._caption)
        follow_up = FollowUp(Listeners(ears, ears), self.llm, budget=1)
        self._cascade = Cascade(self.llm, ears, ears, follow_up=follow_up)

    def _caption(self, clip: AudioClip, focus: Focus | None) -> tuple[Evidence, ...]:
        if focus is None:
            return ()
        self.heard.append(NAMES[clip.sha256])
        text = f"Most clearly: {NAMES[clip.sha256]}."
        return (Evidence(kind="sound", source="ears", revision="1", text=text, confidence=0.9),)

    async def find(self, question: str) -> list[str]:
        answer = await self._cascade.answer(Question.ask(question, ("rain", "a dog")), LOW, MIDDLE, HIGH)
        return [f"{one.recording} {one.text}" for one in answer.evidence if one.recording]


async def test_a_tool_listens_to_the_recording_that_the_question_names_and_its_finding_votes() -> None:
    again = Again()
    found = await again.find("Which sound is heard in recording 2?")
    assert (again.heard, found) == (["a dog"], ["2 Most clearly: a dog."])
    assert len(again.llm.prompts) == 1  # a vote is not read as well


async def test_a_tool_listens_to_all_where_none_is_named_and_the_findings_are_read() -> None:
    again = Again()
    found = await again.find("Which sound do two of them lack?")
    assert list(dict.fromkeys(again.heard)) == ["rain", "a dog", "a violin"]
    assert found == ["1 Most clearly: rain.", "2 Most clearly: a dog.", "3 Most clearly: a violin."]
    assert "- recording 3: Most clearly: a violin." in again.llm.prompts[1][-1].content


async def test_a_lalm_that_hears_one_recording_refuses_several() -> None:
    lalm, ears = Direct(ScriptedLALM(choose=weigh(0.5, 0.5), name="one-eared")), ScriptedEars(name_sound)
    for path in (lalm, Informed(lalm, ears, ears)):
        with pytest.raises(TooManyClips, match="about 2 recordings; the LALM 'one-eared' hears one recording"):
            await path.answer(WHICH, LOW, HIGH)
    assert ears.captioned == []


async def test_auto_takes_the_cascade_where_the_lalm_cannot_hear_all_and_says_so() -> None:
    ears, llm = ScriptedEars(name_sound), ScriptedLLM(choose=weigh(0.2, 0.8))
    auto = Auto(Cascade(llm, ears, ears), Direct(ScriptedLALM(choose=weigh(0.9, 0.1))), Rule())
    answer = await auto.answer(WHICH, LOW, HIGH)
    assert (answer.route, answer.choice) == ("cascade", WHICH.choices[1])
    assert str(answer.trace[0]) == "route: cascade (of 2 recordings the LALM hears 1 in a question)"


async def test_a_lalm_that_cannot_hear_all_does_not_stand_in() -> None:
    ears, llm = ScriptedEars(name_sound), ScriptedLLM(choose=fail_with(ModelError("The LLM is down.")))
    lalm = ScriptedLALM(choose=weigh(0.9, 0.1))
    auto = Auto(Cascade(llm, ears, ears, policy=DEGRADING), Direct(lalm), Rule())
    with pytest.raises(ModelError, match="The LLM is down"):
        await auto.answer(WHICH, LOW, HIGH)
    assert lalm.prompts == []


async def test_the_reader_is_given_the_earlier_turns_of_a_conversation() -> None:
    turns = (Message(role="user", content="Who speaks?\n"), Message(role="assistant", content="A man."))
    ears, llm = ScriptedEars(name_sound), ScriptedLLM(lambda _: "Hello.")
    await Cascade(llm, ears, ears).answer(Question.ask("What does he say?").with_earlier_turns(turns), LOW)
    assert llm.prompts[0][-1].content == (
        "What the listening tools heard:\n- Sounds heard: rain.\n\n"
        "The conversation so far:\nUser: Who speaks?\nAssistant: A man.\n\n"
        "Question: What does he say?\nAnswer in one or two sentences."
    )


async def test_a_lalm_that_hears_two_recordings_answers_about_both() -> None:
    lalm = Direct(ScriptedMultiClipLALM(2, weigh(0.1, 0.9), name="two-eared"))
    answer = await lalm.answer(WHICH, LOW, HIGH)
    assert (answer.choice, answer.evidence[0].recording, answer.evidence[0].end_s) == (WHICH.choices[1], None, None)
    opened = await lalm.answer(Question.ask("Why?"), LOW, HIGH)
    assert opened.reply == "You answer questions about the 2 audio recordings that you hear. 2"
    with pytest.raises(TooManyClips, match="about 3 recordings; the LALM 'two-eared' hears at most 2 recordings"):
        await lalm.answer(WHICH, LOW, HIGH, MIDDLE)
