"""Tracing: parents of spans, across processes too, and what no span holds."""

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.errors import BadConfig, ModelError
from services.http.access.auth import ApiKeys, make_key
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.request_context import RequestContext
from services.scripted.service import ScriptedService
from services.settings import read_settings
from services.telemetry import tracing
from services.telemetry.watched import observe_call

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
Spans = Callable[[], dict[str, ReadableSpan]]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """Turn tracing on, and return what reads the spans that have ended, by name."""
    exporter = InMemorySpanExporter()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "_open_exporter", lambda: exporter)
    read_settings.cache_clear()
    tracing._open_tracer.cache_clear()

    def ended() -> dict[str, ReadableSpan]:
        tracing._open_tracer().span_processor.force_flush()  # type: ignore[union-attr]
        return {span.name: span for span in exporter.get_finished_spans()}

    yield ended
    monkeypatch.undo()
    read_settings.cache_clear()
    tracing._open_tracer.cache_clear()


def test_a_request_is_one_trace_with_a_span_for_each_stage(spans: Spans, tone: Callable[[float], bytes]) -> None:
    secret, key = make_key("alice")
    client = TestClient(create_app(ScriptedService(), Limits(), ApiKeys((key,))), "http://127.0.0.1")
    asked = client.post(
        "/v1/audio/questions",
        json={
            "question": "Whose voice is this secret?",
            "choices": ["Rain", "Wind"],
            "model": "cascade",
            "audio": base64.b64encode(tone(0.5)).decode(),
        },
        headers={
            "Authorization": f"Bearer {secret}",
            "X-Request-Id": "mine-1",
            "traceparent": f"00-{TRACE}-{PARENT}-01",
        },
    )
    assert asked.status_code == 200
    found = spans()
    assert set(found) == {"request", "upload", "wait", "decode", "answer"}
    assert {f"{span.context.trace_id:032x}" for span in found.values()} == {TRACE}
    request = found["request"]
    assert request.parent
    assert f"{request.parent.span_id:016x}" == PARENT
    assert {span.parent.span_id for name, span in found.items() if span.parent and name != "request"} == {
        request.context.span_id
    }
    assert request.attributes == {
        "request_id": "mine-1",
        "http.route": "/v1/audio/questions",
        "http.response.status_code": 200,
        "model": "cascade",
    }
    told = "".join(span.to_json() for span in found.values())
    for private in ("Whose voice", "Rain", secret, "alice"):
        assert private not in told


def test_a_model_in_another_process_goes_on_with_the_trace_and_fails_without_its_message(spans: Spans) -> None:
    call = RequestContext(request_id="mine-2", traceparent=f"00-{TRACE}-{PARENT}-01")
    with pytest.raises(ModelError), observe_call(call, "reader", "choose"):
        raise ModelError("The server said: Whose voice is this?")
    span = spans()["model choose"]
    assert span.parent
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert span.attributes == {"request_id": "mine-2", "model": "reader", "method": "choose"}
    assert not span.status.is_ok
    assert "Whose voice" not in span.to_json()


def test_another_process_gets_the_current_span(spans: Spans) -> None:
    with tracing.continue_trace(f"00-{TRACE}-{PARENT}-01"), tracing.start_span("here"):
        told = tracing.format_traceparent()
    assert told == f"00-{TRACE}-{spans()['here'].context.span_id:016x}-01"


@pytest.mark.slow
def test_without_an_endpoint_nothing_is_traced_and_nothing_imported() -> None:
    code = (
        "import sys; from services.telemetry.tracing import format_traceparent, start_span\n"
        "with start_span('x') as facts: facts['y'] = 1\n"
        "print(repr(format_traceparent()), 'opentelemetry' in sys.modules)"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "'' False\n"


def test_an_endpoint_without_the_library_that_sends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BadConfig, match=r"pip install 'earwitness\[otel\]'"):
        tracing._open_exporter()
