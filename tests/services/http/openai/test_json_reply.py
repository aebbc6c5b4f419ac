"""Replies as JSON: schemas as clients write them, filled with what an answer holds."""

import json
from enum import Enum
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

from services.errors import ModelError, Unsupported
from services.http.openai.content import Turn
from services.http.openai.json_reply import JSONReply, plan_object
from services.http.openai.prompt import ClientPrompt, read_prompt
from services.types import Answer, Evidence

TEXT = "What is heard?\n(A) Rain\n(B) A dog"


def prompt(text: str = TEXT) -> ClientPrompt:
    return read_prompt(Turn(text, "", ()), (), None, "messages")


def answer(asked: ClientPrompt) -> Answer:
    barks = Evidence(kind="sound", source="ear", revision="1", text="A dog barks.", use="decided")
    return Answer(
        question_id="",
        reply="B",
        choice=asked.question.choices[1],
        probabilities={"A": 0.2, "B": 0.8},
        path="cascade",
        evidence=(barks.model_copy(update={"text": "It is loud.", "use": "read"}), barks),
    )


def fill(schema: dict[str, Any], text: str = TEXT) -> Any:  # noqa: ANN401 - any JSON
    asked = prompt(text)
    filled = json.loads(JSONReply(schema, asked, "response_format").write(answer(asked)))
    jsonschema.validate(filled, schema)
    return filled


class Heard(Enum):
    RAIN = "rain"
    DOG = "a dog"


class Nested(BaseModel):
    heard: Heard


class Full(BaseModel):
    reasoning: str
    answer: Literal["A", "B"]
    confidence: float = Field(ge=0, le=1)
    sounds: list[Heard]
    inner: Nested
    note: str | None
    kind: Literal["choice"] = "choice"


def test_a_schema_of_pydantic_is_filled_field_by_field() -> None:
    assert fill(Full.model_json_schema()) == {
        "reasoning": "A dog barks.",
        "answer": "B",
        "confidence": 0.8,
        "sounds": ["a dog"],
        "inner": {"heard": "a dog"},
        "note": None,
        "kind": "choice",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"type": "string"}, "A dog"),
        ({"type": "string", "description": "The letter of the option"}, "B"),
        ({"type": "string", "maxLength": 1}, "B"),
        ({"type": "string", "pattern": "^[A-D]$"}, "B"),
        ({"type": "string", "enum": ["(A) Rain", "(B) A dog"]}, "(B) A dog"),
        ({"enum": ["A", "B", "C", "D"]}, "B"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "A dog"),
        ({"type": ["string", "null"]}, "A dog"),
        ({"type": "array", "items": {"type": "string"}}, ["A dog"]),
        ({"type": "string", "minLength": 2}, "A dog"),
        ({"type": "string", "pattern": "^[RA]"}, "A dog"),
    ],
)
def test_the_only_field_that_can_hold_the_answer_does(field: dict[str, Any], value: object) -> None:
    schema = {"type": "object", "properties": {"sound_heard": field}, "required": ["sound_heard"]}
    assert fill(schema) == {"sound_heard": value}


def test_references_are_pointers_in_which_signs_are_escaped() -> None:
    schema = {"$ref": "#/$defs/a~1b/x%20y", "$defs": {"a/b": {"x y": {"enum": ["rain", "a dog"]}}}}
    assert fill(schema) == "a dog"


def test_evidence_follows_the_schema_of_its_items() -> None:
    item = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "start": {"type": "number"}},
        "required": ["text"],
    }
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"answer": {"type": "string"}, "evidence": {"type": "array", "items": item}},
    }
    assert fill(schema) == {"answer": "A dog", "evidence": [{"text": "A dog barks."}]}
    item["required"] = ["text", "start"]
    assert fill(schema) == {"answer": "A dog"}
    with pytest.raises(Unsupported, match="'evidence' wants more of a statement than its text"):
        fill(schema | {"required": ["evidence"]})


def test_a_field_that_is_required_and_not_described_is_filled() -> None:
    assert fill({"type": "object", "required": ["answer"]}) == {"answer": "A dog"}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "object"}, "has no field for the answer"),
        ({"type": "object", "properties": {"confidence": {"type": "number"}}}, "has no field for the answer"),
        ({"type": "object", "properties": []}, "not described as JSON Schema"),
        ({"type": "object", "properties": {"answer": {}}, "required": 5}, "not described as JSON Schema"),
        ({"$ref": "#/$defs/nothing"}, "which is not in it"),
        ({"$ref": "http://example.org/schema"}, "which is not in it"),
    ],
)
def test_a_schema_that_holds_no_answer_or_is_none_is_refused(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(Unsupported, match=why):
        JSONReply(schema, prompt(), "response_format")


def test_the_form_of_the_prompt_counts_in_json_too() -> None:
    schema = {"type": "object", "properties": {"result": {"type": "string"}}, "required": ["result"]}
    assert fill(schema, f"{TEXT}\nGive only the letter.") == {"result": "B"}
    numbered = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
    assert fill(numbered, "What is heard?\n1. Rain\n2. A dog") == {"answer": 2}
    truth = {"type": "object", "properties": {"barks": {"type": "boolean"}}, "required": ["barks"]}
    assert fill(truth, "Does a dog bark?\n(A) Yes\n(B) No") == {"barks": False}


def test_fields_that_may_be_left_out_are_left_out() -> None:
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string"}, "speaker": {"type": "string"}, "year": {"type": "integer"}},
        "required": ["answer"],
    }
    assert fill(schema) == {"answer": "A dog"}


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ({"type": "integer"}, "'heard' is required, and nothing is known for it"),
        ({"enum": ["A cat", "A bird"]}, "'heard' has no value for the option 'Rain'"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, "'heard' wants several values"),
        ({"$ref": "#/properties/heard"}, "it refers to itself"),
        ({"type": "string", "minLength": 20}, "'heard' can hold neither the letters of the options nor their texts"),
        ({"type": "string", "pattern": "^Answer: "}, "'heard' can hold neither"),
        ({"type": "string", "pattern": "("}, "'heard' has a pattern or a length that cannot be read"),
        ({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, "'heard.a' is required"),
        ({"type": "string", "not": {"enum": ["A dog"]}}, "'heard' has the rule 'not', which is not followed here"),
    ],
)
def test_what_cannot_be_filled_is_named_before_a_model_works(field: dict[str, Any], why: str) -> None:
    schema = {"type": "object", "properties": {"heard": field}, "required": ["heard"]}
    with pytest.raises(Unsupported, match=why) as refused:
        JSONReply(schema, prompt(), "response_format")
    assert refused.value.param == "response_format"


