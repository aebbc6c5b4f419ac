"""Catalogue of LALMs: a plain dict, name -> function that opens the model.

To add a LALM, add one line. Openers import their runtime themselves, so that listing the names costs nothing.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from lalm.runtimes.request_form import RequestForm
from services.catalog import DEFAULT_ASR, GEMINI_URL, OPENAI_URL, open_asr, pick
from services.errors import ModelError
from services.extensions.registry import list_included
from services.files import is_folder
from services.protocols import ASR, LALM
from services.settings import settings

DEFAULT_LALM = "earwitness-tiny"
Engine: TypeAlias = Literal["in_process", "vllm"]
REPLY_TOKENS = 1024
THINKING_TOKENS = 8192
HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.jinja"]  # weights in no other format, and no code
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


def open_served(name: str, url: str, *, aliases: tuple[str, ...] = (), form: RequestForm | None = None) -> LALM:
    """Open a LALM on an OpenAI-compatible server, which may know it by our name or by one of `aliases`."""
    from lalm.runtimes.served_lalm import ServedLALM
    from services.clients.chat_server import Endpoint

    endpoint = Endpoint(url=url, model=name, aliases=aliases, api_key=settings().api_key, max_tokens=REPLY_TOKENS)
    asr = open_asr(DEFAULT_ASR) if form and form.takes_transcript else None
    return ServedLALM(endpoint, name=name, form=form, asr=asr)


def open_trained(folder: Path, name: str) -> LALM:
    """Open a run of `lalm.train` in this process."""
    from lalm.runtimes.in_process import InProcessTrainedLALM

    return InProcessTrainedLALM(folder, name=name, asr=_open_trained_asr(folder))


def open_served_trained(folder: Path, name: str, url: str) -> LALM:
    """Open a run of `lalm.train` that vLLM serves at `url` (`docs/exporting.md`)."""
    from lalm.runtimes.served_run import ServedTrainedLALM
    from services.clients.chat_server import Endpoint

    endpoint = Endpoint(url=url, model=name, api_key=settings().api_key)
    return ServedTrainedLALM(folder, endpoint, name=name, asr=_open_trained_asr(folder))


def _open_trained_asr(folder: Path) -> ASR | None:
    """Open the ASR that a run was trained with, behind the perception cache; None if it was trained without."""
    from lalm.train import checkpoint

    name = checkpoint.read_config(folder).model.asr
    return None if name is None else open_asr(name)


def open_in_own_vllm(name: str) -> LALM:
    """Open a run of `lalm.train` in a vLLM server that we start for it."""
    from lalm.runtimes.own_vllm import OwnVllmTrainedLALM

    folder = Path(__file__).with_name(name) if name in LALMS else Path(name)
    if not (folder / "config.yaml").is_file():
        raise ModelError(
            f"A vLLM of its own is started only for runs of `python -m lalm.train`, and {name!r} is not one: "
            "serve the model yourself and give the URL of its server as lalm_url."
        )
    return OwnVllmTrainedLALM(folder, name=folder.name, asr=_open_trained_asr(folder))


def offer_shipped_lalm(name: str) -> Callable[[str | None], LALM]:
    """Make the opener of a run that is shipped with this package."""

    def open_model(url: str | None) -> LALM:
        """Open it here, or on the server at `url`."""
        folder = Path(__file__).with_name(name)
        return open_trained(folder, name) if url is None else open_served_trained(folder, name, url)

    return open_model


def offer_hub_lalm(
    name: str, hub_id: str, form: RequestForm, *, aliases: tuple[str, ...] = (), here: bool = False
) -> Callable[[str | None], LALM]:
    """Make the opener of a model on the Hugging Face Hub, for a server or for this process.

    Args:
        name: what it is called here.
        hub_id: its id on the Hugging Face Hub.
        form: the request form that it needs, and its limits.
        aliases: names beside `hub_id` that a server may know it by.
        here: whether this process can run it; its weights are then downloaded from the Hub where no server is named.
    """

    def open_model(url: str | None) -> LALM:
        """Open it on the server at `url`, or in this process; raise `ModelError` if neither is possible."""
        if url is not None:
            return open_served(name, url, aliases=(*aliases, hub_id), form=form)
        if here:
            return open_hub_qwen(name, hub_id)
        raise ModelError(f"The LALM {name!r} needs --lalm-url URL of a server that has {hub_id} (`vllm serve`).")

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


def offer_hosted_lalm(name: str, url: str, key: str, form: RequestForm) -> Callable[[str | None], LALM]:
    """Make the opener of a hosted model without log-probabilities; `key` is the variable of its API key."""

    def open_model(other_url: str | None) -> LALM:
        """Open it at its own host, or on the server at `other_url`; raise `ModelError` if the API key is missing."""
        from lalm.runtimes.served_lalm import ServedLALM
        from services.clients.chat_server import Endpoint

        secret = settings().api_key if other_url else getattr(settings(), key.lower())
        if secret is None and other_url is None:
            raise ModelError(f"The LALM {name!r} is hosted: set {key}, or name a server with --lalm-url URL.")
        endpoint = Endpoint(
            url=other_url or url, model=name, api_key=secret, max_tokens=THINKING_TOKENS, logprobs=False
        )
        return ServedLALM(endpoint, name=name, form=form)

    return open_model


# Limits in seconds, as documented by the makers; we could not test them on their own servers. A longer clip is sent in
# parts where a prompt may hold several, and is refused otherwise.
HALF_MINUTES = RequestForm(max_clip_s=30, max_clips=8)
INLINE = RequestForm(max_clip_s=450)  # a request of 20 MB, with 16-bit WAV as base64

LALMS: Mapping[str, Callable[[str | None], LALM]] = {
    "earwitness-tiny": offer_shipped_lalm("earwitness-tiny"),
    "qwen2-audio-7b": offer_hub_lalm("qwen2-audio-7b", "Qwen/Qwen2-Audio-7B-Instruct", HALF_MINUTES, here=True),
    "qwen2.5-omni-3b": offer_hub_lalm(
        "qwen2.5-omni-3b", "Qwen/Qwen2.5-Omni-3B", RequestForm(max_clip_s=300, max_clips=3), here=True
    ),
    "qwen2.5-omni-7b": offer_hub_lalm(
        "qwen2.5-omni-7b", "Qwen/Qwen2.5-Omni-7B", RequestForm(max_clip_s=300, max_clips=3), here=True
    ),
    "qwen3-omni-30b": offer_hub_lalm(
        "qwen3-omni-30b",
        "Qwen/Qwen3-Omni-30B-A3B-Instruct",
        RequestForm(takes_system=False, max_clip_s=300, max_clips=6),
    ),
    # In vLLM this model processes audio only through its speech LoRA, which is served under a separate name.
    "phi-4-mm": offer_hub_lalm(
        "phi-4-mm", "microsoft/Phi-4-multimodal-instruct", RequestForm(max_clip_s=40, max_clips=8), aliases=("speech",)
    ),
    "audio-flamingo-3": offer_hub_lalm("audio-flamingo-3", "nvidia/audio-flamingo-3-hf", RequestForm(max_clip_s=600)),
    "voxtral-mini-3b": offer_hub_lalm(
        "voxtral-mini-3b", "mistralai/Voxtral-Mini-3B-2507", RequestForm(takes_system=False, max_clip_s=2400)
    ),
    "voxtral-small-24b": offer_hub_lalm(
        "voxtral-small-24b", "mistralai/Voxtral-Small-24B-2507", RequestForm(takes_system=False, max_clip_s=2400)
    ),
    "ultravox-8b": offer_hub_lalm(
        "ultravox-8b", "fixie-ai/ultravox-v0_5-llama-3_1-8b", HALF_MINUTES._replace(part_type="audio_url")
    ),
    "desta2.5-8b": offer_hub_lalm(
        "desta2.5-8b", "DeSTA-ntu/DeSTA2.5-Audio-Llama-3.1-8B", HALF_MINUTES._replace(takes_transcript=True)
    ),
    "gemini-2.0-flash": offer_hosted_lalm("gemini-2.0-flash", GEMINI_URL, "GEMINI_API_KEY", INLINE),
    "gemini-2.5-flash": offer_hosted_lalm("gemini-2.5-flash", GEMINI_URL, "GEMINI_API_KEY", INLINE),
    "gemini-2.5-pro": offer_hosted_lalm("gemini-2.5-pro", GEMINI_URL, "GEMINI_API_KEY", INLINE),
    "gpt-4o-audio-preview": offer_hosted_lalm("gpt-4o-audio-preview", OPENAI_URL, "OPENAI_API_KEY", INLINE),
}
