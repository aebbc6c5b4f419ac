"""The ways from question to answer that can be named: plain dict, name -> function that builds it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agents.degradation import STRICT, Policy
from agents.models import Models
from services.catalog import pick
from services.errors import BadConfig
from services.protocols import LLM, Answerer

if TYPE_CHECKING:
    from agents.cascade import Cascade


class Manner(NamedTuple):
    """How a path answers."""

    budget: int
    """Times that an unsure answer may ask its ears again."""
    policy: Policy
    rotations: int | None
    """Orders of the options that an LLM's letters are averaged over; None: as many as suit the LLM."""
    router: Path | None
    """What `auto` routes by; None: the router that ships, where it was fitted on these models, else the rule."""


def _text(models: Models, manner: Manner) -> Answerer:
    from agents.text_only import TextOnly

    return TextOnly(_reader(models, manner))


def _reader(models: Models, manner: Manner) -> LLM:
    from agents.reading.reading import InOrders

    llm = models.llm()
    if manner.rotations is None:
        return llm
    if llm.style.scores != "letters":
        raise BadConfig(f"{llm.name!r} scores the texts of the options, in no order: leave out --rotations.")
    return InOrders(llm, manner.rotations)


def _cascade(models: Models, manner: Manner) -> "Cascade":
    import agents.graph.graph  # noqa: F401 - LangGraph takes 0.7 s, which no question's deadline should pay
    from agents.cascade import Cascade
    from agents.listening.listening import TEMPERATURES, FollowUp
    from agents.listening.tools import Ears

    llm, ears = _reader(models, manner), Ears(models.captioner(), models.asr())
    temperature = TEMPERATURES.get(llm.name, 1.0)
    follow_up = FollowUp(ears, llm, budget=manner.budget, temperature=temperature, policy=manner.policy)
    return Cascade(llm, *ears, follow_up=follow_up if manner.budget else None, policy=manner.policy)


def _lalm(models: Models, manner: Manner) -> Answerer:  # noqa: ARG001
    from agents.direct import Direct

    return Direct(models.lalm())


def _auto(models: Models, manner: Manner) -> Answerer:
    from agents.auto import Auto
    from agents.direct import Direct
    from agents.routing.router import ArmModels, router_for, routing_for

    cascade, lalm = _cascade(models, manner), models.lalm()
    parts = cascade.parts
    names = ArmModels(llm=parts.llm.name, captioner=parts.captioner.name, asr=parts.asr.name, lalm=lalm.name)
    routing = routing_for(names) if manner.router is None else router_for(names, manner.router)
    return Auto(cascade, Direct(lalm), routing)


Build: TypeAlias = Callable[[Models], Answerer]

PATHS: Mapping[str, Callable[[Models, Manner], Answerer]] = {
    "text": _text,
    "cascade": _cascade,
    "lalm": _lalm,
    "auto": _auto,
}

BUDGETS: Mapping[str, int] = {"cascade": 1, "auto": 1}
"""Path with ears that may be asked again -> how often, unless somebody says otherwise, as benchmarks do."""


def builder(
    path: str,
    *,
    budget: int | None = None,
    rotations: int | None = None,
    router: Path | None = None,
    policy: Policy = STRICT,
) -> Build:
    """Return what builds a path; see `Manner`, where None stands for what the path does by itself."""
    build = pick(PATHS, "path", path)
    if budget and path not in BUDGETS:
        raise BadConfig(f"Path {path!r} has no ears to ask again: leave out --budget, or take cascade or auto.")
    if rotations is not None and path == "lalm":
        raise BadConfig("Path 'lalm' scores the texts of the options, in no order: leave out --rotations.")
    if router is not None and path != "auto":
        raise BadConfig(f"Path {path!r} routes nothing: leave out --router, or take --path auto.")
    manner = Manner(BUDGETS.get(path, 0) if budget is None else budget, policy, rotations, router)
    return lambda models: build(models, manner)


DEAF = frozenset({"text"})  # paths that hear nothing: no clip is opened for them
