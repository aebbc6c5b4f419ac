"""Idle threads of native libraries sleep, unless the user says otherwise."""

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from services.native_threads import let_idle_threads_sleep, use_one_blas_thread


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
