"""Where a request spends its time, from what the service and its client say."""

import pytest
from http_load import LoadResult, TimedReply
from http_overhead import LoadMeasurement, StageSums, compute_mean_ms, read_sums, split_latency_ms

EXPOSITION = """# HELP earwitness_stage_seconds Seconds in one stage of an answer.
earwitness_stage_seconds_bucket{le="0.005",stage="decode"} 0.0
earwitness_stage_seconds_sum{stage="decode"} 1.5
earwitness_stage_seconds_count{stage="decode"} 100.0
earwitness_request_seconds_sum{route="/v1/audio/questions"} 5e-05
earwitness_request_seconds_count{route="/v1/audio/questions"} 10.0
earwitness_requests_total{route="/v1/audio/questions",status="200",model="cascade"} 10.0
"""


def test_sums_are_read_from_what_prometheus_reads() -> None:
    assert read_sums(EXPOSITION) == StageSums(
        {"decode": 1.5, "/v1/audio/questions": 5e-05}, {"decode": 100.0, "/v1/audio/questions": 10.0}
    )


def test_the_mean_is_that_of_what_came_between() -> None:
    before, after = (
        StageSums({"read": 1.0, "wait": 2.0}, {"read": 10, "wait": 5}),
        StageSums({"read": 3.0, "wait": 2.0, "decode": 0.5}, {"read": 20, "wait": 5, "decode": 1}),
    )
    assert compute_mean_ms(before, after) == {"read": pytest.approx(200), "decode": pytest.approx(500)}


def test_the_parts_add_up_to_what_the_client_waits() -> None:
    stages = {"/v1/audio/questions": 20.0, "upload": 1.0, "wait": 0.5, "decode": 8.0, "caption": 2, "transcribe": 3}
    load = LoadResult(
        1.0, [TimedReply(0.020, "200", {}), TimedReply(0.030, "200", {}), TimedReply(9.0, "503 overloaded", {})]
    )
    parts = split_latency_ms(LoadMeasurement(load, stages | {"read": 4.0}, {}))
    assert sum(parts.values()) == pytest.approx(25)
    assert (parts["connection and proxy"], parts["captioner and ASR, at once"]) == (pytest.approx(5), 3)
    assert parts["graph, JSON, log"] == pytest.approx(20 - 1 - 0.5 - 8 - 3 - 4)
