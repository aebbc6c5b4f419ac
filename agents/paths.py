"""The ways from question to answer that can be named: plain dict, name -> function that builds it."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from agents.models import Models
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

DEAF = frozenset({"text"})  # paths that hear nothing: no clip is opened for them
