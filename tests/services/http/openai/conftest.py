"""OpenAI's own client against the service, and a recording as it sends one."""

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from openai import AsyncOpenAI


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def recording(tone: Callable[[float], bytes]) -> dict[str, Any]:
    data = base64.b64encode(tone(1.5)).decode()
    return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
