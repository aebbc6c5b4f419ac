"""`earwitness mcp`: the MCP server over stdin and stdout; models are opened here when they are first needed."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from agents.degradation import DEGRADING
from agents.listening.tool import ListenedClip
from agents.models import LocalModels, ModelNames, Models
from agents.paths import PATHS, Build, make_builder
from deploy.mcp_server.folders import AllowedFolders
from deploy.mcp_server.server import build_server, require_sdk
from deploy.mcp_server.tools import McpContext
from eval.display.terminal import leave_now
from eval.options import ModelOptions
from lalm.names import DEFAULT_LALM
from services.audio.load import load, load_channel
from services.catalog import pick
from services.protocols import ASR, Answerer, Captioner


class LocalHearers:
    """Models that are opened in this process.

    Args:
        models: opens them.
        path: what answers where no other path is named.
    """

    def __init__(self, models: Models, path: str) -> None:
        pick(PATHS, "path", path)
        self._models, self._path = models, path
        self._answerers: dict[str, Answerer] = {}
        self._opening = asyncio.Lock()

    async def find_answerer(self, name: str | None) -> Answerer:
        """Open the models of a path, once."""
        path = name or self._path
        async with self._opening:
            if path not in self._answerers:
                build: Build = make_builder(path, policy=DEGRADING)
                self._answerers[path] = await asyncio.to_thread(build, self._models)
            return self._answerers[path]

    async def find_asr(self) -> ASR:
        """Open the ASR."""
        async with self._opening:
            return await asyncio.to_thread(self._models.open_asr)

    async def find_captioner(self) -> Captioner:
        """Open the captioner."""
        async with self._opening:
            return await asyncio.to_thread(self._models.open_captioner)


def open_models(options: ModelOptions) -> Models:
    """Return the models of the command's options; none reads its weights before it is needed.

    There is always a LALM: a client may name a path that has one.
    """
    named = {role: name for role, name in asdict(options).items() if name is not None}
    if not options.lalm_url:
        named.setdefault("lalm", DEFAULT_LALM)
    return LocalModels(ModelNames.model_validate(named))


def serve_stdio(models: Models, path: str, folders: Sequence[Path]) -> None:
    """Serve until stdin ends; work that a client has left is not waited for."""
    require_sdk()
    context = McpContext(LocalHearers(models, path), AllowedFolders(folders), open_file)
    asyncio.run(_serve(context))


async def _serve(context: McpContext) -> None:
    from mcp.server.stdio import stdio_server

    server = build_server(context)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries printed and still hold is no message either
    leave_now(0)  # a model that the client has left may be busy for minutes


async def open_file(path: Path) -> ListenedClip:
    """Read a recording of the person who started the server."""
    clip = await asyncio.to_thread(load, path)
    return ListenedClip(clip, open_channel=partial(load_channel, path))
