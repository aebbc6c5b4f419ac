"""Arms asked side by side."""

import asyncio

import pytest

from services.arms import ask_arms
from services.errors import ModelError


class Arm:
    """An arm that gives its name, or fails as it is told to."""

    def __init__(self, name: str, log: list[str], error: Exception | None = None) -> None:
        self.name, self.log, self.error = name, log, error

    async def ask(self) -> str:
        self.log.append(f"{self.name} starts")
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.log.append(f"{self.name} is cancelled")
            raise
        if self.error:
            raise self.error
        self.log.append(f"{self.name} ends")
        return self.name


@pytest.mark.parametrize(
    ("at_once", "order"),
    [
        (True, ["cascade starts", "lalm starts", "cascade ends", "lalm ends"]),
        (False, ["cascade starts", "cascade ends", "lalm starts", "lalm ends"]),
    ],
)
async def test_arms_run_at_once_or_in_turn(at_once: bool, order: list[str]) -> None:
    log: list[str] = []
    results = await ask_arms({name: Arm(name, log).ask for name in ("cascade", "lalm")}, at_once=at_once)
    assert log == order
    assert list(results.found.items()) == [("cascade", "cascade"), ("lalm", "lalm")]
    assert results.missing == ()


async def test_one_arm_may_fail() -> None:
    arms = {"cascade": Arm("cascade", [], ModelError("It is down.")).ask, "lalm": Arm("lalm", []).ask}
    results = await ask_arms(arms, at_once=True)
    assert results.found == {"lalm": "lalm"}
    assert results.missing == ("no cascade: It is down.",)


async def test_the_first_error_counts_where_all_fail() -> None:
    arms = {name: Arm(name, [], ModelError(f"{name} is down.")).ask for name in ("cascade", "lalm")}
    with pytest.raises(ModelError, match=r"cascade is down\."):
        await ask_arms(arms, at_once=False)


async def test_a_bug_in_one_arm_cancels_the_other() -> None:
    log: list[str] = []

    async def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask_arms({"cascade": fail, "lalm": Arm("lalm", log).ask}, at_once=True)
    await asyncio.sleep(0)
    assert log[-1] == "lalm is cancelled"
