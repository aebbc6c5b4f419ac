"""The ways from question to answer that can be named: plain dict, name -> function that builds it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agents.degradation import STRICT, Policy
from agents.models import Models
from services.catalog import pick
from services.errors import BadConfig
from services.protocols import Answerer

if TYPE_CHECKING:
    from agents.cascade import Cascade


class Manner(NamedTuple):
    """How a path answers."""

    budget: int
    """Times that an unsure answer may ask its ears again."""
    policy: Policy


def _text(models: Models, manner: Manner) -> Answerer:  # noqa: ARG001 - there is nothing to ask again, or instead
    from agents.text_only import TextOnly

    return TextOnly(models.llm())


def _cascade(models: Models, manner: Manner) -> "Cascade":
    import agents.graph  # noqa: F401 - LangGraph takes 0.7 s, which no question's deadline should pay
    from agents.cascade import Cascade
    from agents.listening import TEMPERATURES, FollowUp
    from agents.tools import Ears

    llm, ears = models.llm(), Ears(models.captioner(), models.asr())
    temperature = TEMPERATURES.get(llm.name, 1.0)
    follow_up = FollowUp(ears, llm, budget=manner.budget, temperature=temperature, policy=manner.policy)
    return Cascade(llm, *ears, follow_up=follow_up if manner.budget else None, policy=manner.policy)


def _lalm(models: Models, manner: Manner) -> Answerer:  # noqa: ARG001
    from agents.direct import Direct

    return Direct(models.lalm())


def _auto(models: Models, manner: Manner) -> Answerer:
    from agents.auto import Auto
    from agents.direct import Direct
    from agents.router import ArmModels, routing_for

    cascade, lalm = _cascade(models, manner), models.lalm()
    names = ArmModels(llm=cascade.llm.name, captioner=cascade.captioner.name, asr=cascade.asr.name, lalm=lalm.name)
    return Auto(cascade, Direct(lalm), routing_for(names))


Build: TypeAlias = Callable[[Models], Answerer]

PATHS: Mapping[str, Callable[[Models, Manner], Answerer]] = {
    "text": _text,
    "cascade": _cascade,
    "lalm": _lalm,
    "auto": _auto,
}

BUDGETS: Mapping[str, int] = {"cascade": 1, "auto": 1}
"""Path with ears that may be asked again -> how often, unless somebody says otherwise, as benchmarks do."""


def with_budget(path: str, budget: int | None = None, *, policy: Policy = STRICT) -> Build:
    """Return what builds a path that may ask its ears again so often; None: as often as the path does by itself."""
    build = pick(PATHS, "path", path)
    if budget and path not in BUDGETS:
        raise BadConfig(f"Path {path!r} has no ears to ask again: leave out --budget, or take cascade or auto.")
    manner = Manner(BUDGETS.get(path, 0) if budget is None else budget, policy)
    return lambda models: build(models, manner)


DEAF = frozenset({"text"})  # paths that hear nothing: no clip is opened for them
