"""Log line and metrics of one model call."""

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from services.errors import ModelError
from services.request_context import Lookup, RequestContext, get_context
from services.telemetry.log_lines import LOGGER, JSONLines
from services.telemetry.metrics import render_metrics
from services.telemetry.watched import observe_call


@pytest.fixture
def lines() -> Iterator[list[dict[str, object]]]:
    """Collect log lines."""
    read: list[dict[str, object]] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            read.append(json.loads(JSONLines().format(record)))

    reader, level = Reader(), LOGGER.level
    LOGGER.addHandler(reader)
    LOGGER.setLevel(logging.INFO)
    yield read
    LOGGER.removeHandler(reader)
    LOGGER.setLevel(level)


def test_a_call_has_the_id_of_its_request(lines: list[dict[str, object]]) -> None:
    with observe_call(RequestContext(request_id="mine-1", tenant="alice"), "whisper", "transcribe"):
        assert get_context().tenant == "alice"
        get_context().lookups.append(Lookup("transcripts", "hit"))
    assert get_context() == RequestContext()
    (line,) = lines
    assert {name: line[name] for name in ("event", "request_id", "model", "method", "cache")} == {
        "event": "call",
        "request_id": "mine-1",
        "model": "whisper",
        "method": "transcribe",
        "cache": "transcripts hit",
    }
    assert "alice" not in str(line)


async def test_failures_and_cancellations_are_logged_and_counted_by_code(lines: list[dict[str, object]]) -> None:
    with pytest.raises(ModelError), observe_call(RequestContext(), "reader", "choose"):
        raise ModelError("The server answered 500.")
    with pytest.raises(asyncio.CancelledError), observe_call(RequestContext(), "reader", "choose"):
        raise asyncio.CancelledError
    assert [line["error"] for line in lines] == ["model_unavailable", "CancelledError"]
    assert b'earwitness_model_failures_total{error="CancelledError",model="reader"} 1.0' in render_metrics()
