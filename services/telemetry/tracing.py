"""Tracing with OpenTelemetry, off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set; needs `pip install 'earwitness[otel]'`.

A span holds names, times, sizes and codes: no audio, no text of questions and answers, no keys, no error messages.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from services.errors import BadConfig
from services.settings import read_settings

if TYPE_CHECKING:  # only who traces needs the library
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

Facts: TypeAlias = dict[str, str | float]

TRACEPARENT = "traceparent"  # W3C Trace Context


@contextmanager
def start_span(name: str, facts: Facts | None = None) -> Iterator[Facts]:
    """Trace the block as a span; facts that are added until its end become attributes too."""
    told = facts or {}
    tracer = _open_tracer()
    if tracer is None:
        yield told
        return
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as current:
        is_done = False
        try:
            yield told
            is_done = True
        finally:
            current.set_attributes(told)
            if not is_done:
                current.set_status(StatusCode.ERROR)


@contextmanager
def continue_trace(traceparent: str) -> Iterator[None]:
    """Make the spans of the block children of a span in another process; of none where `traceparent` holds none."""
    if _open_tracer() is None:
        yield
        return
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    token = context.attach(TraceContextTextMapPropagator().extract({TRACEPARENT: traceparent}))
    try:
        yield
    finally:
        context.detach(token)


def format_traceparent() -> str:
    """Return the current span in W3C format, for another process; empty without one."""
    if _open_tracer() is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(TRACEPARENT, "")


@cache
def _open_tracer() -> "Tracer | None":
    if not read_settings().otlp_endpoint:
        return None
    exporter = _open_exporter()
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "earwitness"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer: Tracer = provider.get_tracer("earwitness")
    return tracer


def _open_exporter() -> "SpanExporter":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise BadConfig(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but nothing here can send spans: pip install 'earwitness[otel]', "
            "or unset it."
        ) from None
    exporter: SpanExporter = OTLPSpanExporter()  # reads the standard OTEL_EXPORTER_OTLP_* variables
    return exporter
