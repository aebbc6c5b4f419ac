"""Telemetry of one model call in its replica: log line, seconds, span."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from services.request_context import RequestContext, use_context
from services.telemetry.log_lines import LOGGER
from services.telemetry.metrics import MODEL_FAILURES, MODEL_SECONDS
from services.telemetry.tracing import Facts, continue_trace, start_span


@contextmanager
def observe_call(call: RequestContext, model: str, method: str) -> Iterator[None]:
    """Run the block as a model call that came from another process; log, time and trace it."""
    started = perf_counter()
    about: Facts = {"request_id": call.request_id, "model": model, "method": method}
    try:
        with use_context(call), continue_trace(call.traceparent), start_span(f"model {method}", dict(about)):
            yield
    finally:
        seconds, failed = perf_counter() - started, sys.exception()
        MODEL_SECONDS.labels(model=model, method=method).observe(seconds)
        if failed:
            about["error"] = getattr(failed, "code", type(failed).__name__)
            MODEL_FAILURES.labels(model=model, error=about["error"]).inc()
        if call.lookups:
            about["cache"] = ", ".join(" ".join(lookup) for lookup in call.lookups)
        LOGGER.info("call", extra={"facts": about | {"seconds": round(seconds, 4)}})
