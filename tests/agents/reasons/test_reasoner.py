"""Reasons for answers: by an LLM that can be held to a schema, by one that writes lines, and without any."""

import asyncio
import json

import numpy as np
import pytest

from agents.degradation import DEGRADING
from agents.paths import make_builder
from agents.reasons.reasoned import Reasoned
from services.deadline import set_deadline
from services.errors import ModelError
from services.protocols import LLM
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM, ScriptedStructuredLLM
from services.scripted.models import ScriptedModels
from services.scripted.rules import fail_with, weigh
from services.scripted.service import ScriptedAnswerer
from services.types import (
    Answer,
    AudioClip,
    Citation,
    Claim,
    Evidence,
    Question,
    Reading,
    ReadingStyle,
    TraceStep,
    Usage,
)

CLIP = AudioClip(np.zeros(160_000, np.float32))
OPEN = Question.ask("What is heard?").model_copy(update={"wants_reasons": True})
CHOICE = OPEN.with_options(("A bell", "A dog"))
EVIDENCE = (
    Evidence(kind="sound", source="a", revision="1", text="Sounds heard: bell.", end_s=10.0, use="read"),
    Evidence(kind="event", source="a", revision="1", text="Eleven strokes.", start_s=3.1, end_s=4.0, use="decided"),
    Evidence(kind="loudness", source="a", revision="1", text="Level -20 dB.", use="unread"),
    Evidence(kind="reply", source="ear", revision="1", text="A bell"),
)
ANSWER = Answer(
    question_id="",
    reply="A bell rings.",
    choice=None,
    path="cascade",
    evidence=EVIDENCE,
    trace=(TraceStep(step="read", text="reader"),),
    timings_s={"read": 0.5},
    usage=Usage(prompt_tokens=5),
)
GOOD = {
    "claims": [
        {"claim": "A bell is heard.", "evidence": [{"id": "S1", "start_s": 0.0, "end_s": 10.0}]},
        {"claim": "It has twelve strokes.", "evidence": [{"id": "S2", "start_s": 3.1, "end_s": 4.0}]},
        {"claim": "It is quiet.", "evidence": [{"id": "S3", "start_s": None, "end_s": None}]},
        {"claim": "It is a church bell.", "evidence": []},
    ]
}


async def explain(llm: LLM | None, answer: Answer = ANSWER, question: Question = OPEN) -> Answer:
    return await Reasoned(ScriptedAnswerer(lambda *_: answer), llm, DEGRADING).answer(question, CLIP)


def choose(letter: str) -> Answer:
    choice = next(one for one in CHOICE.choices if one.letter == letter)
    return ANSWER.model_copy(update={"choice": choice, "reply": letter})


async def test_each_claim_of_json_is_checked_against_what_was_read() -> None:
    llm = ScriptedStructuredLLM(lambda _: json.dumps(GOOD), name="writer")
    answer = await explain(llm)
    assert answer.reasons is not None
    assert (answer.reasons.status, answer.reasons.author) == ("given", "writer")
    assert [(one.verdict, one.faults) for one in answer.reasons.claims] == [
        ("supported", ()),
        ("wrong_number", ("twelve",)),
        ("no_such_evidence", ("S3",)),  # it exists, and was not read
        ("uncited", ()),
    ]
    (schema,), (prompt,) = llm.schemas, llm.prompts
    assert json.dumps(schema).count('"enum": ["S1", "S2"]') == 1
    assert "[S2] 3.1-4.0 s: Eleven strokes." in prompt[-1].content and "Level" not in prompt[-1].content
    assert "The answer given: A bell rings." in prompt[-1].content


async def test_reasons_leave_the_answer_as_it_is() -> None:
    llm = ScriptedStructuredLLM(lambda _: Reading(reply=json.dumps(GOOD), usage=Usage(prompt_tokens=7)), name="writer")
    answer = await explain(llm)
    same = {"reasons": None, "trace": ANSWER.trace, "timings_s": ANSWER.timings_s, "usage": ANSWER.usage}
    assert answer.model_copy(update=same) == ANSWER
    assert answer.trace[-1].text == "writer, 1 of 4 claims supported"
    assert answer.timings_s.keys() == {"read", "reason"}
    assert answer.usage == Usage(prompt_tokens=12)


async def test_nobody_is_asked_for_reasons_that_are_not_wanted() -> None:
    plain = OPEN.model_copy(update={"wants_reasons": False})
    assert await explain(ScriptedLLM(), question=plain) == ANSWER


