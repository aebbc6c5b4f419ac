"""The HTTP API over a scripted answerer: responses to good and to bad requests."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Question

PATH = "/v1/audio/questions"
LIMITS = Limits(max_upload_bytes=400_000, max_duration_s=5)


def wav(
    duration_s: float = 1.0, rate: int = 16_000, channels: int = 1, subtype: str = "PCM_16", peak: float = 0.5
) -> bytes:
    samples = peak * np.sin(2 * np.pi * 440 * np.arange(round(rate * duration_s)) / rate)
    buffer = BytesIO()
    soundfile.write(buffer, np.repeat(samples[:, None], channels, axis=1), rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


@pytest.fixture
def service() -> ScriptedService:
    return ScriptedService()


@pytest.fixture
def client(service: ScriptedService) -> Iterator[TestClient]:
    app = create_app(service, LIMITS)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, data: bytes, question: str = "What?", **fields: str | list[str]) -> httpx.Response:
    return client.post(PATH, files={"file": ("clip.wav", data)}, data={"question": question} | fields)


def fault(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["type"] == ("server_error" if response.status_code >= 500 else "invalid_request_error")
    error: dict[str, Any] = body["error"]
    return error


def test_a_form_is_answered(client: TestClient) -> None:
    response = ask(client, wav(2.0), choices=["Rain", "A dog"])
    answer = Answer.model_validate_json(response.content)
    assert response.status_code == 200
    assert (answer.reply, answer.choice.text if answer.choice else None) == ("2.00 s", "A dog")


@pytest.mark.parametrize(
    "names",
    [
        b"; filename*=UTF-8''%c3%a4.wav",
        b"; filename*=utf-8'en'%e4.wav",
        b"; filename*=nonsense''%22%0a.wav",
        b"; filename*=idna''a..",
        b"",
    ],
    ids=["encoded", "wrong charset", "unknown charset", "codec of another kind", "none"],
)
def test_a_file_without_a_plain_name_is_a_file(client: TestClient, names: bytes) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"' + names + b"\r\nContent-Type: audio/wav\r\n\r\n"
        + wav(4.0)
        + b'\r\n--x\r\nContent-Disposition: form-data; name="question"\r\n\r\nWhat?\r\n--x--\r\n'
    )  # fmt: skip
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post(PATH, content=body, headers=headers).json()["reply"] == "4.00 s"


def test_json_is_answered(client: TestClient) -> None:
    body = {"question": "What?", "choices": ["Rain", "A dog"], "audio": base64.b64encode(wav(1.5)).decode()}
    answer = Answer.model_validate_json(client.post(PATH, json=body).content)
    assert (answer.reply, answer.choice.letter if answer.choice else None) == ("1.50 s", "B")


def test_options_in_the_text_are_options(client: TestClient) -> None:
    answer = ask(client, wav(2.0), "What is heard? A. Rain B. A dog").json()
    assert (answer["choice"], answer["warnings"]) == ({"letter": "B", "text": "A dog"}, [])


def test_options_that_cannot_be_read_are_warned_of(client: TestClient) -> None:
    answer = ask(client, wav(2.0), "Is it (A) rain (B) a dog?").json()
    assert answer["choice"] is None
    assert "looks as if it listed options" in answer["warnings"][0]


def test_an_open_question_has_no_choice(client: TestClient) -> None:
    assert ask(client, wav()).json()["choice"] is None


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (96_000, 1)])
def test_any_rate_and_channel_count_keeps_its_length(client: TestClient, rate: int, channels: int) -> None:
    assert ask(client, wav(1.0, rate, channels)).json()["reply"] == "1.00 s"


def test_a_path_that_hears_nothing_needs_no_recording(client: TestClient) -> None:
    assert client.post(PATH, json={"question": "What?", "path": "text"}).json()["reply"] == "no clip"


@pytest.mark.parametrize(
    ("data", "status", "code", "message"),
    [
        (b"", 422, "empty_audio", "'clip.wav' is empty (0 bytes)."),
        (
            b"this is text, whatever its name\n" * 9,
            415,
            "unsupported_format",
            "'clip.wav' is not audio that can be read.",
        ),
        (wav()[:20], 422, "damaged_audio", "'clip.wav' "),
        (wav(0.0), 422, "audio_too_short", "'clip.wav' lasts 0.000 s; the shortest accepted is 0.01 s."),
        (wav(subtype="FLOAT", peak=np.nan), 422, "not_finite", "'clip.wav' holds no sample that is a finite number"),
    ],
    ids=["empty", "text", "cut short", "zero samples", "NaN"],
)
def test_unusable_recordings_are_refused_with_their_code(
    client: TestClient, data: bytes, status: int, code: str, message: str
) -> None:
    response = ask(client, data)
    assert (response.status_code, fault(response)["code"]) == (status, code)
    assert fault(response)["message"].startswith(message)
    assert fault(response)["param"] == "file"


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"question": ""}, 400, "bad_request", "question"),
        ({"question": ["What?", "Who?"]}, 400, "bad_request", "question"),
        ({"choices": ["Rain"]}, 400, "bad_request", "choices"),
        ({"choices": ["Rain", "Rain"]}, 400, "bad_request", "choices"),
        ({"choice": ["Rain", "Wind"]}, 400, "unsupported_parameter", "choice"),
        ({"path": "nobody"}, 404, "unknown_name", None),
        ({"path": "text", "model": "cascade"}, 400, "bad_request", "path"),
    ],
)
def test_unusable_questions_name_the_parameter(
    client: TestClient, fields: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    response = ask(client, wav(), **fields)
    assert (response.status_code, fault(response)["code"], fault(response)["param"]) == (status, code, param)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b'{"choices": []}', "question"),
        (b'{"question": "What?", "choice": ["a"]}', "choice"),
        (b'{"question": "What?", "audio": "not base64!"}', "audio"),
        (b'{"question": "What?", "audio": "n\xc3\xb6t"}', "audio"),
        (b'{"question": "What?", "choices": ["a", 2]}', "choices[1]"),
        (b'{"question": 3}', "question"),
        (b'{"question": "What?"}', "file"),
    ],
)
def test_unusable_json_is_400(client: TestClient, body: bytes, param: str | None) -> None:
    response = client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, fault(response)["param"]) == (400, param)


def test_a_form_that_is_none_is_400(client: TestClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"no form", b"--x\r\nContent-Disposition: form-data\r\n\r\nnameless\r\n--x--\r\n"):
        response = client.post(PATH, content=body, headers=headers)
        assert response.status_code == 400
        assert fault(response)["message"]


def test_other_content_types_paths_and_methods_are_errors_in_json(client: TestClient) -> None:
    urlencoded = client.post(PATH, data={"question": "What?"})
    assert (urlencoded.status_code, fault(urlencoded)["code"]) == (415, "unsupported_media_type")
    for response, status in ((client.get(PATH), 405), (client.get("/v1/nothing"), 404)):
        assert response.status_code == status
        assert fault(response)["message"].endswith(response.request.url.path)


def test_too_many_bytes_are_413_announced_or_not(client: TestClient) -> None:
    announced = ask(client, bytes(500_000))
    body = b'{"question": "' + b"x" * 500_000
    chunks = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
    unannounced = client.post(PATH, content=chunks, headers={"Content-Type": "application/json"})
    for response in (announced, unannounced):
        assert (response.status_code, fault(response)["code"]) == (413, "too_large")
        assert "400000 bytes" in fault(response)["message"]


def test_too_many_seconds_are_413(client: TestClient) -> None:
    response = ask(client, wav(5.5))
    assert response.status_code == 413
    assert fault(response)["message"] == "'clip.wav' lasts longer than the longest accepted, 5 s."


def test_no_question_outlasts_its_deadline(service: ScriptedService) -> None:
    with TestClient(create_app(service, Limits(deadline_s=1)), "http://127.0.0.1") as client:
        response = ask(client, wav(), "slow")
    assert (response.status_code, fault(response)["code"]) == (504, "deadline_exceeded")
    assert fault(response)["message"].startswith("No answer within 1 s")


def test_a_failing_model_is_503_and_a_bug_is_500_without_its_details(client: TestClient) -> None:
    failed, bug = ask(client, wav(), "fail"), ask(client, wav(), "bug")
    assert (failed.status_code, fault(failed)["message"]) == (503, "The server answered 500.")
    assert (bug.status_code, fault(bug)["code"]) == (500, "internal_error")
    assert "ZeroDivision" not in bug.text


def test_ready_only_when_every_model_is_loaded(client: TestClient, service: ScriptedService) -> None:
    service.waiting = ("llm",)
    loading = client.get("/readyz")
    assert (loading.status_code, loading.json()) == (503, {"ready": False, "waiting_for": ["llm"]})
    assert ask(client, wav()).status_code == 503
    assert client.get("/healthz").status_code == 200
    service.waiting = ()
    assert (client.get("/readyz").status_code, client.get("/readyz").json()["ready"]) == (200, True)


def test_both_gives_two_answers_and_says_whether_they_agree(client: TestClient) -> None:
    differing = ask(client, wav(), model="both", choices=["Rain", "A dog"]).json()
    assert differing["path"] == "both"
    assert [differing[arm]["choice"]["text"] for arm in ("cascade", "lalm")] == ["A dog", "Rain"]
    assert differing["agree"] is False
    assert ask(client, wav(), "same", model="both", choices=["Rain", "A dog"]).json()["agree"] is True
    assert ask(client, wav(), model="both").json()["agree"] is None


@pytest.mark.parametrize(
    ("failed", "name", "left"), [("cascade", "cascade/tiny", "lalm"), ("lalm", "lalm/ear", "cascade")]
)
def test_both_gives_the_answer_of_the_arm_that_is_left(client: TestClient, failed: str, name: str, left: str) -> None:
    found = ask(client, wav(), f"fail {failed}", model="both", choices=["Rain", "A dog"]).json()
    assert (found[failed], found["agree"], found[left]["path"]) == (None, None, left)
    assert found["missing"] == [f"no {name}: The server answered 500."]


def test_both_fails_where_both_arms_do_or_one_is_not_there(client: TestClient, service: ScriptedService) -> None:
    assert ask(client, wav(), "fail", model="both").status_code == 503
    assert ask(client, wav(), "bug", model="both").status_code == 500
    service.names = ("cascade/tiny", "text/tiny")
    missing = ask(client, wav(), model="both")
    assert (missing.status_code, fault(missing)["message"]) == (503, "This service has no LALM.")


def test_only_what_can_be_answered_now_is_listed(client: TestClient, service: ScriptedService) -> None:
    def listed() -> list[str]:
        return [model["id"] for model in client.get("/v1/models").json()["data"]]

    assert listed() == ["cascade/tiny", "text/tiny", "lalm/ear", "auto", "both"]
    assert client.get("/v1/models/lalm/ear").json()["id"] == "lalm/ear"
    service.names = ("cascade/tiny", "text/tiny")
    assert listed() == ["cascade/tiny", "text/tiny"]
    assert fault(client.get("/v1/models/lalm/ear"))["code"] == "unknown_name"
    service.waiting = ("llm",)
    assert listed() == []


def test_errors_worth_a_retry_have_retry_after(client: TestClient) -> None:
    assert ask(client, wav(), "fail").headers["Retry-After"] == "5"
    assert "Retry-After" not in ask(client, wav(), path="nobody").headers


@pytest.mark.slow
def test_the_api_describes_both_ways_to_ask(client: TestClient) -> None:
    operation = json.loads(client.get("/openapi.json").content)["paths"][PATH]["post"]
    assert set(operation["requestBody"]["content"]) == {"multipart/form-data", "application/json"}


@pytest.mark.parametrize(
    ("sent", "is_wanted"), [({}, False), ({"explain": "true"}, True), ({"explain": "false"}, False)]
)
def test_reasons_are_given_where_a_form_asks_for_them(
    client: TestClient, service: ScriptedService, sent: dict[str, str], is_wanted: bool
) -> None:
    wanted = note_wishes(service)
    assert ask(client, wav(1.0), **sent).status_code == 200
    assert wanted == [is_wanted]


def test_reasons_are_given_where_json_asks_for_them(client: TestClient, service: ScriptedService) -> None:
    wanted = note_wishes(service)
    for explain in (True, False):
        body = {"question": "What?", "explain": explain, "audio": base64.b64encode(wav(1.0)).decode()}
        assert client.post(PATH, json=body).status_code == 200
    assert wanted == [True, False]
    error = fault(ask(client, wav(1.0), explain="maybe"))
    assert (error["param"], error["message"]) == ("explain", "'explain' is 'maybe'; true and false work.")


def note_wishes(service: ScriptedService) -> list[bool]:
    """Return the list of whether each question that is asked wants reasons."""
    wanted: list[bool] = []

    def note(question: Question, _: AudioClip | None) -> Answer:
        wanted.append(question.wants_reasons)
        return Answer(question_id="", reply="Rain", choice=None, path="cascade")

    service.rules["cascade"] = note
    return wanted
