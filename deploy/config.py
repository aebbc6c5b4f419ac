"""The service's configuration: one YAML file, read into one frozen value.

`models.llm` and `models.lalm` name one model or several; where several are named, the first is the default:

    models:
      llm: [qwen3-8b, {name: phi-4, url: "http://phi-4:8000/v1", scale: {num_cpus: 0.5}}]
      captioner: {name: acoustic, placement: fused}   # in the replica of the agent
    scales:
      llm: {num_gpus: 1}        # of each LLM that has no `scale` of its own
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from agents.models import ModelNames
from lalm.catalog import LALMS
from lalm.export.vllm_version import require_vllm
from lalm.names import Engine
from services.catalog import ASRS, CAPTIONERS, DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM, LLMS, pick
from services.deployments.scale import Scale
from services.extensions.registry import include_files
from services.files import is_folder
from services.http.access.limits import Limits
from services.types import PlannerName, Value
from services.yaml_file import read_config

Kind: TypeAlias = Literal["llm", "captioner", "asr", "lalm"]
Placement: TypeAlias = Literal["fused", "own"]
"""Where a model runs: in the replica of the agent, which saves a call over gRPC, or in replicas of its own."""


class Scales(Value):
    """How each deployment is scaled; of the LLMs and LALMs, each that has no scale of its own."""

    agent: Scale = Scale(num_cpus=0.1)
    llm: Scale = Scale()
    captioner: Scale = Scale()
    asr: Scale = Scale()
    lalm: Scale = Scale()


def _require_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not the URL of a server, such as http://127.0.0.1:8000/v1")
    return url


def _require_path(path: str) -> str:
    if "\0" in path:
        raise ValueError(f"{path!r} is not a path: it holds a NUL")
    return path


ServerUrl: TypeAlias = Annotated[str, AfterValidator(_require_url)]


class Placed(Value):
    """A model and where it runs."""

    name: str
    """In the catalogue; of an LLM or LALM also a folder, or with `url` any name that the server knows."""
    placement: Placement = "own"


class Served(Placed):
    """One of several LLMs or LALMs."""

    url: ServerUrl | None = None
    """OpenAI-compatible server that runs it; None: `llm_url` or `lalm_url`, where that is set."""
    engine: Engine | None = None
    """Engine that runs a LALM here; None: `lalm_engine`."""
    scale: Scale | None = None
    """None: as all of its kind."""
    planner: PlannerName | None = None
    """Who chooses the tools that listen again where this LLM reads: a classifier (None), or the LLM itself."""

    @model_validator(mode="after")
    def _require_lightness_to_fuse(self) -> Self:
        if self.placement == "fused" and self.scale is not None:
            raise ValueError(f"{self.name} is fused with the agent: it has no scale of its own")
        return self


def _wrap_names(value: object) -> object:
    """Take one name for a list of one, and a name for a model that only has a name."""
    if value is None:
        return ()
    many = value if isinstance(value, list | tuple) else (value,)
    return tuple({"name": one} if isinstance(one, str) else one for one in many)


def _wrap_name(value: object) -> object:
    """Take a name for a model that only has a name."""
    return {"name": value} if isinstance(value, str) else value


One: TypeAlias = Annotated[Placed, BeforeValidator(_wrap_name)]
Several: TypeAlias = Annotated[tuple[Served, ...], BeforeValidator(_wrap_names)]


def choose_public_name(name: str) -> str:
    """Return the name under which clients ask for a model; for a folder, its last part."""
    return Path(name).name if is_folder(name) else name


def _simplify(label: str) -> str:
    """Return a label as the names of deployments may have it."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "-", label)


class ServedModels(Value):
    """The models that are served; the first LLM and the first LALM answer where none is named."""

    llm: Annotated[Several, Field(min_length=1)] = (Served(name=DEFAULT_LLM),)
    captioner: One = Placed(name=DEFAULT_CAPTIONER)
    asr: One = Placed(name=DEFAULT_ASR)
    llm_url: ServerUrl | None = None
    """Of every LLM that names no server of its own."""
    lalm: Several = ()
    lalm_url: ServerUrl | None = None
    lalm_engine: Engine = "in_process"
    calibration: Path | None = None
    """File, or folder of an `eval run`, with temperatures of these models; None: those that ship."""
    aliases: Mapping[str, str] = Field(default_factory=dict)
    """Other names under which models can be asked for, such as `gpt-4o-audio-preview: auto`."""

    @model_validator(mode="after")
    def _require_different_names(self) -> Self:
        for several in (self.llm, self.lalm):
            labels = [_simplify(choose_public_name(one.name)) for one in several]
            if twice := sorted({one for one in labels if labels.count(one) > 1}):
                raise ValueError(f"{', '.join(twice)} is named twice")
        if any(one.engine for one in self.llm):
            raise ValueError("engine is for LALMs: leave it out of llm")
        if any(one.planner for one in self.lalm):
            raise ValueError("planner is for LLMs: leave it out of lalm")
        return self

    @model_validator(mode="after")
    def _require_aliases_of_models(self) -> Self:
        known = self._list_names()
        for alias, name in self.aliases.items():
            if name not in known:
                raise ValueError(f"alias {alias!r} stands for {name!r}, which is none of {', '.join(known)}")
            if alias in known:
                raise ValueError(f"{alias!r} is the name of a model itself and cannot be an alias")
        return self

    def _list_names(self) -> list[str]:
        """Return the names under which these models answer."""
        of_lalms = ("lalm", "informed", "auto", "both") if self.lalm else ()
        names = [f"{path}/{choose_public_name(one.name)}" for path in ("cascade", "text") for one in self.llm]
        names += [f"{path}/{choose_public_name(one.name)}" for path in ("lalm", "informed") for one in self.lalm]
        return ["cascade", "text", *of_lalms, *names]


