"""A LALM hears the clip and reads what captioner and ASR heard; without them it is told apart from path lalm."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.degradation import DEGRADING
from agents.direct import Direct
from agents.informed import Informed
from agents.paths import make_builder
from eval.run.request import RunRequest, name_run_folder
from services.errors import BadConfig, ModelError
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.models import ScriptedModels
from services.scripted.rules import fail_with
from services.types import AudioClip, Question, Reading, ReadingStyle

CLIP = AudioClip(np.zeros(16_000, np.float32))
QUESTION = Question.ask("What rings?", ("A bell", "A telephone"), id="q")
SURE = Reading(reply="A", probabilities={"A": 0.9, "B": 0.1})


def open_ears() -> ScriptedEars:
    return ScriptedEars(lambda *_: ("Sounds heard: bell.",), lambda _: ("it is noon",), name="ears")


def open_lalm() -> ScriptedLALM:
    return ScriptedLALM(lambda *_: Reading(reply="A bell rings."), lambda *_: SURE, name="lalm")


async def test_the_lalm_is_given_captions_and_transcript_beside_the_clip() -> None:
    lalm = open_lalm()
    answer = await Informed(Direct(lalm), open_ears(), open_ears()).answer(QUESTION, CLIP)
    assert (answer.path, answer.choice, answer.probabilities) == ("informed", QUESTION.choices[0], {"A": 0.9, "B": 0.1})
    (given,) = lalm.given
    assert [(one.kind, one.text) for one in given or ()] == [
        ("sound", "Sounds heard: bell."),
        ("transcript", "it is noon"),
    ]
    assert [one.step for one in answer.trace] == ["caption", "transcribe", "listen"]
    assert answer.trace[-1].text == "lalm, given 2 statements by ears"
    assert [(one.step, one.use) for one in answer.evidence[1:]] == [("caption", "read"), ("transcribe", "read")]
    assert answer.timings_s.keys() == {"caption", "transcribe", "listen"}


async def test_an_open_question_is_answered_in_words() -> None:
    answer = await Informed(Direct(open_lalm()), open_ears(), open_ears()).answer(Question.ask("What?"), CLIP)
    assert (answer.path, answer.reply) == ("informed", "A bell rings.")


async def test_where_nothing_was_heard_the_lalm_is_told_so() -> None:
    lalm = open_lalm()
    await Informed(Direct(lalm), ScriptedEars(), ScriptedEars()).answer(QUESTION, CLIP)
    assert lalm.given == [()]


async def test_on_path_lalm_nothing_is_given() -> None:
    lalm = open_lalm()
    assert (await Direct(lalm).answer(QUESTION, CLIP)).path == "lalm"
    assert lalm.given == [None]


async def test_without_a_captioner_it_reads_the_transcript_and_without_both_ears_it_hears_alone() -> None:
    lalm, down = open_lalm(), ScriptedEars(fail_with(ModelError("down")), fail_with(ModelError("deaf")))
    answer = await Informed(Direct(lalm), down, open_ears(), policy=DEGRADING).answer(QUESTION, CLIP)
    assert answer.degraded == ("no captioner: down",)
    answer = await Informed(Direct(lalm), down, down, policy=DEGRADING).answer(QUESTION, CLIP)
    assert sorted(answer.degraded) == ["no ASR: deaf", "no captioner: down"]
    assert [given if given is None else [one.kind for one in given] for given in lalm.given] == [["transcript"], None]


async def test_without_the_lalm_there_is_no_answer() -> None:
    down = ScriptedLALM(fail_with(ModelError("gone")))
    with pytest.raises(ModelError, match="gone"):
        await Informed(Direct(down), open_ears(), open_ears(), policy=DEGRADING).answer(QUESTION, CLIP)


DOUBTFUL = Reading(reply="A", probabilities={"A": 0.51, "B": 0.49})
TIMES = Question.ask("How many times does the bell ring?", ("Once", "Twice"), id="q")


def open_models(lalm: ScriptedLALM) -> ScriptedModels:
    """Return models of which the LLM is in doubt, and the captioner hears more when it is asked."""
    ears = ScriptedEars(lambda _, focus: ("Rings: 2.",) if focus else ("Sounds heard: bell.",), name="ears")
    return ScriptedModels(ScriptedLLM(choose=lambda *_: DOUBTFUL, name="reader"), ears, lalm)


async def test_without_a_summary_the_reply_is_that_of_path_lalm() -> None:
    lalm = open_lalm()
    alone = await make_builder("informed", summary="none")(open_models(lalm)).answer(TIMES, CLIP)
    direct = await make_builder("lalm")(open_models(lalm)).answer(TIMES, CLIP)
    assert lalm.given == [None, None]
    assert lalm.prompts[0] == lalm.prompts[1]
    assert (alone.path, alone.reply, alone.probabilities) == ("informed", direct.reply, direct.probabilities)


async def test_the_summary_after_tools_has_what_listening_again_found() -> None:
    lalm = open_lalm()
    await make_builder("informed", summary="perception")(open_models(lalm)).answer(TIMES, CLIP)
    answer = await make_builder("informed", summary="tools")(open_models(lalm)).answer(TIMES, CLIP)
    assert [[one.text for one in given or ()] for given in lalm.given] == [
        ["Sounds heard: bell."],
        ["Sounds heard: bell.", "Rings: 2."],
    ]
    assert [one.step for one in answer.trace] == ["caption", "transcribe", "read", "listen again", "listen"]
    assert answer.path == "informed"


async def test_on_path_auto_the_lalm_that_reads_hears_last_and_decides() -> None:
    lalm = ScriptedLALM(choose=lambda *_: Reading(reply="B", probabilities={"A": 0.45, "B": 0.55}), name="lalm")
    answer = await make_builder("auto", summary="tools")(open_models(lalm)).answer(TIMES, CLIP)
    assert [one.text for one in lalm.given[0] or ()] == ["Sounds heard: bell.", "Rings: 2."]
    assert (answer.path, answer.choice, answer.probabilities) == ("auto", TIMES.choices[1], {"A": 0.45, "B": 0.55})
    assert [arm.path for arm in answer.arms] == ["cascade", "lalm"]
    assert [one.step for one in answer.trace][-2:] == ["listen", "reconcile"]


async def test_on_path_auto_the_cascade_stands_in_for_a_lalm_that_is_down() -> None:
    down = ScriptedLALM(choose=fail_with(ModelError("gone")))
    build = make_builder("auto", summary="perception", policy=DEGRADING)
    answer = await build(open_models(down)).answer(TIMES, CLIP)
    assert answer.choice is not None
    assert answer.degraded == ("no LALM: gone",)


def test_a_summary_needs_a_lalm_that_reads() -> None:
    with pytest.raises(BadConfig, match="leave out --summary, or take informed, auto or both"):
        make_builder("cascade", summary="tools")


def test_a_lalm_that_takes_no_text_beside_audio_is_refused_in_one_line() -> None:
    def build(lalm: ScriptedLALM) -> object:
        return make_builder("informed")(ScriptedModels(ScriptedLLM(), open_ears(), lalm)).answerer

    assert isinstance(build(open_lalm()), Informed)
    with pytest.raises(BadConfig, match="the LALM 'mute' takes none: name one that does with --lalm") as refused:
        build(ScriptedLALM(name="mute", style=ReadingStyle()))
    assert "\n" not in str(refused.value)


def test_a_run_names_the_path_with_its_lalm_captioner_and_asr() -> None:
    chosen: dict[str, Any] = {"bench": "mmau", "concurrency": 1, "seed": 1, "lalm": "toy"}
    options = RunRequest(path="informed", **chosen).resolve_options()
    assert (options.llm, options.captioner, options.asr, options.lalm) == (None, "acoustic", "whisper-base", "toy")
    assert name_run_folder(options) == Path("runs/mmau-informed-acoustic-whisper-base-toy")
    assert name_run_folder(RunRequest(path="lalm", **chosen).resolve_options()) == Path("runs/mmau-lalm-toy")
    with pytest.raises(BadConfig, match="Path 'informed' scores the texts"):
        make_builder("informed", rotations=2)
