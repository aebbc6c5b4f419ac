"""The Ray Serve application: the only place where Ray, agents and models meet.

    deploy/serve.local.yaml -> ServeConfig -> build() -> one deployment per model, and the agent in front

Small models may be fused: they run in the replica of the agent, whose version then covers them.

The agent builds its paths as eval does; only the models it gives them are handles to deployments. It learns which
models there are from Ray's `user_config`, so that an LLM can come or go without a restart of anything else.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias

from fastapi import APIRouter, FastAPI
from pydantic import Field
from ray import serve
from ray.serve.handle import DeploymentHandle

from agents.models import LocalModels, ModelNames, Models
from agents.reading.calibration import CalibrationFile, read_calibrations
from deploy.config import Deployed, McpSettings, ServeConfig, list_deployed
from deploy.fleet import Fleet, needs_clip, stub_fused
from services.audio import decoder_pool as decoder
from services.deployments.ray_internals import listen_on_loopback, make_version_options
from services.deployments.ray_version import require_ray
from services.deployments.replicas import Replica, bind_deployment
from services.errors import ModelError
from services.http.access.admission import AdmissionControl
from services.http.access.auth import ApiKeys, read_keys
from services.http.access.limits import Limits
from services.http.access.live_keys import LiveKeys
from services.http.gateway import create_app
from services.protocols import ASR, Answerer, AnyModel, Captioner
from services.types import Value

PROBES = 64  # requests beyond those admitted that the agent takes to refuse them, or to answer health checks
LOADING = "Still loading; /readyz says when all is ready."

OpenModels: TypeAlias = Callable[[ModelNames], Models]


class AgentConfig(Value):
    """`user_config` of the agent: the models that it answers with."""

    models: tuple[Deployed, ...]
    aliases: Mapping[str, str] = Field(default_factory=dict)
    calibration: CalibrationFile | None = None


def open_loaded_models(names: ModelNames) -> Models:
    """Return models that read their weights at once: who is told that the service is ready need not wait for them."""
    return LocalModels(names, loads="at once")


def build(
    config: ServeConfig, open_models: OpenModels = open_loaded_models, *, beside: ServeConfig | None = None
) -> serve.Application:
    """Return the application; each replica opens its own model by name.

    Args:
        config: what is served.
        open_models: opens a model by its names.
        beside: models of this configuration run too, without requests: those that come, or those that leave.
    """
    require_ray()
    offered, own = tuple(list_deployed(config)), config.models.calibration
    calibration = read_calibrations(own) if own else None
    fused = tuple(one for one in offered if one.is_fused)
    up = {one.role: one for one in (*(list_deployed(beside) if beside else ()), *offered) if not one.is_fused}
    handles = {role: _build_deployment(one, open_models) for role, one in up.items()}
    # What Ray queues in front of the agent is neither bounded nor refused: the agent itself has to see all that comes.
    ongoing = max(config.scales.agent.max_ongoing_requests, config.limits.max_inside + PROBES)
    scale = config.scales.agent.model_copy(update={"max_ongoing_requests": ongoing, "max_queued_requests": -1})
    keys = read_keys()
    parts_of_fused = (part for one in fused for part in _list_parts(one))
    own_parts = (config.limits.model_dump_json(), config.mcp, *parts_of_fused)
    options = scale.to_options() | make_version_options(_hash_version(*own_parts))
    options |= {
        "user_config": AgentConfig(models=offered, aliases=config.models.aliases, calibration=calibration).model_dump(
            mode="json"
        ),
    }
    agent = serve.deployment(serve.ingress()(Agent)).options(name="agent", **options)
    return agent.bind(config.limits, keys, tuple(handles.values()), fused, open_models, config.mcp)


def _build_deployment(one: Deployed, open_models: OpenModels) -> serve.Application:
    opener = partial(_open_model, one, open_models)
    return bind_deployment(opener, one.role, one.scale, _hash_version(*_list_parts(one)))


def _open_model(one: Deployed, open_models: OpenModels) -> AnyModel:
    """Open a model in its replica, by its name."""
    models = open_models(one.resolve_names())
    openers: dict[str, Callable[[], AnyModel]] = {
        "llm": models.open_llm,
        "captioner": models.open_captioner,
        "asr": models.open_asr,
        "lalm": models.open_lalm,
    }
    return openers[one.kind]()


def _list_parts(one: Deployed) -> Iterator[object]:
    """Yield what makes the version of a model: its replicas are replaced where one of these changes."""
    yield one.served.model_dump_json(exclude={"scale"})
    yield one.scale.num_gpus
    for file in one.include:
        yield Path(file).read_bytes()


def _hash_version(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


class Agent:
    """The deployment in front: serves the HTTP API and awaits the models.

    Its handles are looked up by name, because those that it is bound to may change while it runs. The models that are
    fused with it are opened here.
    """

    def __init__(
        self,
        limits: Limits,
        keys: ApiKeys,
        bound: tuple[DeploymentHandle, ...],  # noqa: ARG002
        fused: tuple[Deployed, ...],
        open_models: OpenModels,
        mcp: McpSettings | None,
    ) -> None:
        # LangGraph takes 2 s to import: better now, while the models load, than at the first question.
        importing = Thread(target=import_module, args=("agents.graph.graph",), daemon=True)
        importing.start()
        decoder.start_decoders()
        listen_on_loopback()
        self._limits, self._keys, self._mcp = limits, keys, mcp
        self._fleet: Fleet | None = None
        self._aliases: Mapping[str, str] = {}
        self._fused = {one: Replica(partial(_open_model, one, open_models), one.role) for one in fused}
        importing.join()  # what is there now is looked through by no garbage collection of Ray's replica

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the ASGI application that Ray Serve puts behind its proxy."""
        keys, add_routes = LiveKeys(self._keys), self._add_mcp if self._mcp else None
        return create_app(self, self._limits, keys, proxied=True, add_routes=add_routes)

    def _add_mcp(self, admission: AdmissionControl) -> APIRouter:
        from deploy.mcp_server.endpoint import build_mcp_routes

        assert self._mcp is not None, "it is called only then"
        return build_mcp_routes(self, self._limits, self._mcp.folders, admission)

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Replace the models that the agent answers with; questions in work keep theirs."""
        offer = AgentConfig.model_validate(user_config)
        self._aliases = offer.aliases
        fused = {one.role: await stub_fused(one.kind, replica) for one, replica in self._fused.items()}
        self._fleet = Fleet(offer.models, serve.get_deployment_handle, self._fleet, offer.calibration, fused)

    @property
    def _ready_fleet(self) -> Fleet:
        if self._fleet is None:
            raise ModelError(LOADING)
        return self._fleet

    async def list_missing(self) -> tuple[str, ...]:
        """Return the deployments that are not ready; the agent itself before it has its fleet."""
        return await self._fleet.list_missing() if self._fleet else ("agent",)

    async def list_models(self) -> tuple[str, ...]:
        """Return the names that can be asked for."""
        return await self._fleet.list_names() if self._fleet else ()

    def resolve(self, name: str | None) -> str | None:
        """Return the name that an alias stands for."""
        return self._aliases.get(name, name) if name else name

    async def find_answerer(self, name: str | None) -> Answerer:
        """Return what answers under a name."""
        return await self._ready_fleet.find_answerer(name)

    async def list_arms(self) -> tuple[str, str]:
        """Return the names of the two arms that are asked side by side."""
        return self._ready_fleet.list_arms()

    async def find_asr(self) -> ASR:
        """Return the ASR that transcribes uploads."""
        return await self._ready_fleet.find_asr()

    async def find_captioner(self) -> Captioner:
        """Return the captioner that describes uploads."""
        return await self._ready_fleet.find_captioner()

    async def takes_reply_options(self, name: str | None) -> bool:
        """Return whether open replies of a name are written as a request asks."""
        return await self._ready_fleet.takes_reply_options(name)

    def needs_clip(self, name: str | None) -> bool:
        """Return whether a name needs a recording."""
        return needs_clip(name)
