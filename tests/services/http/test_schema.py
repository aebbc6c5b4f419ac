"""The published schema of an answer."""

import json
from pathlib import Path

import jsonschema
import pytest

from services.http.schema import render_schema
from services.types import Answer, Choice, Draft, Evidence, Opinion, TraceStep, Usage

PUBLISHED = Path(__file__).parents[3] / "docs" / "answer.schema.json"
CHOICE = Choice(letter="A", text="Rain")
ANSWER = Answer(
    question_id="q",
    reply="A",
    choice=CHOICE,
    probabilities={"A": 0.9, "B": 0.1},
    path="auto",
    route="both",
    trace=(TraceStep(step="route", text="both (rule)"),),
    evidence=(Evidence(kind="sound", source="yamnet", revision="1", text="Rain.", end_s=2.0, confidence=0.9),),
    degraded=("no ASR: down",),
    timings_s={"read": 0.5},
    usage=Usage(prompt_tokens=3),
    drafts=(Draft(actions=0, choice=None),),
    arms=(Opinion(path="lalm", choice=CHOICE, probabilities={}),),
)


@pytest.mark.slow
def test_the_published_schema_is_that_of_the_code() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == render_schema(), (
        "python -m services.http.schema > docs/answer.schema.json"
    )
    jsonschema.Draft202012Validator.check_schema(json.loads(render_schema()))


@pytest.mark.slow
def test_an_answer_as_it_is_written_fits_the_schema_and_a_wrong_one_does_not() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    written = json.loads(ANSWER.model_dump_json())
    jsonschema.validate(written, published)
    written["evidence"][0]["kind"] = "rumour"
    with pytest.raises(jsonschema.ValidationError, match="'rumour' is not one of"):
        jsonschema.validate(written, published)
