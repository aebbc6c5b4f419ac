"""Idle threads of native libraries sleep, unless the user says otherwise."""

import os
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from services.native_libraries import MemoryRelease, let_idle_threads_sleep, use_one_blas_thread


def test_the_users_own_policy_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    let_idle_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    let_idle_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_numpy_multiplies_in_one_thread() -> None:
    with threadpool_limits(2, "blas"):  # and back to what it was, afterwards
        use_one_blas_thread()
        assert np.ones((2, 2)).sum() == 4
        openblas = [one["num_threads"] for one in threadpool_info() if one["internal_api"] == "openblas"]
    assert openblas
    assert set(openblas) == {1}


@pytest.mark.slow
def test_freed_memory_goes_back_to_the_system_once_in_a_while() -> None:
    now_s = 0.0
    release = MemoryRelease(5.0, lambda: now_s)
    if not release():
        pytest.skip("this C library has no malloc_trim")
    assert not release()
    blocks = [bytearray(60_000) for _ in range(2_000)]  # too small to be mapped one by one
    kept = blocks[-1]  # the last one holds the heap up, so that nothing but a trim can give back what is before it
    del blocks
    held = read_resident_bytes()
    now_s = 5.0
    assert release()
    assert held - read_resident_bytes() > 50_000_000
    assert len(kept) == 60_000


def read_resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
