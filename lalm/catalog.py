"""The LALMs that can be named: plain dict, name -> function that opens the model.

To add a LALM, add one line. The import stands inside the opener, so that naming a model costs nothing.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from services.cache import CachedASR
from services.catalog import ASRS, pick
from services.errors import ModelError
from services.protocols import LALM
from services.settings import settings

REPLY_TOKENS = 1024


def open_lalm(name: str | None, url: str | None = None) -> LALM:
    """Open a LALM: any that the server at `url` offers, or a catalogued one."""
    if name is None:
        raise ModelError(
            f"Path 'lalm' needs the name of an audio-language model: --lalm NAME (known: {', '.join(LALMS)}), "
            "or with --lalm-url URL any that an OpenAI-compatible server offers."
        )
    if url is not None and name not in LALMS:
        return served_lalm(name, url)
    if name not in LALMS and Path(name).is_dir():
        return trained_lalm(Path(name), Path(name).name)
    return pick(LALMS, "LALM", name)(url)


def served_lalm(name: str, url: str, *, hub_id: str = "") -> LALM:
    """Open a LALM behind an OpenAI-compatible server, which may know it by our name or by its Hub id."""
    from lalm.served import ServedLALM
    from services.chat_server import Endpoint

    aliases = (hub_id,) if hub_id else ()
    endpoint = Endpoint(url=url, model=name, aliases=aliases, api_key=settings().api_key, max_tokens=REPLY_TOKENS)
    return ServedLALM(endpoint, name=name)


def trained_lalm(folder: Path, name: str) -> LALM:
    """Open a run of `lalm.train` in this process."""
    from lalm import checkpoint
    from lalm.infer import TrainedLALM

    asr = checkpoint.read_config(folder).model.asr
    words = None if asr is None else CachedASR(pick(ASRS, "ASR", asr)(), settings().home / "perception")
    return TrainedLALM(folder, name=name, asr=words)


def shipped_lalm(name: str) -> Callable[[str | None], LALM]:
    """Return the opener of a run that comes with this package."""

    def opened(url: str | None) -> LALM:
        """Open it here, or on the server at `url`."""
        return trained_lalm(Path(__file__).with_name(name), name) if url is None else served_lalm(name, url)

    return opened


def hub_lalm(name: str, hub_id: str) -> Callable[[str | None], LALM]:
    """Return the opener of a Hub model, which a server has to run."""

    def opened(url: str | None) -> LALM:
        """Open it on the server at `url`; `ModelError` says what is missing."""
        if url is None:
            raise ModelError(f"The LALM {name!r} needs --lalm-url URL of a server that has {hub_id} (`vllm serve`).")
        return served_lalm(name, url, hub_id=hub_id)

    return opened


LALMS: Mapping[str, Callable[[str | None], LALM]] = {
    "earwitness-tiny": shipped_lalm("earwitness-tiny"),
    "qwen2.5-omni-7b": hub_lalm("qwen2.5-omni-7b", "Qwen/Qwen2.5-Omni-7B"),
    "qwen2-audio-7b": hub_lalm("qwen2-audio-7b", "Qwen/Qwen2-Audio-7B-Instruct"),
    "audio-flamingo-3": hub_lalm("audio-flamingo-3", "nvidia/audio-flamingo-3-hf"),
    "phi-4-mm": hub_lalm("phi-4-mm", "microsoft/Phi-4-multimodal-instruct"),
}
