"""The fuzz test of benchmarks/reply_fuzz.py, in short: no generated reply is misread."""

import importlib
import random
from pathlib import Path

import pytest

BENCHMARKS = str(Path(__file__).parents[3] / "benchmarks")
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCHMARKS)  # `reply_fuzz` imports its neighbour
    reply_fuzz = importlib.import_module("reply_fuzz")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_generated_reply_is_misread(seed: int) -> None:
    rng = random.Random(seed)
    cases = [reply_fuzz.make_case(rng) for _ in range(1000)]
    misread = [case for case in cases if (place := reply_fuzz.read_place(case)) is not None and place != case.right]
    assert misread == []


@pytest.mark.slow
def test_replies_that_are_meant_are_read() -> None:
    rng = random.Random(3)
    cases = [case for _ in range(1000) if (case := reply_fuzz.make_case(rng)).right is not None]
    clear = [case for case in cases if case.kind not in {"contrast", "unknown mark"}]
    assert sum(reply_fuzz.read_place(case) is not None for case in clear) >= 0.99 * len(clear)
