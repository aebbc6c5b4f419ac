"""What counts as growing."""

import numpy as np
import pytest
from running_service import ProcessMemory
from soak import MemorySample, fit_trend, fit_trends

AT_S = [5.0 * number for number in range(241)]  # 20 minutes
NOISE = np.random.default_rng(1).normal(0, 1.0, len(AT_S))


def test_noise_is_flat_and_a_leak_is_not() -> None:
    flat = fit_trend("agent", AT_S, 340 + NOISE)
    leak = fit_trend("agent", AT_S, 340 + NOISE + np.asarray(AT_S) / 3600 * 60)
    assert (flat.verdict, leak.verdict) == ("flat", "growing")
    assert leak.mb_per_hour == pytest.approx(60, abs=5 * leak.error)
    assert abs(flat.mb_per_hour) < 5 * flat.error


def test_filling_a_cache_in_the_first_minutes_is_not_growth() -> None:
    filling = 300 + 50 * np.minimum(np.asarray(AT_S) / 280, 1)
    assert fit_trend("agent", AT_S, filling + NOISE).verdict == "flat"


def test_a_sure_rise_by_little_is_told_apart_from_a_tiny_one() -> None:
    assert fit_trend("agent", AT_S, 340 + 10 * np.asarray(AT_S) / 3600).verdict == "rising"
    tiny = fit_trend("agent", AT_S, 340 + np.asarray(AT_S) / 3600)  # 1 MB an hour, without any noise
    assert tiny.mb_per_hour == pytest.approx(1)
    assert tiny.verdict == "flat"


def test_processes_of_a_moment_do_not_count() -> None:
    agent, raylet, child = ProcessMemory(150.0, 100.0), ProcessMemory(60.0, 50.0), ProcessMemory(9.0, 9.0)
    samples = [MemorySample(at, {1: agent, 2: raylet} | ({3: child} if at == 5 else {})) for at in AT_S]
    found = fit_trends(samples, {1: "agent", 2: "raylet", 3: "services.audio.decoder_worker"})
    assert [(one.name, one.last_mb) for one in found] == [("agent", 100), ("raylet", 50), ("all", 150)]
    assert (samples[0].pss_mb, samples[1].pss_mb) == (210, 219)