@pytest.mark.parametrize(
    ("reply", "is_finished", "status", "num_claims"),
    [
        ("The bell tells it.", True, "unreadable", 0),
        ("", True, "unreadable", 0),
        (json.dumps(GOOD)[:60], False, "cut_off", 0),
        ('{"claims": []}', True, "none", 0),
        (json.dumps({"claims": GOOD["claims"][:1] * 90}), True, "given", 1),
    ],
)
async def test_a_reply_that_is_not_of_the_schema_is_said_to_be_so(
    reply: str, is_finished: bool, status: str, num_claims: int
) -> None:
    answer = await explain(ScriptedStructuredLLM(lambda _: Reading(reply=reply, is_finished=is_finished)))
    assert answer.reasons is not None
    assert (answer.reasons.status, len(answer.reasons.claims)) == (status, num_claims)
    assert answer.reasons.unread == (reply if status in {"unreadable", "cut_off"} else "")


async def test_an_llm_without_schemas_writes_lines_about_an_open_question() -> None:
    llm = ScriptedLLM(lambda _: Reading(reply="A bell is heard. [S1]\nIt is near.\nAnd th", is_finished=False))
    answer = await explain(llm)
    assert answer.reasons is not None and answer.reasons.status == "cut_off"
    assert [(one.text, one.verdict) for one in answer.reasons.claims] == [
        ("A bell is heard.", "supported"),
        ("It is near.", "uncited"),
    ]


async def test_of_options_that_an_llm_scores_the_statements_for_the_chosen_one_are_the_claims() -> None:
    answer = await explain(ScriptedLLM(), choose("A"), CHOICE)
    assert answer.reasons is not None and answer.reasons.author is None
    cited = Citation(id="S1", start_s=0.0, end_s=10.0)
    assert answer.reasons.claims == (Claim(text="Sounds heard: bell.", cites=(cited,), verdict="supported"),)
    other = await explain(ScriptedLLM(), choose("B"), CHOICE)
    assert other.reasons is not None and (other.reasons.status, other.reasons.claims) == ("none", ())
    structured = await explain(ScriptedStructuredLLM(lambda _: json.dumps(GOOD)), choose("A"), CHOICE)
    assert structured.reasons is not None and len(structured.reasons.claims) == 4


async def test_of_the_statements_for_the_chosen_option_alone_the_deciding_one_comes_first() -> None:
    bells = tuple(EVIDENCE[0].model_copy(update={"text": f"A bell, {number} s."}) for number in range(9))
    both = EVIDENCE[0].model_copy(update={"text": "A bell and a dog."})
    decided = EVIDENCE[1].model_copy(update={"text": "It is a bell."})
    answer = await explain(ScriptedLLM(), choose("A").model_copy(update={"evidence": (both, *bells, decided)}), CHOICE)
    assert answer.reasons is not None
    assert [one.text for one in answer.reasons.claims] == ["It is a bell.", *(one.text for one in bells[:4])]


@pytest.mark.parametrize("max_chars", [45, 50])
async def test_the_prompt_holds_what_has_room_the_deciding_statement_before_all_others(max_chars: int) -> None:
    long = EVIDENCE[0].model_copy(update={"text": "x" * 30})
    llm = ScriptedStructuredLLM(lambda _: json.dumps(GOOD), style=ReadingStyle(max_chars=max_chars))
    await explain(llm, ANSWER.model_copy(update={"evidence": (long, EVIDENCE[0], EVIDENCE[1])}))
    (prompt,) = llm.prompts  # 30, 19 and 15 characters, and the last one decided
    assert long.text in prompt[-1].content and EVIDENCE[1].text in prompt[-1].content
    assert EVIDENCE[0].text not in prompt[-1].content


@pytest.mark.parametrize(
    ("question", "answer"), [(OPEN, ANSWER.model_copy(update={"reply": ""})), (CHOICE, ANSWER)], ids=["empty", "unread"]
)
async def test_there_are_no_reasons_for_an_answer_that_says_nothing(question: Question, answer: Answer) -> None:
    explained = await explain(ScriptedStructuredLLM(), answer, question)  # which is not asked
    assert explained.reasons is not None and explained.reasons.status == "none"


async def test_of_a_reply_that_cannot_be_read_the_beginning_is_shown() -> None:
    answer = await explain(ScriptedStructuredLLM(lambda _: "x" * 9_000))
    assert answer.reasons is not None and answer.reasons.unread == "x" * 2_000


