"""Bodies as they come from the wild: cut off, compressed, in other encodings, with other names for lists."""

import gzip
import json
from collections.abc import AsyncGenerator, Iterator
from io import BytesIO

import httpx
import pytest
import soundfile
from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService

PATH = "/v1/audio/questions"
CHAT = {"model": "text", "messages": [{"role": "user", "content": "Which?\n(A) Rain\n(B) A dog"}]}
PART = b'--XX\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(ScriptedService(), Limits()), "http://127.0.0.1") as client:
        yield client


def build_form(*fields: tuple[bytes, bytes]) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, [0.5, -0.5] * 4_000, 16_000, format="WAV")
    file = PART.replace(b'"%s"', b'"file"; filename="a.wav"') % buffer.getvalue()
    return file + b"".join(PART % field for field in fields) + b"--XX--\r\n"


def post(client: TestClient, form: bytes) -> httpx.Response:
    return client.post(PATH, content=form, headers={"Content-Type": "multipart/form-data; boundary=XX"})


def post_json(client: TestClient, body: bytes, **headers: str) -> httpx.Response:
    return client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"} | headers)


OPTIONS = ((b"question", b"Which?"), (b"choices", b"Rain"), (b"choices", b"A dog"), (b"choices", b"Wind"))


@pytest.mark.parametrize("num_lost", [3, 20, 60])
def test_a_form_that_is_cut_off_loses_no_field_in_silence(client: TestClient, num_lost: int) -> None:
    form = build_form(*OPTIONS)
    assert post(client, form).json()["choice"]["text"] == "Wind"  # the last option
    cut = post(client, form[:-num_lost] if num_lost > 3 else form.removesuffix(b"--\r\n"))
    assert cut.status_code == 400
    assert cut.json()["error"]["message"] == "The form breaks off before the boundary that ends it."


def test_a_form_of_no_bytes_breaks_off(client: TestClient) -> None:
    assert "breaks off" in post(client, b"").json()["error"]["message"]


@pytest.mark.parametrize("text", ["Was hören Sie?".encode("latin-1"), "何が聞こえますか".encode("shift-jis")])
def test_text_that_is_not_utf_8_is_refused_by_the_name_of_its_field(client: TestClient, text: bytes) -> None:
    error = post(client, build_form((b"question", text))).json()["error"]
    assert error["message"] == "The form cannot be read: 'question' is not UTF-8."
    assert post(client, build_form((b"question", "Was hören Sie?".encode()))).status_code == 200


def test_a_recording_without_a_name_is_refused_by_what_it_lacks(client: TestClient) -> None:
    error = post(client, build_form((b"question", b"What?"), (b"file", b"RIFF\xff\xfe\x80"))).json()["error"]
    assert error["message"] == "'file' has to be a file with a name, as `curl -F file=@clip.wav` sends it."
    assert error["param"] == "file"


def test_a_charset_that_the_header_names_is_read(client: TestClient) -> None:
    kind = "multipart/form-data; boundary=XX; charset=iso-8859-1"
    options = ((b"choices", b"Rain"), (b"choices", "Vögel".encode("latin-1")))
    said = client.post(PATH, content=build_form((b"question", b"?"), *options), headers={"Content-Type": kind})
    assert said.json()["choice"]["text"] == "Vögel"


def test_a_list_may_have_brackets_behind_its_name(client: TestClient) -> None:
    fields = [(b"question", b"Which?"), (b"choices[]", b"Rain"), (b"choices[]", b"A dog")]
    assert post(client, build_form(*fields)).json()["choice"] == {"letter": "B", "text": "A dog"}


def test_the_items_of_a_list_may_be_numbered(client: TestClient) -> None:
    form = {"question": "What?", "model": "text", "choices[1]": "Wind", "choices[0]": "Rain", "choices[10]": "Bees"}
    answer = client.post(PATH, data=form, files={"file": ("a.wav", b"")}).json()
    assert (list(answer["probabilities"]), answer["choice"]["text"]) == (["A", "B", "C"], "Bees")


@pytest.mark.parametrize("name", ["choices", "model", "explain", "stream", "as_published", "audio", "path"])
def test_null_stands_for_a_field_that_is_not_set(client: TestClient, name: str) -> None:
    body = {"question": "Which?\n(A) Rain\n(B) Wind", "model": "text", name: None}
    answer = client.post(PATH, json=body)
    assert answer.status_code == 200 or answer.json()["error"]["param"] == "file", answer.text


def test_json_with_a_byte_order_mark_is_read_and_utf_16_is_named(client: TestClient) -> None:
    body = json.dumps(CHAT)
    assert post_json(client, body.encode("utf-8-sig")).status_code == 200
    error = post_json(client, body.encode("utf-16")).json()["error"]
    assert error["message"] == "The JSON is in UTF-16; send it as UTF-8."


def test_a_compressed_body_is_refused_as_such(client: TestClient) -> None:
    body = json.dumps(CHAT).encode()
    refused = post_json(client, gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert refused.status_code == 415
    assert refused.json()["error"]["message"].startswith("Content-Encoding is 'gzip'; send the body as it is")
    assert post_json(client, body, **{"Content-Encoding": "identity"}).status_code == 200


def test_a_body_without_a_type_is_told_that_it_has_none(client: TestClient) -> None:
    error = client.post("/v1/chat/completions", content=json.dumps(CHAT).encode()).json()["error"]
    assert error["message"].startswith("The request has no Content-Type; application/json works")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ('"temperature": Infinity', "temperature: Input should be a finite number, not Infinity."),
        ('"top_p": 1e999', "top_p: Input should be a finite number, not Infinity."),
        ('"n": 2', "n: only 1 works, not 2."),
        ('"logprobs": "yes"', 'logprobs: Input should be a valid boolean, not "yes".'),
        ('"model": ["x"]', "model: Input should be a valid string."),
        (
            '"response_format": {"type": "xml"}',
            "response_format: 'type' is 'xml'; 'text', 'json_object', 'json_schema' work.",
        ),
        ('"response_format": {}', "response_format: 'type' is missing."),
        ('"model": "a", "model": "b"', "The JSON has the key 'model' twice in one object; give it once."),
        ('"messages": []', "messages: List should have at least 1 item"),
        ('"messages": [{"role": "user", "content": null}]', "messages[0].content: text or a list of parts works."),
        ('"response_format": {"type": "json_schema"}', "response_format.json_schema: Field required."),
        ('"messages": [{"role": "user", "content": 5}]', "messages[0].content: text or a list of parts works."),
    ],
)
def test_what_a_field_cannot_be_is_told_in_words_of_json(client: TestClient, changed: str, said: str) -> None:
    body = f"{json.dumps(CHAT)[:-1]}, {changed}}}"
    refused = post_json(client, body.encode())
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith(said)


def test_starlettes_parser_has_what_ours_uses() -> None:
    """Its names are private; `pyproject.toml` bounds its version."""
    parser = MultiPartParser(Headers({"content-type": "multipart/form-data; boundary=XX"}), stream=nothing())
    parser.on_part_begin()
    assert {"file", "data", "field_name", "content_disposition", "item_headers"} <= vars(parser._current_part).keys()
    assert isinstance(parser._charset, str)


async def nothing() -> AsyncGenerator[bytes, None]:
    yield b""
