"""Routing of model names to deployments: the models of the service, and the names that they answer under.

A model is known once its replica has described itself; a name can be asked when all of its models are known.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from ray.serve.handle import DeploymentHandle

from agents.degradation import DEGRADING
from agents.paths import BUDGETS, PATHS, TEXT_ONLY, make_builder
from agents.reading.calibration import CalibrationFile
from deploy.config import Deployed, Kind
from services.catalog import pick
from services.deployments.replicas import ModelCard, Replica
from services.deployments.stubs import (
    AskReplica,
    ASRStub,
    CaptionerStub,
    LALMStub,
    LLMStub,
    ask_deployment,
    ask_fused,
    ask_replica,
)
from services.errors import ModelError
from services.http.answering import BOTH
from services.protocols import ASR, LALM, LLM, Answerer, AnyModel, Captioner, TellableModel

NO_LALM = "This service has no LALM; `models.lalm` in its configuration names one."
ANSWER_S = 2.0  # seconds in which a loaded model describes itself, however busy it is
STUBS: Mapping[Kind, Callable[[AskReplica, ModelCard], AnyModel]] = {
    "llm": LLMStub,
    "captioner": CaptionerStub,
    "asr": ASRStub,
    "lalm": LALMStub,
}

GetHandle: TypeAlias = Callable[[str], DeploymentHandle]


class Way(NamedTuple):
    """A path with the roles of the models that it takes, by kind."""

    path: str
    roles: Mapping[Kind, str]


class Fleet:
    """What is offered: ways, and the models that they take.

    Args:
        offered: the models, the default of each kind first.
        handle: returns the handle of the deployment that has a role.
        before: what was offered until now; its models that stay are known at once.
        calibration: temperatures that count before those that ship.
        fused: the models that run in this process, by role; they are known at once.
    """

    def __init__(
        self,
        offered: Sequence[Deployed],
        handle: GetHandle,
        before: "Fleet | None" = None,
        calibration: CalibrationFile | None = None,
        fused: Mapping[str, AnyModel] = MappingProxyType({}),
    ) -> None:
        self._offered = {one.role: one for one in offered}
        self._handle, self._calibration = handle, calibration
        self._known = (
            {role: model for role, model in before.known.items() if before.does_offer(self._offered.get(role))}
            if before
            else {}
        )
        self._known |= {one.role: fused[one.role] for one in offered if one.is_fused}
        self._answerers: dict[str, Answerer] = {}
        self.ways = _list_ways(offered)
        """Name -> way, the default first, and `both` the last."""

    @property
    def known(self) -> Mapping[str, AnyModel]:
        """The models that have described themselves, by role."""
        return self._known

    def does_offer(self, one: Deployed | None) -> bool:
        """Say whether exactly this model is offered here."""
        return one is not None and one.role in self._offered and self._offered[one.role].served == one.served

    async def list_missing(self) -> tuple[str, ...]:
        """Ask all deployments to describe themselves, and return those that do not answer."""
        asked = [one for one in self._offered.values() if not one.is_fused]
        cards = await asyncio.gather(*(_fetch_card(self._handle(one.role)) for one in asked))
        for one, card in zip(asked, cards, strict=True):
            if card and one.role not in self._known:
                self._known[one.role] = STUBS[one.kind](ask_deployment(self._handle(one.role)), card)
        return tuple(one.role for one, card in zip(asked, cards, strict=True) if card is None)

    async def list_names(self) -> tuple[str, ...]:
        """Return the names whose models are all known."""
        if len(self._known) < len(self._offered):
            await self.list_missing()
        return tuple(name for name, way in self.ways.items() if self._can_answer(way))

    def _can_answer(self, way: Way) -> bool:
        """Say whether all models of a way are known, and its LALM takes what the way gives it."""
        models = {kind: self._known.get(role) for kind, role in way.roles.items()}
        reads = way.path != "informed" or takes_evidence(models["lalm"])
        return reads and all(models.values())

    async def find_answerer(self, name: str | None) -> Answerer:
        """Return the way of that name, or the first way of that path; the first of all for None."""
        name = name or next(iter(self.ways))
        way = self._find_way(name)
        models = await self._find_models(way)
        if name not in self._answerers:
            self._answerers[name] = self._build(way, models)
        return self._answerers[name]

    def _find_way(self, name: str) -> Way:
        path = name.partition("/")[0]
        pick(PATHS, "path", path)
        if path not in {way.path for way in self.ways.values()}:
            raise ModelError(NO_LALM)
        named = {name: way for name, way in self.ways.items() if way.path in PATHS}
        first = {way.path: way for way in reversed(named.values())}
        return pick(named | first, "model", name)

    async def takes_reply_options(self, name: str | None) -> bool:
        """Say whether all models that write the open replies of a name can be told how."""
        names = self.list_arms() if name == BOTH else (name or next(iter(self.ways)),)
        roles = {role for one in names for kind, role in self._find_way(one).roles.items() if kind in ("llm", "lalm")}
        models = [self._known.get(role) for role in roles]
        return all(isinstance(model, TellableModel) and model.takes_reply_options for model in models)

    def _build(self, way: "Way", models: "WayModels") -> Answerer:
        reader = self._offered[way.roles["llm"]].served if way.path in BUDGETS else None
        planner = reader.planner if reader else None
        return make_builder(way.path, calibration=self._calibration, policy=DEGRADING, planner=planner)(models)

    def list_arms(self) -> tuple[str, str]:
        """Return the names of the first cascade and the first LALM."""
        if BOTH not in self.ways:
            raise ModelError(NO_LALM)
        cascade, lalm = (
            next(name for name, way in self.ways.items() if way.path == arm) for arm in ("cascade", "lalm")
        )
        return cascade, lalm

    async def find_asr(self) -> ASR:
        """Return the recogniser."""
        (role,) = (role for role, one in self._offered.items() if one.kind == "asr")
        return (await self._find_models(Way("", {"asr": role}))).open_asr()

    async def find_captioner(self) -> Captioner:
        """Return the captioner."""
        (role,) = (role for role, one in self._offered.items() if one.kind == "captioner")
        return (await self._find_models(Way("", {"captioner": role}))).open_captioner()

    async def _find_models(self, way: Way) -> "WayModels":
        if not self._known.keys() >= set(way.roles.values()):
            await self.list_missing()
        if waiting := [role for role in way.roles.values() if role not in self._known]:
            raise ModelError(f"Still loading: {', '.join(waiting)}. /readyz says when all is ready.")
        return WayModels({kind: self._known[role] for kind, role in way.roles.items()})


class WayModels:
    """The models of one way, as `Models`."""

    def __init__(self, models: Mapping[Kind, AnyModel]) -> None:
        self._models = models

    def open_llm(self) -> LLM:
        """Return the handle to the LLM."""
        return self._models["llm"]  # type: ignore[return-value]

    def open_captioner(self) -> Captioner:
        """Return the handle to the captioner."""
        return self._models["captioner"]  # type: ignore[return-value]

    def open_asr(self) -> ASR:
        """Return the handle to the ASR."""
        return self._models["asr"]  # type: ignore[return-value]

    def open_lalm(self) -> LALM:
        """Return the handle to the LALM."""
        return self._models["lalm"]  # type: ignore[return-value]


def takes_evidence(model: AnyModel | None) -> bool:
    """Say whether a model is a LALM that takes evidence beside the clip."""
    return isinstance(model, LALMStub) and model.style.takes_evidence


def needs_clip(name: str | None) -> bool:
    """Say whether a model needs a clip."""
    return (name or "").partition("/")[0] not in TEXT_ONLY


def _list_ways(offered: Sequence[Deployed]) -> dict[str, Way]:
    roles: dict[Kind, dict[str, str]] = {"llm": {}, "captioner": {}, "asr": {}, "lalm": {}}
    for one in offered:
        roles[one.kind][one.label] = one.role
    first = {kind: next(iter(named.values())) for kind, named in roles.items() if named}
    ears: dict[Kind, str] = {"captioner": first["captioner"], "asr": first["asr"]}
    ways = {f"cascade/{label}": Way("cascade", {"llm": role, **ears}) for label, role in roles["llm"].items()}
    ways |= {f"text/{label}": Way("text", {"llm": role}) for label, role in roles["llm"].items()}
    ways |= {f"lalm/{label}": Way("lalm", {"lalm": role}) for label, role in roles["lalm"].items()}
    informed = {label: {"lalm": role, **ears} for label, role in roles["lalm"].items()}
    ways |= {f"informed/{label}": Way("informed", kinds) for label, kinds in informed.items()}
    if roles["lalm"]:
        ways |= {path: Way(path, first) for path in ("auto", BOTH)}
    return ways


async def _fetch_card(handle: DeploymentHandle) -> ModelCard | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            card: ModelCard = await ask_replica(handle.describe)
    except (TimeoutError, ModelError):
        return None
    return card


async def stub_fused(kind: Kind, replica: Replica) -> AnyModel:
    """Return the stub of a model that runs in this process."""
    return STUBS[kind](ask_fused(replica), await replica.describe())