async def test_an_llm_that_could_take_a_schema_but_does_not_writes_lines() -> None:
    llm = ScriptedStructuredLLM(lambda _: "A bell is heard. [S1]")
    llm.takes_schema = False
    answer = await explain(llm)
    assert llm.schemas == []
    assert answer.reasons is not None and answer.reasons.status == "given"


async def test_the_prompt_for_reasons_says_how_many_recordings_there_are() -> None:
    llm = ScriptedLLM(lambda _: "A bell is heard. [S1]")
    asking = Reasoned(ScriptedAnswerer(lambda *_: ANSWER), llm)
    await asking.answer(OPEN, CLIP)
    await asking.answer(OPEN, CLIP, CLIP)
    one, two = (prompt[0].content for prompt in llm.prompts)
    assert one != two and "2" in two


async def test_a_path_without_llm_or_evidence_says_so() -> None:
    without = await explain(None)
    assert without.reasons is not None and without.reasons.status == "no_llm"
    deaf = await explain(ScriptedLLM(), ANSWER.model_copy(update={"evidence": EVIDENCE[3:]}))
    assert deaf.reasons is not None and deaf.reasons.status == "no_evidence"
    assert deaf.trace[-1].text == "there is no evidence to cite"


async def test_reasons_that_are_late_or_fail_are_left_out_and_the_answer_stands() -> None:
    failed = await explain(ScriptedLLM(fail_with(ModelError("The server is gone."))))
    assert failed.reasons is not None and failed.reasons.status == "failed"
    assert failed.degraded == ("no reasons: The server is gone.",)
    with set_deadline(0.02):
        late = await explain(ScriptedLLM(lambda _: "x", latency_s=5.0))
    assert late.reasons is not None and late.reasons.status == "late"
    assert late.trace[-1].text == "left out, as time was short"
    assert late.reply == ANSWER.reply and "no reasons: The step 'reason'" in late.degraded[0]
    with pytest.raises(ModelError):
        await Reasoned(ScriptedAnswerer(lambda *_: ANSWER), ScriptedLLM(fail_with(ModelError("x")))).answer(OPEN, CLIP)


async def test_what_is_said_is_cited_only_where_the_question_asks_for_it() -> None:
    said = Evidence(kind="transcript", source="b", revision="1", text="Answer dog!", start_s=1.0, end_s=2.0)
    llm = ScriptedLLM(lambda _: "It was said. [S2]")
    asked = Question.ask("Which instrument is playing?").model_copy(update={"wants_reasons": True})
    answer = await explain(llm, ANSWER.model_copy(update={"evidence": (EVIDENCE[0], said)}), asked)
    assert answer.reasons is not None and answer.reasons.claims[0].verdict == "no_such_evidence"
    assert "Answer dog" not in llm.prompts[0][-1].content


@pytest.mark.parametrize("path", ["text", "cascade", "lalm", "informed", "auto"])
async def test_every_path_brings_reasons_and_opens_no_llm_for_them_alone(path: str) -> None:
    def read(prompt: str) -> str:
        return "A bell. [S1]" if "The answer given" in prompt else "A bell rings."

    ears = ScriptedEars(lambda *_: ("Sounds heard: bell.",), lambda _: (), name="ears")
    lalm = ScriptedLALM(lambda *_: Reading(reply="A bell"), weigh(0.9, 0.1), name="ear")
    llm = ScriptedLLM(read, weigh(0.9, 0.1), name="reader")
    question = CHOICE if path == "auto" else OPEN
    answer = await make_builder(path)(ScriptedModels(llm, ears, lalm)).answer(question, CLIP)
    assert answer.reasons is not None and answer.trace[-1].step == "reason"
    expected = {"text": "no_evidence", "cascade": "given", "lalm": "no_evidence", "informed": "no_llm"}
    assert answer.reasons.status == expected.get(path, "given")


async def test_questions_at_the_same_time_get_their_own_reasons() -> None:
    llm = ScriptedLLM(lambda prompt: f"{prompt.count('bell')} [S1]", latency_s=0.01)
    answers = await asyncio.gather(*(explain(llm, ANSWER.model_copy(update={"reply": "bell " * n})) for n in (1, 3)))
    assert [one.reasons.claims[0].text for one in answers if one.reasons] == ["2", "4"]
