"""An MCP server with scripted models, and a folder with a recording."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from agents.listening.tool import ListenedClip
from deploy.mcp_server.folders import AllowedFolders
from deploy.mcp_server.stdio import open_file
from deploy.mcp_server.tools import McpContext
from services.scripted.service import ScriptedService


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """Return a folder with a tone of two seconds, and the same twice as loud."""
    folder = tmp_path / "takes"
    folder.mkdir()
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(32_000) / 16_000)
    soundfile.write(folder / "tone.wav", tone, 16_000)
    soundfile.write(folder / "loud.wav", 2 * tone, 16_000)
    soundfile.write(tmp_path / "outside.wav", tone, 16_000)
    return folder


@pytest.fixture
def context(takes: Path) -> McpContext:
    async def open_clip(path: Path) -> ListenedClip:
        return await open_file(path)

    return McpContext(ScriptedService(), AllowedFolders([takes]), open_clip)
