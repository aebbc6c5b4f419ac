"""Models of a path read their weights with the first prompt that no cache knows, or at once where that is asked."""

from pathlib import Path

import pytest

from agents.models import LocalModels, ModelNames
from services import catalog
from services.scripted.llm import ScriptedLLM
from services.types import Message

PROMPT = (Message(role="user", content="What is heard?"),)


class LoadedLater(ScriptedLLM):
    """Counts how often its weights were read."""

    fingerprint = "1"

    def __init__(self) -> None:
        super().__init__(lambda _: "Rain.", name="later")
        self.num_loads = 0

    def load(self) -> None:
        self.num_loads += 1


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LoadedLater:
    """Catalogue an LLM as `later`, with an empty cache of readings."""
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path))
    catalog.settings.cache_clear()
    model = LoadedLater()
    monkeypatch.setitem(catalog.LLMS, "later", lambda *_: model)
    return model


async def test_a_reading_from_the_cache_takes_no_weights(llm: LoadedLater) -> None:
    for _ in range(2):
        assert (await LocalModels(ModelNames(llm="later")).open_llm().complete(PROMPT)).reply == "Rain."
    assert (len(llm.prompts), llm.num_loads) == (1, 0)


def test_weights_are_read_at_once_where_that_is_asked(llm: LoadedLater) -> None:
    models = LocalModels(ModelNames(llm="later"), loads="at once")
    assert models.open_llm().name == "later"
    assert llm.num_loads == 1
    assert models.opened.keys() == {"llm"}
