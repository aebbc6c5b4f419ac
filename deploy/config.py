"""The service's configuration: one YAML file, read into one frozen value."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, get_args

import yaml
from pydantic import Field, ValidationError, model_validator

from agents.models import ModelNames
from lalm.catalog import LALMS
from services.catalog import ASRS, CAPTIONERS, DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM, LLMS, pick
from services.errors import BadConfig
from services.limits import Limits, Scale
from services.types import Value


class Served(Value):
    """A model: its name in the catalogue, where it runs, and how it scales."""

    name: str
    """Of an LLM or LALM also a folder, or with `url` any name that the server knows."""
    url: str | None = None
    """OpenAI-compatible server that runs it; of a captioner, the environment names the server."""
    in_agent: bool = False
    """Open it in the agent's process: no hop and no process of its own, and no other replicas either."""
    scale: Scale = Scale()

    @property
    def label(self) -> str:
        """What a client calls it."""
        return Path(self.name).name if Path(self.name).is_dir() else self.name

    @model_validator(mode="after")
    def _scales_alone(self) -> Self:
        if self.in_agent and self.scale != Scale():
            raise ValueError("what runs in_agent scales with the agent: leave out scale")
        return self


class ServedModels(Value):
    """The models that are served: the first LLM and the first LALM are the ones that are asked where none is named."""

    llms: tuple[Served, ...] = Field(default=(Served(name=DEFAULT_LLM),), min_length=1)
    captioner: Served = Served(name=DEFAULT_CAPTIONER)
    asr: Served = Served(name=DEFAULT_ASR)
    lalms: tuple[Served, ...] = ()

    @model_validator(mode="after")
    def _tells_all_apart(self) -> Self:
        for kind in (self.llms, self.lalms):
            labels = [served.label for served in kind]
            if twice := {label for label in labels if labels.count(label) > 1}:
                raise ValueError(f"{', '.join(sorted(twice))} is named twice")
        return self


class ServeConfig(Value):
    """What is served and with what; every part has a default."""

    models: ServedModels = ServedModels()
    limits: Limits = Limits()
    agent: Scale = Scale(num_cpus=0.1, max_ongoing_requests=200)
    """Of the process in front, which takes the questions."""


class Deployed(Value):
    """A served model with the name of its deployment."""

    role: str
    kind: str
    """llm, captioner, asr or lalm: the method of `Models` that opens it."""
    served: Served

    def names(self) -> ModelNames:
        """Return what `Models` needs to open it."""
        if self.kind in {"llm", "lalm"}:
            return ModelNames.model_validate({self.kind: self.served.name, f"{self.kind}_url": self.served.url})
        return ModelNames.model_validate({self.kind: self.served.name})


def deployed(models: ServedModels) -> Iterator[Deployed]:
    """Yield all models with their roles, such as `llm-phi-4`."""
    for kind, several in (("llm", models.llms), ("lalm", models.lalms)):
        for served in several:
            yield Deployed(role=f"{kind}-{re.sub(r'[^a-zA-Z0-9_.-]', '-', served.label)}", kind=kind, served=served)
    yield Deployed(role="captioner", kind="captioner", served=models.captioner)
    yield Deployed(role="asr", kind="asr", served=models.asr)


def read(path: Path) -> ServeConfig:
    """Read a configuration; `BadConfig` names the field that cannot be used, `UnknownName` the model."""
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"The configuration '{path}' cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise BadConfig(f"'{path}' is no YAML: {' '.join(str(error).split())}.") from None
    try:
        config = ServeConfig.model_validate({} if content is None else content)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadConfig(f"'{path}': {_complaint(first['type'], first['msg'], first['loc'])}") from None
    _check_names(config.models)
    return config


def _check_names(models: ServedModels) -> None:
    pick(CAPTIONERS, "captioner", models.captioner.name)
    pick(ASRS, "ASR", models.asr.name)
    for served in (models.captioner, models.asr):
        if served.url is not None:
            raise BadConfig(
                f"{served.name!r}: `url` is for LLMs and LALMs; EARWITNESS_CAPTIONER_URL names a captioner's."
            )
    for served in models.llms:
        if _is_catalogued(served):
            pick(LLMS, "LLM", served.name)
    for served in models.lalms:
        if _is_catalogued(served):
            pick(LALMS, "LALM", served.name)


def _is_catalogued(served: Served) -> bool:
    return served.url is None and not Path(served.name).is_dir()


def _complaint(kind: str, message: str, place: tuple[int | str, ...]) -> str:
    name = ".".join(map(str, place)) or "the whole"
    if kind != "extra_forbidden":
        return f"{name}: {message.removeprefix('Value error, ')}."
    known = tuple(_fields(place[:-1]))
    nearest = get_close_matches(str(place[-1]), known, n=1)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else f"Known: {', '.join(known)}."
    return f"no setting named {name!r}. {hint}"


def _fields(place: tuple[int | str, ...]) -> list[str]:
    model: type[Value] = ServeConfig
    for part in place:
        if isinstance(part, str):
            model = _value_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _value_in(annotation: Any) -> type[Value]:  # noqa: ANN401 - a type, or a tuple or a union that holds one
    candidates = (annotation, *get_args(annotation))
    return next(one for one in candidates if isinstance(one, type) and issubclass(one, Value))
