"""The service's configuration: one YAML file, read into one frozen value."""

from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import ValidationError

from agents.models import ModelNames
from lalm.catalog import LALMS
from lalm.vllm_plugin import require_vllm
from services.catalog import ASRS, CAPTIONERS, LLMS, pick
from services.errors import BadConfig
from services.limits import Limits, Scale
from services.types import Value


class Scales(Value):
    """How each deployment is scaled."""

    agent: Scale = Scale(num_cpus=0.1)
    llm: Scale = Scale()
    captioner: Scale = Scale()
    asr: Scale = Scale()
    lalm: Scale = Scale()


class ServeConfig(Value):
    """What is served and with what; every part has a default."""

    models: ModelNames = ModelNames()
    limits: Limits = Limits()
    scales: Scales = Scales()


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


def _check_names(names: ModelNames) -> None:
    pick(CAPTIONERS, "captioner", names.captioner)
    pick(ASRS, "ASR", names.asr)
    if names.llm_url is None and not Path(names.llm).is_dir():
        pick(LLMS, "LLM", names.llm)
    if names.lalm and names.lalm_url is None and not Path(names.lalm).is_dir():
        pick(LALMS, "LALM", names.lalm)
    if names.lalm_engine == "vllm":
        require_vllm()


def _complaint(kind: str, message: str, place: tuple[int | str, ...]) -> str:
    name = ".".join(map(str, place)) or "the whole"
    if kind != "extra_forbidden":
        return f"{name}: {message}."
    known = tuple(_fields(place[:-1]))
    nearest = get_close_matches(str(place[-1]), known, n=1)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else f"Known: {', '.join(known)}."
    return f"no setting named {name!r}. {hint}"


def _fields(place: tuple[int | str, ...]) -> list[str]:
    model: type[Value] = ServeConfig
    for part in place:
        annotation = model.model_fields[str(part)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, Value)
        model = annotation
    return list(model.model_fields)
