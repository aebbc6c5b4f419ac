"""Metrics for Prometheus, served at `/metrics`.

With `PROMETHEUS_MULTIPROC_DIR` set, all processes that share that folder are added up, as the replicas of one machine
are; without, it is this process alone.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from services.settings import read_settings
from services.types import Answer

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
NO_ROUTE = ""

disable_created_metrics()  # type: ignore[no-untyped-call]
_REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "earwitness_requests",
    "Requests answered, by route, HTTP status and model that answered.",
    ("route", "status", "model"),
    registry=_REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "earwitness_request_seconds",
    "From the head of a request to the end of its response.",
    ("route",),
    buckets=SECONDS,
    registry=_REGISTRY,
)
STAGE_SECONDS = Histogram(
    "earwitness_stage_seconds",
    "Seconds in one stage of an answer: upload, wait, decode, and those of the path that answered.",
    ("stage",),
    buckets=SECONDS,
    registry=_REGISTRY,
)
MODEL_SECONDS = Histogram(
    "earwitness_model_seconds",
    "Seconds that one call of a model took in its replica, without the way there.",
    ("model", "method"),
    buckets=SECONDS,
    registry=_REGISTRY,
)
MODEL_FAILURES = Counter(
    "earwitness_model_failures",
    "Model calls that failed, by code; CancelledError: the caller cancelled them.",
    ("model", "error"),
    registry=_REGISTRY,
)
IN_FLIGHT = Gauge(
    "earwitness_requests_in_flight",
    "Requests of any kind, from their head to the end of their response, uploads included.",
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)
RUNNING = Gauge(
    "earwitness_requests_running",
    "Requests that are being answered.",
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)
WAITING = Gauge(
    "earwitness_requests_waiting",
    "Requests that wait for their turn.",
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)
ANSWERS = Counter(
    "earwitness_answers",
    "Answers given, by the path that gave them and, for the path auto, the arm that its router chose.",
    ("path", "chosen"),
    registry=_REGISTRY,
)
DEGRADED = Counter(
    "earwitness_degraded_answers",
    "Answers given although a part was missing.",
    ("path",),
    registry=_REGISTRY,
)
CACHE_LOOKUPS = Counter(
    "earwitness_perception_cache_lookups",
    "Lookups in the cache of captions, transcripts and readings, by kind of entry and result.",
    ("kind", "result"),
    registry=_REGISTRY,
)


def count_answer(answer: Answer) -> str:
    """Count an answer and its stages; return the arm that its router chose, empty where there is none."""
    chosen = answer.route or NO_ROUTE
    ANSWERS.labels(path=answer.path, chosen=chosen).inc()
    if answer.degraded:
        DEGRADED.labels(path=answer.path).inc()
    for stage, seconds in answer.timings_s.items():
        STAGE_SECONDS.labels(stage=stage).observe(seconds)
    return chosen


def count_in_flight() -> int:
    """Return how many requests are being answered, by all processes that share the folder."""
    samples = [
        sample for family in text_string_to_metric_families(render_metrics().decode()) for sample in family.samples
    ]
    return sum(round(sample.value) for sample in samples if sample.name == "earwitness_requests_in_flight")


def render_metrics() -> bytes:
    """Return all metrics in Prometheus' text format."""
    folder = read_settings().prometheus_multiproc_dir
    if folder is None:
        return generate_latest(_REGISTRY)
    _forget_the_dead(folder)
    together = CollectorRegistry()
    together.register(_Ours())
    return generate_latest(together)


class _Ours(Collector):
    """Metrics of all processes of the shared folder, without those of Ray's own processes there."""

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of all processes whose names are ours, as Prometheus scrapes them."""
        collector = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
        metrics: Iterable[Metric] = collector.collect()  # type: ignore[no-untyped-call]
        return [metric for metric in metrics if metric.name.startswith("earwitness_")]


def _forget_the_dead(folder: Path) -> None:
    """Remove the gauges of ended processes from the sums; their counters stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
