"""What an OpenAI-compatible server may answer, and what becomes of it. The server here is real, on loopback."""

import json
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import pytest
from aiohttp import web

from services.catalog import open_served_llm
from services.clients.chat_server import Endpoint
from services.errors import BadConfig, ModelError
from services.llms.openai_server import ServedLLM
from services.request_context import ReplyOptions, RequestContext, use_context
from services.scripted.server import ScriptedServer, make_completion, run_scripted_server
from services.types import Choice, Message, Sampling

PROMPT = (Message(role="user", content="Which? A. dog B. cat"),)
CHOICES = (Choice(letter="A", text="dog"), Choice(letter="B", text="cat"))


Fixture: TypeAlias = tuple[ScriptedServer, Callable[..., ServedLLM]]


@pytest.fixture
async def server() -> AsyncIterator[Fixture]:
    async with run_scripted_server() as scripted:
        yield scripted, lambda **options: ServedLLM(Endpoint(url=scripted.url, model="toy", **options), name="toy")


async def test_log_probabilities_become_probabilities_of_the_letters(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [make_completion("B", {"B": 0.6, " A": 0.2, "The": 0.1})]
    reading = await open_llm().choose(PROMPT, CHOICES)
    assert reading.reply == "B"
    assert reading.probabilities == pytest.approx({"A": 0.25, "B": 0.75})
    assert scripted.requests[0]["logprobs"] is True


async def test_a_server_without_log_probabilities_is_read_by_its_reply_in_one_request(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [make_completion("(B) cat")]
    reading = await open_llm().choose(PROMPT, CHOICES)
    assert (reading.reply, reading.probabilities) == ("(B) cat", {})
    assert len(scripted.requests) == 1


async def test_the_article_of_a_sentence_is_not_an_option_letter(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [make_completion("A cat meows, so B.", {"A": 0.9, "B": 0.1})]
    assert (await open_llm().choose(PROMPT, CHOICES)).probabilities == {}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, "unknown parameter: logprobs"),
        (422, "Extra inputs are not permitted"),
        (400, '{"error": {"message": "No.", "param": "top_logprobs"}}'),
    ],
)
async def test_a_server_that_refuses_logprobs_is_asked_without_from_then_on(
    server: Fixture, status: int, body: str
) -> None:
    scripted, open_llm = server
    scripted.responses = [
        web.Response(status=status, text=body),
        make_completion("A"),
        make_completion("B"),
    ]
    llm = open_llm()
    assert [(await llm.choose(PROMPT, CHOICES)).reply for _ in range(2)] == ["A", "B"]
    assert ["logprobs" in request for request in scripted.requests] == [True, False, False]


@pytest.mark.parametrize("status", [401, 400])
async def test_another_error_about_logprobs_is_not_taken_for_a_refusal_of_them(server: Fixture, status: int) -> None:
    scripted, open_llm = server
    body = '{"error": {"message": "The key allows no logprobs.", "param": "messages"}}'
    scripted.responses = [web.Response(status=status, text=body)]
    with pytest.raises(ModelError):
        await open_llm().choose(PROMPT, CHOICES)
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        web.Response(status=429, headers={"Retry-After": "0.01"}),
        web.Response(status=500, text="oops"),
        web.Response(text="not json", content_type="application/json"),
        web.Response(text='{"choices": []}', content_type="application/json"),
    ],
    ids=["429", "500", "garbage", "no choices"],
)
async def test_a_passing_failure_is_retried(server: Fixture, failure: web.Response) -> None:
    scripted, open_llm = server
    scripted.responses = [failure, make_completion("A")]
    assert (await open_llm().complete(PROMPT)).reply == "A"


