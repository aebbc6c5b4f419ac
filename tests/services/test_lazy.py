"""A value is made at its first use, once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from services.lazy import Lazy


def test_threads_that_come_at_once_share_one_value() -> None:
    made: list[object] = []
    barrier = Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    value = Lazy(make)
    assert not made

    def use(_: int) -> object:
        barrier.wait()
        return value()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(use, range(8))) == {made[0]}
    assert len(made) == 1


def test_what_could_not_be_made_is_tried_again() -> None:
    results = iter([OSError("disk"), "opened"])

    def make() -> str:
        result = next(results)
        if isinstance(result, OSError):
            raise result
        return result

    value = Lazy(make)
    with pytest.raises(OSError, match="disk"):
        value()
    assert value() == value() == "opened"
