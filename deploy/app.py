"""The Ray Serve application: the only place where Ray, agents and models meet.

    deploy/serve.local.yaml -> ServeConfig -> build() -> one deployment per model, and the agent in front

The agent builds its paths as eval does; only the models it gives them are handles to deployments. It is told which
models there are by Ray's `user_config`, so that an LLM can come or go without a restart of anything else.
"""

import asyncio
import hashlib
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle

from agents.models import LocalModels
from agents.paths import DEAF
from deploy.config import Deployed, ServeConfig, ServedModels, deployed
from deploy.fleet import Fleet, OpenModels, open_one
from deploy.listener import Listening, take
from services import decoder
from services.auth import Keys, read_keys
from services.deployments import deployment
from services.errors import ModelError
from services.gateway import create_app
from services.limits import Limits
from services.protocols import ASR, Answerer

PROBES = 64  # requests beyond those let in that the agent takes to refuse them, or to say how it is


def build(config: ServeConfig, open_models: OpenModels = LocalModels, door: Path | None = None) -> serve.Application:
    """Return the application; each replica opens its own model by name.

    Args:
        config: what is served.
        open_models: opens a model by its names.
        door: Unix socket where the agent gets the socket that it listens on; None: it sits behind Ray's proxy.
    """
    handles = {one.role: _deployment(one, open_models) for one in deployed(config.models) if not one.served.in_agent}
    # What Ray queues in front of the agent is neither bounded nor refused: the agent itself has to see all that comes.
    ongoing = max(config.agent.max_ongoing_requests, config.limits.max_inside + PROBES)
    scale = config.agent.model_copy(update={"max_ongoing_requests": ongoing})
    keys = read_keys()
    agent = serve.deployment(DirectAgent) if door else serve.deployment(serve.ingress()(Agent))
    options = scale.options() | {
        "version": _version(config.limits.model_dump_json(), keys),
        "_internal": True,  # as in `services.deployments`
        "user_config": config.models.model_dump(exclude_defaults=True),
    }
    arguments = (config.limits, keys, open_models, *((door,) if door else ()))
    return agent.options(name="agent", **options).bind(*arguments, **handles)


def _deployment(one: Deployed, open_models: OpenModels) -> serve.Application:
    version = _version(one.served.name, one.served.url)
    return deployment(lambda: open_one(open_models, one), one.role, one.served.scale, version)


def _version(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


class Agent:
    """The deployment in front: takes questions over HTTP and only awaits the models."""

    def __init__(self, limits: Limits, keys: Keys, open_models: OpenModels, **_deployments: DeploymentHandle) -> None:
        # LangGraph takes 2 s to import: better now, while the models load, than at the first question.
        Thread(target=import_module, args=("agents.graph",), daemon=True).start()
        decoder.start()
        self._limits, self._keys, self._open_models = limits, keys, open_models
        self._fleet: Fleet | None = None
        self._models = ServedModels()

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return what Ray Serve puts behind its proxy."""
        return create_app(self, self._limits, self._keys, proxied=True)

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take what the agent is to answer with from here on; questions in work keep what they have."""
        models = ServedModels.model_validate(user_config)
        fleet = Fleet(models, self._open_models, serve.get_deployment_handle)
        await fleet.open()
        self._fleet = fleet

    @property
    def _ready_fleet(self) -> Fleet:
        if self._fleet is None:
            raise ModelError("Still loading: the models of the agent itself. /readyz says when all is ready.")
        return self._fleet

    async def missing(self) -> tuple[str, ...]:
        return await self._fleet.missing() if self._fleet else ("agent",)

    async def models(self) -> tuple[str, ...]:
        return await self._fleet.names() if self._fleet else ()

    async def answerer(self, name: str | None) -> Answerer:
        return await self._ready_fleet.answerer(name or next(iter(self._ready_fleet.ways)))

    async def arms(self) -> tuple[str, str]:
        ways = tuple(self._ready_fleet.ways)
        lalm = next((name for name in ways if name.startswith("lalm/")), None)
        if lalm is None:
            raise ModelError("This service has no LALM, so there is nothing to set beside the cascade.")
        return ways[0], lalm

    async def asr(self) -> ASR:
        return await self._ready_fleet.asr()

    def hears(self, name: str | None) -> bool:
        return (name or "").partition("/")[0] not in DEAF


class DirectAgent(Agent):
    """The agent where it listens itself, so that no question goes through a proxy first."""

    def __init__(
        self, limits: Limits, keys: Keys, open_models: OpenModels, door: Path, **deployments: DeploymentHandle
    ) -> None:
        super().__init__(limits, keys, open_models, **deployments)
        self._door = door
        self._listening: Listening | None = None

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        if self._listening is None:
            app = create_app(self, self._limits, self._keys)
            self._listening = Listening(app, await asyncio.to_thread(take, self._door), self._limits.deadline_s)
        await super().reconfigure(user_config)

    async def check_health(self) -> None:
        """Let Ray replace this replica when it hears nobody any more."""
        if self._listening:
            self._listening.check()

    async def __del__(self) -> None:
        """Answer what has come, and take no more; Ray awaits this before it ends the process."""
        if self._listening:
            await self._listening.stop()
