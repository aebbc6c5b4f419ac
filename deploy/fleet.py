"""The models of the service and the names that they answer under.

Each model is open in this process or behind a handle, and is known once it has said its name; a way to answer can be
asked when all the models that it takes are known.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from ray.serve.handle import DeploymentHandle

from agents.models import ModelNames, Models
from agents.paths import DEAF, PATHS
from deploy.config import Deployed, ServedModels, deployed
from services.catalog import pick
from services.deployments import AnyModel, Card, RemoteASR, RemoteCaptioner, RemoteLALM, RemoteLLM, ask_replica
from services.errors import ModelError
from services.protocols import ASR, LALM, LLM, Answerer, Captioner

BOTH = "both"
ANSWER_S = 2.0  # seconds in which a loaded model says its name, however busy it is
REMOTE: Mapping[str, Callable[[DeploymentHandle, Card], AnyModel]] = {
    "llm": RemoteLLM,
    "captioner": RemoteCaptioner,
    "asr": RemoteASR,
    "lalm": RemoteLALM,
}

OpenModels: TypeAlias = Callable[[ModelNames], Models]
GetHandle: TypeAlias = Callable[[str], DeploymentHandle]


class Way(NamedTuple):
    """A path with the roles of the models that it takes."""

    path: str
    llm: str | None
    lalm: str | None

    @property
    def roles(self) -> tuple[str, ...]:
        """Of all its models."""
        ears = ("captioner", "asr") if self.llm and self.path not in DEAF else ()
        return tuple(role for role in (self.llm, self.lalm) if role) + ears


class Fleet:
    """Models by role.

    Args:
        models: what is served.
        open_models: opens what runs in this process.
        handle: returns the handle of the deployment that has a role.
    """

    def __init__(self, models: ServedModels, open_models: OpenModels, handle: GetHandle) -> None:
        self._deployed = {one.role: one for one in deployed(models)}
        self._open_models, self._handle = open_models, handle
        self._known: dict[str, AnyModel] = {}
        self._answerers: dict[Way, Answerer] = {}
        self.ways = _ways(models, {(one.kind, one.served.name): one.role for one in self._deployed.values()})
        """Name -> way, the default first, and `both` the last."""

    async def open(self) -> None:
        """Open the models of this process; `ModelError` says what is missing."""
        here = [one for one in self._deployed.values() if one.served.in_agent]
        opened = await asyncio.gather(*(asyncio.to_thread(self._open, one) for one in here))
        self._known |= {one.role: model for one, model in zip(here, opened, strict=True)}

    def _open(self, one: Deployed) -> AnyModel:
        return open_one(self._open_models, one)

    async def missing(self) -> tuple[str, ...]:
        """Ask all deployments who they are, and return those that do not answer."""
        asked = tuple(one for one in self._deployed.values() if not one.served.in_agent)
        cards = await asyncio.gather(*(_card(self._handle(one.role)) for one in asked))
        for one, card in zip(asked, cards, strict=True):
            if card and one.role not in self._known:
                self._known[one.role] = REMOTE[one.kind](self._handle(one.role), card)
        return tuple(one.role for one, card in zip(asked, cards, strict=True) if card is None)

    async def names(self) -> tuple[str, ...]:
        """Return the names whose models are all known."""
        if len(self._known) < len(self._deployed):
            await self.missing()
        return tuple(name for name, way in self.ways.items() if self._known.keys() >= set(way.roles))

    async def answerer(self, name: str) -> Answerer:
        """Return the way of that name, or the first way of that path."""
        by_path = {way.path: way for way in reversed(self.ways.values())}
        way = pick({name: way for name, way in (self.ways | by_path).items() if way.path in PATHS}, "model", name)
        models = await self._roles(way.roles)
        if way not in self._answerers:
            self._answerers[way] = PATHS[way.path](WayModels(models))
        return self._answerers[way]

    async def asr(self) -> ASR:
        """Return the recogniser."""
        return WayModels(await self._roles(("asr",))).asr()

    async def _roles(self, roles: tuple[str, ...]) -> Mapping[str, AnyModel]:
        """Return models by kind."""
        if not self._known.keys() >= set(roles):
            await self.missing()
        if waiting := [role for role in roles if role not in self._known]:
            raise ModelError(f"Still loading: {', '.join(waiting)}. /readyz says when all is ready.")
        return {self._deployed[role].kind: self._known[role] for role in roles}


class WayModels:
    """The models of one way, as `Models`."""

    def __init__(self, models: Mapping[str, AnyModel]) -> None:
        self._models = models

    def llm(self) -> LLM:
        return self._models["llm"]  # type: ignore[return-value]

    def captioner(self) -> Captioner:
        return self._models["captioner"]  # type: ignore[return-value]

    def asr(self) -> ASR:
        return self._models["asr"]  # type: ignore[return-value]

    def lalm(self) -> LALM:
        return self._models["lalm"]  # type: ignore[return-value]


def open_one(open_models: OpenModels, one: Deployed) -> AnyModel:
    """Open a model in this process."""
    models = open_models(one.names())
    openers: Mapping[str, Callable[[], AnyModel]] = {
        "llm": models.llm,
        "captioner": models.captioner,
        "asr": models.asr,
        "lalm": models.lalm,
    }
    return openers[one.kind]()


def _ways(models: ServedModels, roles: Mapping[tuple[str, str], str]) -> dict[str, Way]:
    llms = {served.label: roles["llm", served.name] for served in models.llms}
    lalms = {served.label: roles["lalm", served.name] for served in models.lalms}
    ways = {f"{path}/{label}": Way(path, role, None) for path in ("cascade", "text") for label, role in llms.items()}
    ways |= {f"lalm/{label}": Way("lalm", None, role) for label, role in lalms.items()}
    if lalms:
        llm, lalm = next(iter(llms.values())), next(iter(lalms.values()))
        ways |= {path: Way(path, llm, lalm) for path in ("auto", BOTH)}
    return ways


async def _card(handle: DeploymentHandle) -> Card | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            card: Card = await ask_replica(handle.card)
    except (TimeoutError, ModelError):
        return None
    return card
