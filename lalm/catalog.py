"""Catalogue of LALMs: a plain dict, name -> function that opens the model.

Models of others are rows of `lalm/served_models.yaml`; to add one, add a row. An opener imports its runtime itself, so
that listing the names is cheap.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from lalm.names import Engine
from lalm.runtimes.request_form import RequestForm
from lalm.served_models import Host, LalmEntry, read_served_models
from services.catalog import DEFAULT_ASR, GEMINI_URL, OPENAI_URL, open_asr, pick
from services.errors import ModelError
from services.extensions.registry import list_included
from services.files import is_folder
from services.protocols import ASR, LALM
from services.settings import read_settings

REPLY_TOKENS = 1024
THINKING_TOKENS = 8192
HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.jinja"]  # weights in no other format, and no code


class ModelHost(NamedTuple):
    """A hosted service with an OpenAI-compatible API."""

    url: str
    """Base URL of its OpenAI-compatible API."""
    key: str
    """Environment variable of its API key."""


HOSTS: Mapping[Host, ModelHost] = {
    "gemini": ModelHost(GEMINI_URL, "GEMINI_API_KEY"),
    "openai": ModelHost(OPENAI_URL, "OPENAI_API_KEY"),
}
QWEN_TYPES = ("qwen2_audio", "qwen2_5_omni", "qwen2_5_omni_thinker")


def open_lalm(name: str | None, url: str | None = None, *, engine: Engine = "in_process") -> LALM:
    """Open a LALM by its catalogue name, by the name that the server at `url` knows it by, or from a folder.

    Args:
        name: of the model, or path of a folder; None is an error that names the option.
        url: base URL of an OpenAI-compatible server, up to and including /v1.
        engine: what runs the model where there is no `url`.

    Raises:
        UnknownName: neither the catalogue nor the disk holds it.
        ModelError: it cannot be opened here.
    """
    if name is None:
        raise ModelError(
            "--lalm-url needs the name of an audio-language model that the server offers: --lalm NAME (known: "
            f"{', '.join(LALMS)})."
        )
    if engine == "vllm":
        return open_in_own_vllm(name)
    if name in LALMS or name in list_included("LALM"):
        return pick(LALMS, "LALM", name)(url)
    if url is not None:
        is_run = (Path(name) / "config.yaml").is_file()
        return open_served_trained(Path(name), Path(name).name, url) if is_run else open_served(name, url)
    if is_folder(name):
        return open_folder(Path(name))
    return pick(LALMS, "LALM", name)(url)


def open_folder(folder: Path) -> LALM:
    """Open the LALM of a folder: a run of `lalm.train`, or a Hugging Face model by the `model_type` in config.json."""
    if (folder / "config.yaml").is_file():
        return open_trained(folder, folder.name)
    model_type = _read_model_type(folder)
    if model_type in QWEN_TYPES:
        from lalm.runtimes.qwen import InProcessQwen

        return InProcessQwen(folder, name=folder.name, revision="local")
    raise ModelError(
        f"'{folder}' holds a model of type {model_type!r}, which does not run here as a LALM; "
        f"these do: {', '.join(QWEN_TYPES)}, and run folders of `python -m lalm.train`. "
        "For others: --lalm-url URL of a server that has it."
    )


def _read_model_type(folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"'{folder}' holds no model: its config.json cannot be read ({error}).") from error
    return str(config.get("model_type")) if isinstance(config, dict) else "none"


def open_served(name: str, url: str, model: LalmEntry | None = None, *, api_key: SecretStr | None = None) -> LALM:
    """Open a LALM on an OpenAI-compatible server.

    Args:
        name: of the model; the server may know it by this name, by its weights or by one of its aliases.
        url: base URL of the server.
        model: its request form and limits; None: those of OpenAI's API.
        api_key: of its host; None: EARWITNESS_API_KEY.
    """
    from lalm.runtimes.served_lalm import ServedLALM
    from services.clients.chat_server import Endpoint

    form = model.form if model else RequestForm()
    thinks, hosted = bool(model and model.thinks), api_key is not None
    endpoint = Endpoint(
        url=url,
        model=model.weights if model and hosted else name,
        aliases=(*model.aliases, model.weights) if model and not hosted else (),
        api_key=api_key or read_settings().api_key,
        max_tokens=THINKING_TOKENS if thinks else REPLY_TOKENS,
        logprobs=not thinks,
        streams=form.streams,
        extra_body={"modalities": list(form.modalities)} if form.modalities else {},
    )
    return ServedLALM(endpoint, name=name, form=form, asr=open_asr(DEFAULT_ASR) if form.takes_transcript else None)


def open_trained(folder: Path, name: str) -> LALM:
    """Open a run of `lalm.train` in this process."""
    from lalm.runtimes.trained_lalm import TrainedLALM

    return TrainedLALM(folder, name=name, asr=_open_trained_asr(folder))


def open_served_trained(folder: Path, name: str, url: str) -> LALM:
    """Open a run of `lalm.train` that vLLM serves at `url` (`docs/exporting.md`)."""
    from lalm.runtimes.served_run import ServedTrainedLALM
    from services.clients.chat_server import Endpoint

    endpoint = Endpoint(url=url, model=name, api_key=read_settings().api_key)
    return ServedTrainedLALM(folder, endpoint, name=name, asr=_open_trained_asr(folder))


def _open_trained_asr(folder: Path) -> ASR | None:
    """Open the ASR that a run was trained with, behind the perception cache; None if it was trained without."""
    from lalm.train import run_files

    name = run_files.read_config(folder).model.asr
    return None if name is None else open_asr(name)


def open_in_own_vllm(name: str) -> LALM:
    """Open a run of `lalm.train` in a vLLM server that we start for it."""
    from lalm.runtimes.own_vllm import OwnVllmTrainedLALM

    folder = _locate_run(name)
    if folder is None:
        raise ModelError(
            f"A vLLM of its own is started only for runs of `python -m lalm.train`, and {name!r} is not one: "
            "serve the model yourself and give the URL of its server as lalm_url."
        )
    return OwnVllmTrainedLALM(folder, name=folder.name, asr=_open_trained_asr(folder))


def find_trained(name: str) -> Path:
    """Return the folder of a run of `lalm.train`, whose activations can be read.

    Raises:
        UnknownName: neither the catalogue nor the disk holds the model.
        ModelError: it is another kind of model.
    """
    folder = _locate_run(name)
    if folder is not None:
        return folder
    if name not in LALMS and not is_folder(name):
        pick(LALMS, "LALM", name)
    raise ModelError(
        f"The LALM {name!r} gives no activations: these are read of models that run in this process, which are "
        "earwitness-tiny and the run folders of `python -m lalm.train`."
    )


def _locate_run(name: str) -> Path | None:
    folder = Path(__file__).with_name(name) if name in LALMS else Path(name)
    return folder if (folder / "config.yaml").is_file() else None


def offer_shipped_lalm(name: str) -> Callable[[str | None], LALM]:
    """Make the opener of a run that is shipped with this package."""

    def open_model(url: str | None) -> LALM:
        """Open it in this process, or on the server at `url`."""
        folder = Path(__file__).with_name(name)
        return open_trained(folder, name) if url is None else open_served_trained(folder, name, url)

    return open_model


def offer_served_lalm(name: str, model: LalmEntry) -> Callable[[str | None], LALM]:
    """Make the opener of a model of others: at its host, on a server, or in this process where that is possible."""

    def open_model(url: str | None) -> LALM:
        """Open it on the server at `url`, at its host, or in this process; `ModelError` if none is possible."""
        if url is not None:
            return open_served(name, url, model)
        if model.host is not None:
            return open_hosted(name, model)
        if model.runs_in_process:
            return open_hub_qwen(name, model.weights)
        raise ModelError(f"The LALM {name!r} needs --lalm-url URL of a server that has {model.weights}: {model.needs}.")

    return open_model


def open_hub_qwen(name: str, hub_id: str) -> LALM:
    """Open Qwen2-Audio or Qwen2.5-Omni in this process; its weights are downloaded from the Hub once."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    from lalm.runtimes.qwen import InProcessQwen

    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=HUB_FILES))
    except (LocalEntryNotFoundError, HfHubHTTPError) as error:
        raise ModelError(
            f"{hub_id} is neither on this disk nor could it be fetched from the Hub ({str(error).splitlines()[0]}). "
            f"For {name!r} on a server: --lalm-url URL; in a folder: --lalm FOLDER."
        ) from error
    return InProcessQwen(folder, name=name, revision=folder.name)


def open_hosted(name: str, model: LalmEntry) -> LALM:
    """Open a model at its host; raise `ModelError` if the API key is missing."""
    assert model.host is not None, name
    host = HOSTS[model.host]
    key = getattr(read_settings(), host.key.lower())
    if key is None:
        raise ModelError(f"The LALM {name!r} is hosted: set {host.key}, or name a server with --lalm-url URL.")
    return open_served(name, host.url, model, api_key=key)


LALMS: Mapping[str, Callable[[str | None], LALM]] = {
    "earwitness-tiny": offer_shipped_lalm("earwitness-tiny"),
    **{name: offer_served_lalm(name, model) for name, model in read_served_models().items()},
}