async def test_a_lasting_failure_names_server_model_and_status(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [web.Response(status=503, text="loading") for _ in range(2)]
    with pytest.raises(ModelError, match=r"asked for 'toy', answered 503 .*: loading\. Tried 2 times\."):
        await open_llm(num_retries=1).complete(PROMPT)


async def test_a_refused_request_is_not_repeated(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [web.Response(status=401, text="bad key")]
    with pytest.raises(ModelError, match="answered 401"):
        await open_llm().complete(PROMPT)
    assert len(scripted.requests) == 1


async def test_a_model_that_the_server_knows_by_its_hub_id_is_found_and_then_asked_by_it(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [web.Response(status=404, text="no such model"), make_completion("A"), make_completion("B")]
    llm = open_llm(aliases=("org/toy",))
    assert [(await llm.complete(PROMPT)).reply for _ in range(2)] == ["A", "B"]
    assert [request["model"] for request in scripted.requests] == ["toy", "org/toy", "org/toy"]


async def test_a_server_that_is_not_there_is_named() -> None:
    llm = ServedLLM(Endpoint(url="http://127.0.0.1:9/v1", model="toy", num_retries=0), name="toy")
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9/v1, asked for 'toy', cannot be reached"):
        await llm.complete(PROMPT)


async def test_the_key_is_sent_and_never_shown(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [web.Response(status=400, text="no")]
    llm = open_llm(api_key="secret-key")
    with pytest.raises(ModelError) as raised:
        await llm.complete(PROMPT)
    assert scripted.keys == ["Bearer secret-key"]
    assert "secret-key" not in str(raised.value) + repr(llm._server._endpoint)


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"'localhost:8000' is not a server URL"):
        ServedLLM(Endpoint(url="localhost:8000", model="toy"), name="toy")


async def test_a_reply_that_the_server_cut_off_is_not_finished(server: Fixture) -> None:
    scripted, open_llm = server
    choice = {"message": {"content": "It is a"}, "finish_reason": "length"}
    cut = web.Response(body=json.dumps({"choices": [choice]}), content_type="application/json")
    scripted.responses = [cut, make_completion("It is a dog.")]
    llm = open_llm()
    assert [(await llm.complete(PROMPT)).is_finished for _ in range(2)] == [False, True]


async def test_each_prompt_is_drawn_with_a_seed_of_its_own(server: Fixture) -> None:
    scripted, _ = server
    scripted.responses = [make_completion("A") for _ in range(3)]
    llm = open_served_llm("toy", scripted.url, sampling=Sampling(temperature=0.7, top_p=0.9, max_tokens=64, seed=1))
    for content in ("Which?", "Which?", "Who?"):
        await llm.complete((Message(role="user", content=content),))
    first, again, other = scripted.requests
    assert (first["temperature"], first["top_p"], first["max_tokens"]) == (0.7, 0.9, 64)
    assert first["seed"] == again["seed"] != other["seed"]


async def test_an_open_reply_is_asked_for_as_the_client_wants_it_and_options_are_not(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [make_completion("Rain"), make_completion("B", {"B": 0.6, "A": 0.2}), make_completion("Rain")]
    options = ReplyOptions(temperature=0.7, stop=(".",), seed=4)
    llm = open_llm()
    with use_context(RequestContext(reply_options=options)):
        await llm.complete(PROMPT)
        await llm.choose(PROMPT, CHOICES)
    await llm.complete(PROMPT)
    told = [(one["temperature"], one.get("stop"), one.get("seed")) for one in scripted.requests]
    assert told == [(0.7, ["."], 4), (0.0, None, None), (0.0, None, None)]
    assert (llm.takes_reply_options, open_llm(temperature=None).takes_reply_options) == (True, False)


SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


async def test_a_reply_is_held_to_a_json_schema(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [make_completion("{}")]
    assert (await open_llm().complete_as(PROMPT, SCHEMA)).reply == "{}"
    wanted = scripted.requests[0]["response_format"]
    assert wanted == {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True}}


@pytest.mark.parametrize("param", [None, "response_format"])
async def test_a_server_that_knows_no_schemas_is_asked_without_from_then_on(server: Fixture, param: str | None) -> None:
    scripted, open_llm = server
    refusal = web.json_response({"error": {"message": "no", "param": param}}, status=400)
    scripted.responses = [refusal, make_completion("prose"), make_completion("prose")]
    llm = open_llm()
    assert llm.takes_schema
    assert (await llm.complete_as(PROMPT, SCHEMA)).reply == "prose"
    assert (await llm.complete_as(PROMPT, SCHEMA)).reply == "prose"
    assert ["response_format" in request for request in scripted.requests] == [True, False, False]
    assert not llm.takes_schema


async def test_a_refusal_of_something_else_is_an_error(server: Fixture) -> None:
    scripted, open_llm = server
    scripted.responses = [web.json_response({"error": {"message": "no", "param": "messages"}}, status=400)]
    with pytest.raises(ModelError):
        await open_llm().complete_as(PROMPT, SCHEMA)
