"""JSON that prompts show as an example: replies have its fields, or say which cannot be filled."""

import json

import pytest

from services.http.openai.chat import Chat, read_chat
from services.http.openai.json_example import find_example
from services.types import Answer, Evidence

HEARD = "What is heard?"
OPTIONS = "(A) Rain\n(B) A dog"


def read(asked: str, system: str = "", **fields: object) -> Chat:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": f"{HEARD}\n{OPTIONS}\n{asked}"}]
    return read_chat(json.dumps({"messages": messages, **fields}).encode(), lambda name: name)


def write(chat: Chat) -> str:
    barks = Evidence(kind="sound", source="ear", revision="1", text="A dog barks.", use="decided")
    answer = Answer(
        question_id="",
        reply="B",
        choice=chat.asked.question.choices[1],
        probabilities={"A": 0.2, "B": 0.8},
        path="cascade",
        evidence=(barks,),
    )
    return (chat.json.write if chat.json else chat.prompt.write)(answer)


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        (
            'Respond with JSON in this format:\n{\n  "reasoning": "...",\n  "answer": "A"\n}',
            {"reasoning": "A dog barks.", "answer": "B"},
        ),
        ('Return JSON like this:\n```json\n{\n "answer": "A"\n}\n```', {"answer": "B"}),
        ('Output: {"answer": "<option letter>", "confidence": 0.9}', {"answer": "B", "confidence": 0.8}),
        (
            'Output: {"final_answer": "text of the option", "confidence": 95, "why": "..."}',
            {"final_answer": "A dog", "confidence": 80, "why": "A dog barks."},
        ),
    ],
)
def test_the_fields_of_an_example_are_filled_and_the_question_is_freed_of_it(asked: str, reply: object) -> None:
    for chat in (read(asked), read("", asked)):
        assert (json.loads(write(chat)), chat.asked.question.text) == (reply, HEARD)


def test_a_field_that_cannot_be_filled_is_named_and_the_answer_is_given_alone() -> None:
    chat = read('Output: {"answer": "A", "steps": ["..."]}')
    assert write(chat) == '{"answer": "B"}'
    assert [warning for warning in chat.warnings if "'steps' is required" in warning]


def test_a_field_of_the_request_takes_precedence_over_an_example() -> None:
    shown = 'Output: {"answer": "A", "confidence": 0.9}'
    assert write(read(shown, reply="text")) == "A dog"
    schema = {"type": "object", "properties": {"answer": {"enum": ["a", "b"]}}}
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    assert write(read(shown, response_format=wanted)) == '{"answer": "b"}'


@pytest.mark.parametrize(
    "text", ['The text reads {"name": "Bob", "answer": 42}.', 'He says {"name": "Bob", "age": "4"}.', "{answer}", "{}"]
)
def test_other_braces_are_left_in_the_question(text: str) -> None:
    assert find_example(text) == (text, None)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("unit", ["{", "{a", '{"answer": "', '{"a": "b", "answer": "c"} ', '"answer": ['])
def test_the_longest_texts_are_searched_at_once(unit: str) -> None:
    find_example((unit * 20_000)[:20_000])
