"""Models of a path read their weights with the first prompt that no cache knows, or at once where that is asked."""

from pathlib import Path

import pytest

from agents.models import LocalModels, ModelNames
from services import catalog
from services.scripted.llm import ScriptedLoadableLLM
from services.types import Message

PROMPT = (Message(role="user", content="What is heard?"),)


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ScriptedLoadableLLM:
    """Catalogue an LLM as `later`, with an empty cache of readings."""
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path))
    catalog.read_settings.cache_clear()
    model = ScriptedLoadableLLM(lambda _: "Rain.", name="later")
    monkeypatch.setitem(catalog.LLMS, "later", lambda *_: model)
    return model


async def test_a_reading_from_the_cache_takes_no_weights(llm: ScriptedLoadableLLM) -> None:
    for _ in range(2):
        assert (await LocalModels(ModelNames(llm="later")).open_llm().complete(PROMPT)).reply == "Rain."
    assert (len(llm.prompts), llm.num_loads) == (1, 0)


def test_weights_are_read_at_once_where_that_is_asked(llm: ScriptedLoadableLLM) -> None:
    models = LocalModels(ModelNames(llm="later"), loads="at once")
    assert models.open_llm().name == "later"
    assert llm.num_loads == 1
    assert models.opened.keys() == {"llm"}
