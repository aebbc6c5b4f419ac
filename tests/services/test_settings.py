"""Environment variables that cannot be used."""

from collections.abc import Iterator

import pytest

from services.errors import BadConfig
from services.settings import read_settings


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    read_settings.cache_clear()
    yield
    read_settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value"), [("EARWITNESS_PERCEPTION_MAX_BYTES", "many"), ("EARWITNESS_GPU_SHARE", "2")]
)
def test_a_variable_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadConfig, match=f"^{name}='{value}' cannot be used: Input should be "):
        read_settings()