class McpSettings(Value):
    """The MCP server at `/mcp`."""

    folders: Annotated[tuple[Path, ...], Field(min_length=1)]
    """Folders whose recordings clients may name; a relative path starts at the folder of the configuration."""


class ServeConfig(Value):
    """Configuration of the service: models, limits and scales; every part has a default."""

    models: ServedModels = ServedModels()
    limits: Limits = Limits()
    scales: Scales = Scales()
    mcp: McpSettings | None = None
    """None: there is no MCP server."""
    include: tuple[Annotated[str, AfterValidator(_require_path)], ...] = ()
    """Python files whose models can be named; a relative path starts at the folder of the configuration."""

    @model_validator(mode="after")
    def _can_be_opened(self) -> Self:
        for one in list_deployed(self):
            one.resolve_names()
            if one.is_fused:
                one.require_lightness()
        return self


class Deployed(Value):
    """A model with the name of its deployment."""

    kind: Kind
    label: str
    """What a client calls it."""
    served: Served
    scale: Scale
    include: tuple[str, ...] = ()
    """Files that its replicas include before they open it."""

    @property
    def role(self) -> str:
        """The name of its deployment, such as `llm-phi-4`."""
        return f"{self.kind}-{_simplify(self.label)}"

    @property
    def is_fused(self) -> bool:
        """Whether it runs in the replica of the agent."""
        return self.served.placement == "fused"

    def require_lightness(self) -> None:
        """Raise `ValueError` where the model is too heavy for the replica of the agent."""
        if self.scale.num_gpus:
            raise ValueError(f"{self.label} is fused with the agent, which has no GPU: leave out its num_gpus")
        if self.kind in ("llm", "lalm") and self.served.url is None:
            raise ValueError(
                f"{self.label} computes for seconds and would hold up the agent: "
                f"placement: own, or the url of a server that runs it"
            )

    def resolve_names(self) -> ModelNames:
        """Return what `Models` needs to open it."""
        named: dict[str, object] = {self.kind: self.served.name, "include": self.include}
        if self.kind in ("llm", "lalm"):
            named[f"{self.kind}_url"] = self.served.url
        if self.kind == "lalm" and self.served.engine:
            named["lalm_engine"] = self.served.engine
        return ModelNames.model_validate(named)


def list_deployed(config: ServeConfig) -> Iterator[Deployed]:
    """Yield every model that is served, the default of each kind first."""
    for one in _list_models(config.models, config.scales):
        yield one.model_copy(update={"include": config.include})


def _list_models(models: ServedModels, scales: Scales) -> Iterator[Deployed]:
    for one in models.llm:
        served = one.model_copy(update={"url": one.url or models.llm_url})
        yield Deployed(kind="llm", label=choose_public_name(one.name), served=served, scale=one.scale or scales.llm)
    ears: tuple[tuple[Kind, Placed, Scale], ...] = (
        ("captioner", models.captioner, scales.captioner),
        ("asr", models.asr, scales.asr),
    )
    for kind, ear, scale in ears:
        served = Served(name=ear.name, placement=ear.placement)
        yield Deployed(kind=kind, label=ear.name, served=served, scale=scale)
    for one in models.lalm:
        engine = one.engine or models.lalm_engine
        served = one.model_copy(update={"url": one.url or models.lalm_url, "engine": engine})
        yield Deployed(kind="lalm", label=choose_public_name(one.name), served=served, scale=one.scale or scales.lalm)


def read_serve_config(path: Path, include: Iterable[str] = ()) -> ServeConfig:
    """Read a configuration; `BadConfig` names the key that cannot be used, `UnknownName` the model.

    Args:
        path: of the YAML file.
        include: Python files to include beside those that the configuration names.
    """
    config = read_config(path, ServeConfig)
    files = [str((path.parent / file).resolve()) for file in config.include]
    files += [str(Path(file).resolve()) for file in include]
    include_files(files)
    config = config.model_copy(update={"include": tuple(files)})
    if config.mcp:
        from deploy.mcp_server.folders import AllowedFolders
        from deploy.mcp_server.server import require_sdk

        require_sdk()
        folders = AllowedFolders([path.parent / folder for folder in config.mcp.folders]).roots
        config = config.model_copy(update={"mcp": McpSettings(folders=folders)})
    for one in list_deployed(config):
        _check_name(one)
    return config


def _check_name(one: Deployed) -> None:
    if one.served.engine == "vllm":
        require_vllm()
    if one.kind == "captioner":
        pick(CAPTIONERS, "captioner", one.served.name)
    elif one.kind == "asr":
        pick(ASRS, "ASR", one.served.name)
    elif one.served.url is None and not is_folder(one.served.name):
        if one.kind == "llm":
            pick(LLMS, "LLM", one.served.name)
        else:
            pick(LALMS, "LALM", one.served.name)
