"""A caller that leaves stops what hears for it, on every path and however often it says so."""

import asyncio

import numpy as np
import pytest

from agents.paths import make_builder
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import LazyLALM, ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.models import ScriptedModels
from services.scripted.rules import weigh
from services.types import AudioClip, EvidenceSummary, Focus, Question

CLIP = AudioClip(np.zeros(16_000, np.float32))
QUESTION = Question.ask("What rings?", ("A bell", "A telephone"))


class EndlessEars:
    """Rules of ears that hear until they are cancelled."""

    def __init__(self) -> None:
        self.num_begun = self.num_cancelled = 0
        self.both_begun = asyncio.Event()

    async def hear(self, clip: AudioClip, focus: Focus | None = None) -> tuple[str, ...]:
        """Hear for ever."""
        self.num_begun += 1
        if self.num_begun == 2:
            self.both_begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.num_cancelled += 1
            raise
        return ()


@pytest.mark.slow
@pytest.mark.parametrize("num_cancels", [1, 2, 3])
@pytest.mark.parametrize(
    ("path", "summary"), [("cascade", None), ("informed", "perception"), ("informed", "tools"), ("auto", "tools")]
)
async def test_a_caller_that_leaves_stops_the_ears(
    path: str, summary: EvidenceSummary | None, num_cancels: int
) -> None:
    rules = EndlessEars()
    models = ScriptedModels(ScriptedLLM(), ScriptedEars(rules.hear, rules.hear), ScriptedLALM(choose=weigh(0.9, 0.1)))
    asking = asyncio.ensure_future(make_builder(path, summary=summary)(models).answer(QUESTION, CLIP))
    await rules.both_begun.wait()
    for _ in range(num_cancels):
        asking.cancel()
        await asyncio.sleep(0)  # what two that notice a client's leaving do, one after the other
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0.1)
    assert (rules.num_begun, rules.num_cancelled) == (2, 2)


@pytest.mark.parametrize(
    ("path", "summary", "num_loads"),
    [
        ("cascade", None, 0),
        ("auto", None, 0),
        ("auto", "perception", 1),
        ("lalm", None, 1),
        ("informed", None, 1),
        ("informed", "none", 1),
    ],
)
def test_the_weights_of_a_lalm_are_read_at_once_unless_it_may_never_be_asked(
    path: str, summary: EvidenceSummary | None, num_loads: int
) -> None:
    lalm = LazyLALM(choose=weigh(0.9, 0.1))
    make_builder(path, summary=summary)(ScriptedModels(ScriptedLLM(), ScriptedEars(), lalm))
    assert lalm.num_loads == num_loads
