"""The ways from question to answer that can be named: plain dict, name -> function that builds it."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from agents.models import Models
from services.catalog import pick
from services.errors import BadConfig
from services.protocols import Answerer


def _text(models: Models) -> Answerer:
    from agents.text_only import TextOnly

    return TextOnly(models.llm())


def _cascade(models: Models) -> Answerer:
    from agents.cascade import Cascade

    return Cascade(models.llm(), models.captioner(), models.asr())


def _lalm(models: Models) -> Answerer:
    from agents.direct import Direct

    return Direct(models.lalm())


def _auto(models: Models) -> Answerer:
    from agents.auto import Auto
    from agents.router import ArmModels, routing_for

    llm, captioner, asr, lalm = models.llm(), models.captioner(), models.asr(), models.lalm()
    names = ArmModels(llm=llm.name, captioner=captioner.name, asr=asr.name, lalm=lalm.name)
    return Auto(_cascade(models), _lalm(models), routing_for(names))


Build: TypeAlias = Callable[[Models], Answerer]

PATHS: Mapping[str, Build] = {
    "text": _text,
    "cascade": _cascade,
    "lalm": _lalm,
    "auto": _auto,
}

FOLLOWED_UP = frozenset({"cascade", "auto"})  # paths with ears that may be asked again


def with_budget(path: str, budget: int) -> Build:
    """Return what builds a path that may ask its ears again so often; with 0 it is the path itself."""
    build = pick(PATHS, "path", path)
    if not budget:
        return build
    if path not in FOLLOWED_UP:
        raise BadConfig(f"Path {path!r} has no ears to ask again: leave out --budget, or take cascade or auto.")
    return lambda models: _followed_up(build(models), path, models, budget)


def _followed_up(answerer: Answerer, path: str, models: Models, budget: int) -> Answerer:
    from agents.listening import TEMPERATURES, FollowUp, Listening
    from agents.tools import Ears

    llm = models.llm()
    ears, temperature = Ears(models.captioner(), models.asr()), TEMPERATURES.get(llm.name, 1.0)
    calibrated = path == "auto"  # two arms are made one of calibrated probabilities
    follow_up = FollowUp(ears, llm, budget=budget, temperature=temperature, is_calibrated=calibrated)
    return Listening(answerer, follow_up)


DEAF = frozenset({"text"})  # paths that hear nothing: no clip is opened for them
