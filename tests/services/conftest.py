"""The gateway on loopback, with nothing but rules behind it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from io import BytesIO

import numpy as np
import pytest
import soundfile
import uvicorn

from services.http.access.header_limit import BoundedHeadProtocol
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService


@pytest.fixture
def scripted() -> ScriptedService:
    return ScriptedService()


@pytest.fixture
def limits() -> Limits:
    """Return narrow limits of all but time: the first upload waits for the decoders to load."""
    return Limits(max_upload_bytes=400_000, max_duration_s=5, deadline_s=120, upload_s=60, max_running=2, max_waiting=1)


@pytest.fixture
async def url(scripted: ScriptedService, limits: Limits) -> AsyncIterator[str]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        app = create_app(scripted, limits)
        config = uvicorn.Config(app, http=BoundedHeadProtocol, log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([bound]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        scripted.release.set()
        server.should_exit = True
        await running


@pytest.fixture
def tone() -> Callable[[float], bytes]:
    def wav(duration_s: float) -> bytes:
        buffer = BytesIO()
        soundfile.write(buffer, 0.5 * np.sin(np.arange(round(16_000 * duration_s)) / 5), 16_000, format="WAV")
        return buffer.getvalue()

    return wav
