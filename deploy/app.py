"""The Ray Serve application: the only place where Ray, agents and models meet.

    deploy/serve.local.yaml -> ServeConfig -> build() -> one deployment per model, and the agent in front

The agent builds its paths as eval does; only the models it gives them are handles to deployments.
"""

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from threading import Thread

from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle

from agents.degradation import DEGRADING
from agents.models import LocalModels, ModelNames, Models
from agents.paths import DEAF, PATHS, with_budget
from deploy.config import ServeConfig
from services import decoder
from services.auth import Keys, read_keys
from services.catalog import pick
from services.deployments import Card, RemoteASR, RemoteCaptioner, RemoteLALM, RemoteLLM, ask_replica, deployment
from services.errors import ModelError
from services.gateway import create_app
from services.limits import Limits
from services.protocols import ASR, LALM, LLM, Answerer, Captioner

DEFAULT_PATH = "cascade"
NO_LALM = "This service has no LALM; `models.lalm` in its configuration names one."
PROBES = 64  # requests beyond those let in that the agent takes to refuse them, or to say how it is
ANSWER_S = 2.0  # seconds in which a loaded model says its name, however busy it is

OpenModels = Callable[[ModelNames], Models]


def build(config: ServeConfig, open_models: OpenModels = LocalModels) -> serve.Application:
    """Return the application; each replica opens its own model by name."""
    names, scales = config.models, config.scales
    # What Ray queues in front of the agent is neither bounded nor refused: the agent itself has to see all that comes.
    ongoing = max(scales.agent.max_ongoing_requests, config.limits.max_inside + PROBES)
    scale = scales.agent.model_copy(update={"max_ongoing_requests": ongoing})
    agent = serve.deployment(serve.ingress()(Agent)).options(name="agent", **scale.options())
    models = {
        "llm": deployment(lambda: open_models(names).llm(), "llm", scales.llm),
        "captioner": deployment(lambda: open_models(names).captioner(), "captioner", scales.captioner),
        "asr": deployment(lambda: open_models(names).asr(), "asr", scales.asr),
    }
    if names.lalm or names.lalm_url:
        models["lalm"] = deployment(lambda: open_models(names).lalm(), "lalm", scales.lalm)
    return agent.bind(config.limits, read_keys(), **models)


class RemoteModels:
    """The models of the deployments, as `Models`."""

    def __init__(
        self, llm: RemoteLLM, captioner: RemoteCaptioner, asr: RemoteASR, lalm: RemoteLALM | None = None
    ) -> None:
        self._llm, self._captioner, self._asr, self._lalm = llm, captioner, asr, lalm

    def llm(self) -> LLM:
        return self._llm

    def captioner(self) -> Captioner:
        return self._captioner

    def asr(self) -> ASR:
        return self._asr

    def lalm(self) -> LALM:
        if self._lalm is None:
            raise ModelError(NO_LALM)
        return self._lalm


class Agent:
    """The deployment in front: takes questions over HTTP and only awaits the models."""

    def __init__(self, limits: Limits, keys: Keys, **handles: DeploymentHandle) -> None:
        # LangGraph takes 2 s to import: better now, while the models load, than at the first question.
        Thread(target=import_module, args=("agents.graph",), daemon=True).start()
        decoder.start()
        self._limits, self._keys = limits, keys
        self._handles = handles
        self._answerers: Mapping[str, Answerer] = {}

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return what Ray Serve puts behind its proxy."""
        return create_app(self, self._limits, self._keys, proxied=True)

    async def missing(self) -> tuple[str, ...]:
        cards = await asyncio.gather(*(_card(handle) for handle in self._handles.values()))
        missing = tuple(role for role, card in zip(self._handles, cards, strict=True) if card is None)
        if not missing and not self._answerers:
            self._answerers = self._connect(*(card for card in cards if card))
        return missing

    async def models(self) -> tuple[str, ...]:
        names = tuple(name for name in await self._connected() if "/" in name or name == "auto")
        return (*names, "both") if "auto" in names else names

    async def answerer(self, name: str | None) -> Answerer:
        path = (name or DEFAULT_PATH).partition("/")[0]
        pick(PATHS, "path", path)
        if path in ("lalm", "auto") and "lalm" not in self._handles:
            raise ModelError(NO_LALM)
        answerers = await self._connected()
        if not answerers:
            raise ModelError("Still loading; /readyz says when all is ready.")
        return pick(answerers, "model", name or DEFAULT_PATH)

    async def arms(self) -> tuple[str, str]:
        if "lalm" not in self._handles:
            raise ModelError(NO_LALM)
        names = await self.models()
        if not names:
            raise ModelError("Still loading; /readyz says when all is ready.")
        cascade, lalm = (next(name for name in names if name.startswith(path)) for path in ("cascade/", "lalm/"))
        return cascade, lalm

    async def asr(self) -> ASR:
        card = await _card(self._handles["asr"])
        if card is None:
            raise ModelError("Still loading; /readyz says when all is ready.")
        return RemoteASR(self._handles["asr"], card)

    def hears(self, name: str | None) -> bool:
        return (name or DEFAULT_PATH).partition("/")[0] not in DEAF

    async def _connected(self) -> Mapping[str, Answerer]:
        if not self._answerers:
            await self.missing()
        return self._answerers

    def _connect(self, *cards: Card) -> Mapping[str, Answerer]:
        card = dict(zip(self._handles, cards, strict=True))
        llm = RemoteLLM(self._handles["llm"], card["llm"])
        lalm = RemoteLALM(self._handles["lalm"], card["lalm"]) if "lalm" in card else None
        models = RemoteModels(
            llm,
            RemoteCaptioner(self._handles["captioner"], card["captioner"]),
            RemoteASR(self._handles["asr"], card["asr"]),
            lalm,
        )
        names = {"cascade": f"cascade/{llm.name}", "text": f"text/{llm.name}"}
        if lalm:
            names |= {"lalm": f"lalm/{lalm.name}", "auto": "auto"}
        bare = {path: with_budget(path, policy=DEGRADING)(models) for path in names}
        return {name: bare[path] for path, name in names.items()} | bare


async def _card(handle: DeploymentHandle) -> Card | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            card: Card = await ask_replica(handle.card)
    except (TimeoutError, ModelError):
        return None
    return card