def test_a_reply_without_a_choice_is_not_json() -> None:
    asked = prompt()
    unread = answer(asked).model_copy(update={"choice": None})
    with pytest.raises(ModelError, match="names none of the options"):
        JSONReply({"type": "object", "properties": {"answer": {"type": "string"}}}, asked, "").write(unread)


ITSELF = {"$ref": "#/$defs/itself"}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "itself",
    [
        {"type": "array", "items": ITSELF},
        {"anyOf": [ITSELF, ITSELF]},
        {"anyOf": [{"type": "array", "items": ITSELF}, ITSELF, {"type": "null"}]},
        {"type": "object", "properties": {f"answer{number}": ITSELF for number in range(20)}},
        {"type": "object", "properties": {f"answer{number}": {} for number in range(1000)}},
    ],
)
def test_a_schema_without_end_is_refused_before_it_is_read_through(itself: dict[str, Any]) -> None:
    with pytest.raises(Unsupported, match="it has more than 200 parts, or refers to itself"):
        JSONReply({"$defs": {"itself": itself}, **ITSELF}, prompt(), "response_format")


@pytest.mark.parametrize(("most", "said"), [(100, 80), (10**400, 1), (float("inf"), 1), (float("nan"), 1)])
def test_confidence_is_told_on_a_scale_that_has_an_end(most: float, said: int) -> None:
    confidence = {"type": "integer", "maximum": most}
    schema = {"type": "object", "properties": {"answer": {"type": "string"}, "confidence": confidence}}
    assert fill(schema) == {"answer": "A dog", "confidence": said}


@pytest.mark.parametrize(
    ("field", "filled"),
    [
        ({"type": "string", "maxLength": 5}, "A dog"),
        ({"type": "string", "minLength": 1}, "A dog barks."),
        ({"type": "array", "items": {"type": "string", "maxLength": 5}}, ["A dog"]),
    ],
)
def test_a_reason_keeps_to_its_bounds(field: dict[str, Any], filled: object) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "string"}, "reasons": field}}
    assert fill(schema | {"required": ["reasons"]})["reasons"] == filled


@pytest.mark.parametrize("bound", [{"minLength": 5000}, {"pattern": "^Because"}])
def test_a_reason_in_a_form_of_its_own_is_refused_where_it_is_required(bound: dict[str, Any]) -> None:
    fields = {"answer": {"type": "string"}, "reasoning": {"type": "string", **bound}}
    schema: dict[str, Any] = {"type": "object", "properties": fields}
    assert fill(schema) == {"answer": "A dog"}
    with pytest.raises(Unsupported, match="'reasoning' wants a reason in a form"):
        fill(schema | {"required": ["reasoning"]})


def test_confidence_is_told_between_the_ends_of_its_scale() -> None:
    confidence = {"type": "integer", "minimum": 1, "maximum": 5}
    schema = {"type": "object", "properties": {"answer": {"type": "string"}, "confidence": confidence}}
    assert fill(schema) == {"answer": "A dog", "confidence": 4}  # 1 + 0.8 * 4
    unlikely = prompt()
    doubted = answer(unlikely).model_copy(update={"probabilities": {"A": 0.99, "B": 0.01}})
    assert json.loads(JSONReply(schema, unlikely, "").write(doubted))["confidence"] == 1


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (TEXT, {"answer": "A dog"}),
        (f"{TEXT}\nAnswer with the letter, in JSON.", {"answer": "B"}),
        (f'{TEXT}\nReply in JSON: {{"reason": "...", "result": "A"}}', {"reason": "A dog barks.", "result": "B"}),
    ],
)
def test_a_json_object_has_the_fields_that_the_prompt_shows_or_the_answer_alone(
    text: str, written: dict[str, str]
) -> None:
    asked = prompt(text)
    filled = plan_object(asked, "response_format")
    assert filled and json.loads(filled.write(answer(asked))) == written


def test_a_json_object_that_the_prompt_writes_out_is_its_form() -> None:
    asked = prompt(f'{TEXT}\nReply: {{"choice": "<letter>"}}')
    assert plan_object(asked, "response_format") is None
    assert json.loads(asked.write(answer(asked))) == {"choice": "B"}
