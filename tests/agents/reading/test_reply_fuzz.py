"""The fuzz test of benchmarks/reply_fuzz.py, in short: no generated reply is misread."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("reply_fuzz", Path(__file__).parents[3] / "benchmarks" / "reply_fuzz.py")
assert SPEC is not None and SPEC.loader is not None
reply_fuzz = importlib.util.module_from_spec(SPEC)
sys.modules["reply_fuzz"] = reply_fuzz
SPEC.loader.exec_module(reply_fuzz)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_generated_reply_is_misread(seed: int) -> None:
    rng = random.Random(seed)
    cases = [reply_fuzz.make_case(rng) for _ in range(1000)]
    misread = [case for case in cases if (place := reply_fuzz.read_place(case)) is not None and place != case.right]
    assert misread == []


def test_replies_that_are_meant_are_read() -> None:
    rng = random.Random(3)
    cases = [case for _ in range(1000) if (case := reply_fuzz.make_case(rng)).right is not None]
    clear = [case for case in cases if case.kind not in {"contrast", "unknown mark"}]
    assert sum(reply_fuzz.read_place(case) is not None for case in clear) >= 0.99 * len(clear)
