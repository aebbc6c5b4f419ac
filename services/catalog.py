"""Catalogue of models: plain dicts, name -> function that opens the model.

To add a model, add one line. The import stands inside the opener, so that naming a model costs nothing. What others
offer without a change here is in `services.extensions`.
"""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, TypeVar, cast

from pydantic import SecretStr

from services.errors import BadConfig, ModelError, UnknownName
from services.extensions.registry import find_extension, list_extensions, list_included
from services.files import is_folder
from services.native_libraries import let_idle_threads_sleep
from services.protocols import ASR, LLM, Captioner, RepeatableLLM
from services.settings import read_settings
from services.types import ReadingStyle, Sampling

Entry = TypeVar("Entry")


class OpenLLM(Protocol):
    """Opens one LLM: here, or on the server at `url`; without `sampling` its replies are greedy."""

    def __call__(self, url: str | None, sampling: Sampling | None = None, /) -> LLM:
        """Open it; `ModelError` says what is missing."""


REPLY_TOKENS = 1024
THINKING_TOKENS = 8192
EMBEDDED_LLMS = ("smollm2-135m", "gemma-3-270m", "earwitness-reader-0.5b", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
DEFAULT_LLM = "qwen2.5-coder-1.5b"
DEFAULT_ASR = "whisper-base"
DEFAULT_CAPTIONER = "acoustic"
SMALL_READER = ReadingStyle(num_rotations=4, max_lettered=4, num_statements=4, max_chars=6_000)
TRAINED_READER = SMALL_READER.model_copy(update={"num_rotations": 1, "max_lettered": 10})
LARGER_READER = SMALL_READER.model_copy(update={"num_rotations": 1, "num_statements": 8})
OPENAI_URL = "https://api.openai.com/v1"
GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai"
ANTHROPIC_URL = "https://api.anthropic.com/v1"


def pick(catalogue: Mapping[str, Entry], kind: str, name: str) -> Entry:
    """Return the entry of that name, or else the extension of that kind; `UnknownName` lists the names that exist."""
    if name in catalogue:
        if name in list_included(kind):
            raise BadConfig(f"An included file names the {kind} {name!r}, which is one of ours: give it another name.")
        return catalogue[name]
    extension = find_extension(kind, name)
    if extension is None:
        raise UnknownName(kind, name, (*catalogue, *list_extensions(kind)))
    return cast("Entry", extension)  # others' openers: what they open is checked


def open_llm(name: str, url: str | None = None, sampling: Sampling | None = None) -> LLM:
    """Open an LLM: a catalogued one, a folder in Hugging Face format, or any that the server at `url` offers.

    One that always reads the same prompt alike is behind the cache of readings, unless `sampling` is given.
    """
    is_known = name in LLMS or name in list_included("LLM")
    if not is_known and url is not None:
        return open_served_llm(name, url, sampling=sampling)
    if not is_known and is_folder(name):
        return open_folder_llm(Path(name), sampling)
    opener = pick(LLMS, "LLM", name)
    return opener(url, sampling) if sampling else _cache_readings(opener(url))


def _cache_readings(llm: LLM) -> LLM:
    if not isinstance(llm, RepeatableLLM):
        return llm
    from services.cache.readings import CachedLLM

    return CachedLLM(llm, read_settings().home / "perception")


def open_asr(name: str) -> ASR:
    """Open an ASR of the catalogue behind the perception cache."""
    from services.cache.perception import CachedASR

    return CachedASR(pick(ASRS, "ASR", name)(), read_settings().home / "perception")


def open_captioner(name: str) -> Captioner:
    """Open a captioner of the catalogue behind the perception cache."""
    from services.cache.perception import CachedCaptioner

    return CachedCaptioner(pick(CAPTIONERS, "captioner", name)(), read_settings().home / "perception")


def offer_embedded_llm(name: str, style: ReadingStyle) -> OpenLLM:
    """Return the opener of an embedded LLM, unless a server is to run it."""

    def open_model(url: str | None, sampling: Sampling | None = None, /) -> LLM:
        """Open it here, or on the server at `url`."""
        if url is not None:
            return open_served_llm(name, url, sampling=sampling)
        let_idle_threads_sleep()
        from services.llms.autotune import choose_compute_type
        from services.llms.quantised import QuantisedLLM
        from services.weights import store as weights

        folder, revision = weights.ensure_folder(name), weights.find_revision(name)
        compute_type = choose_compute_type(folder, revision)
        return QuantisedLLM(
            folder, name=name, revision=revision, style=style, sampling=sampling, compute_type=compute_type
        )

    return open_model


def open_folder_llm(folder: Path, sampling: Sampling | None = None) -> LLM:
    """Open a causal LM in Hugging Face format from a folder of the user's."""
    from services.llms.in_process import InProcessLLM

    return InProcessLLM(folder, name=folder.name, sampling=sampling)


def open_served_llm(
    name: str, url: str, *, hub_id: str = "", thinking: bool | None = None, sampling: Sampling | None = None
) -> LLM:
    """Open a model behind an OpenAI-compatible server, which may know it by our name or by its Hub id."""
    from services.clients.chat_server import Endpoint
    from services.llms.openai_server import ServedLLM

    template = {} if thinking is None else {"chat_template_kwargs": {"enable_thinking": thinking}}
    aliases = (hub_id,) if hub_id else ()
    drawn = sampling or Sampling(max_tokens=THINKING_TOKENS if thinking else REPLY_TOKENS)
    endpoint = Endpoint(
        url=url,
        model=name,
        aliases=aliases,
        api_key=read_settings().api_key,
        max_tokens=drawn.max_tokens,
        temperature=drawn.temperature,
        top_p=sampling.top_p if sampling else None,
        logprobs=not thinking,
        extra_body=template,
    )
    return ServedLLM(endpoint, name=name, sampling=sampling)


def offer_hub_llm(name: str, hub_id: str, *, thinking: bool | None = None) -> OpenLLM:
    """Return the opener of a Hub model: on a server if there is a URL, else by vLLM in this process."""

    def open_model(url: str | None, sampling: Sampling | None = None, /) -> LLM:
        """Open it on the server at `url`, or by vLLM here; `ModelError` says what is missing."""
        if url is not None:
            return open_served_llm(name, url, hub_id=hub_id, thinking=thinking, sampling=sampling)
        if not _has_gpu_and_vllm():
            raise ModelError(
                f"The LLM {name!r} needs a CUDA GPU with vLLM (`pip install 'earwitness[gpu]'`) and {hub_id} from the "
                f"Hugging Face Hub, or `--llm-url URL` of a server that has it. "
                f"Here, without either: {', '.join(EMBEDDED_LLMS)}."
            )
        from services.llms.vllm_engine import VllmEngine

        return VllmEngine(hub_id, name=name, thinking=thinking, sampling=sampling)

    return open_model


def offer_hosted_llm(name: str, url: str, key: str, **fields: int) -> OpenLLM:
    """Return the opener of a hosted model; `key` is the environment variable of its key, `fields` go into requests."""

    def open_model(other_url: str | None, sampling: Sampling | None = None, /) -> LLM:
        """Open it at its own host, or on the server at `other_url`; `ModelError` says that the key is missing."""
        from services.clients.chat_server import Endpoint
        from services.llms.openai_server import ServedLLM

        secret = read_settings().api_key if other_url else getattr(read_settings(), key.lower())
        if secret is None and other_url is None:
            raise ModelError(
                f"The LLM {name!r} is hosted: set {key}, or name a server with `--llm-url URL` (of a judge with "
                f"`--judge-url URL`). Here, without either: {', '.join(EMBEDDED_LLMS)}."
            )
        drawn = sampling or Sampling(max_tokens=THINKING_TOKENS)
        endpoint = Endpoint(
            url=other_url or url,
            model=name,
            aliases=(name.replace(".", "-"),) if name.startswith("claude") else (),
            api_key=secret,
            max_tokens=None if fields else drawn.max_tokens,
            temperature=None if fields else drawn.temperature,
            top_p=sampling.top_p if sampling else None,
            extra_body=dict(fields),
        )
        return ServedLLM(endpoint, name=name, sampling=sampling)

    return open_model


def _has_gpu_and_vllm() -> bool:
    return find_spec("vllm") is not None and Path("/dev/nvidiactl").exists()


def open_whisper(weights: str, *, compute_type: str, words: bool = False) -> ASR:
    """Open a Whisper model in CTranslate2 format."""
    let_idle_threads_sleep()
    from services.asr.faster_whisper import FasterWhisper
    from services.weights import store as places

    name = f"{weights}-words" if words else weights
    folder, revision = places.ensure_folder(weights), places.find_revision(weights)
    return FasterWhisper(folder, name=name, revision=revision, compute_type=compute_type, words=words)


def open_acoustic() -> Captioner:
    """Open the embedded captioner: pretrained taggers and signal analysis."""
    from services.captioners.acoustic import AcousticCaptioner

    return AcousticCaptioner()


def open_transcript_only() -> Captioner:
    """Open the captioner without statements: with an ASR beside it, the paper's Whisper row."""
    from services.captioners.transcript import TranscriptOnly

    return TranscriptOnly()


def open_served_captioner(name: str, model: str, *, url: str | None = None, key: SecretStr | None = None) -> Captioner:
    """Open an audio-chat model behind an OpenAI-compatible server as a captioner."""
    from services.captioners.served import ServedCaptioner
    from services.clients.chat_server import Endpoint

    own_url = read_settings().captioner_url
    base, secret = own_url or url, read_settings().api_key if own_url else key
    if base is None or (own_url is None and secret is None):
        raise ModelError(
            f"The captioner {name!r} runs on a server: start one (`vllm serve {model}`) and set "
            "EARWITNESS_CAPTIONER_URL to its URL, such as http://127.0.0.1:8000/v1, or for a hosted one the key of "
            f"its host, such as GEMINI_API_KEY. Without either: {DEFAULT_CAPTIONER}, transcript."
        )
    return ServedCaptioner(Endpoint(url=base, model=model, api_key=secret), name=name)


ASRS: dict[str, Callable[[], ASR]] = {
    "whisper-base": lambda: open_whisper("whisper-base", compute_type="int8"),
    "whisper-base-words": lambda: open_whisper("whisper-base", compute_type="int8", words=True),
    "whisper-large-v3": lambda: open_whisper("whisper-large-v3", compute_type="default"),
}

CAPTIONERS: dict[str, Callable[[], Captioner]] = {
    "acoustic": open_acoustic,
    "transcript": open_transcript_only,
    "qwen3-omni-captioner": lambda: open_served_captioner("qwen3-omni-captioner", "Qwen/Qwen3-Omni-30B-A3B-Captioner"),
    "audio-flamingo-next-captioner": lambda: open_served_captioner(
        "audio-flamingo-next-captioner", "nvidia/audio-flamingo-next-captioner-hf"
    ),
    "qwen2.5-omni": lambda: open_served_captioner("qwen2.5-omni", "Qwen/Qwen2.5-Omni-7B"),
    "gemini-2.5-pro": lambda: open_served_captioner(
        "gemini-2.5-pro", "gemini-2.5-pro", url=GEMINI_URL, key=read_settings().gemini_api_key
    ),
}

LLMS: dict[str, OpenLLM] = {
    "smollm2-135m": offer_embedded_llm("smollm2-135m", SMALL_READER),
    "gemma-3-270m": offer_embedded_llm("gemma-3-270m", SMALL_READER),
    "earwitness-reader-0.5b": offer_embedded_llm("earwitness-reader-0.5b", TRAINED_READER),
    "qwen2.5-coder-0.5b": offer_embedded_llm("qwen2.5-coder-0.5b", SMALL_READER),
    "qwen2.5-coder-1.5b": offer_embedded_llm("qwen2.5-coder-1.5b", LARGER_READER),
    "llama-2-7b": offer_hub_llm("llama-2-7b", "meta-llama/Llama-2-7b-chat-hf"),
    "llama-3-8b": offer_hub_llm("llama-3-8b", "meta-llama/Meta-Llama-3-8B-Instruct"),
    "llama-3.1-8b": offer_hub_llm("llama-3.1-8b", "meta-llama/Llama-3.1-8B-Instruct"),
    "qwen2.5-7b": offer_hub_llm("qwen2.5-7b", "Qwen/Qwen2.5-7B-Instruct"),
    "qwen3-4b": offer_hub_llm("qwen3-4b", "Qwen/Qwen3-4B", thinking=False),
    "qwen3-4b-thinking": offer_hub_llm("qwen3-4b-thinking", "Qwen/Qwen3-4B", thinking=True),
    "qwen3-8b": offer_hub_llm("qwen3-8b", "Qwen/Qwen3-8B", thinking=False),
    "qwen3-8b-thinking": offer_hub_llm("qwen3-8b-thinking", "Qwen/Qwen3-8B", thinking=True),
    "qwen3-14b": offer_hub_llm("qwen3-14b", "Qwen/Qwen3-14B", thinking=False),
    "qwen3-14b-thinking": offer_hub_llm("qwen3-14b-thinking", "Qwen/Qwen3-14B", thinking=True),
    "phi-4": offer_hub_llm("phi-4", "microsoft/phi-4"),
    "phi-4-mini": offer_hub_llm("phi-4-mini", "microsoft/Phi-4-mini-instruct"),
    "olmo-3-7b": offer_hub_llm("olmo-3-7b", "allenai/Olmo-3-7B-Instruct"),
    "olmo-3-7b-sft": offer_hub_llm("olmo-3-7b-sft", "allenai/Olmo-3-7B-Instruct-SFT"),
    "olmo-3-7b-dpo": offer_hub_llm("olmo-3-7b-dpo", "allenai/Olmo-3-7B-Instruct-DPO"),
    "gpt-4o": offer_hosted_llm("gpt-4o", OPENAI_URL, "OPENAI_API_KEY"),
    "gpt-5": offer_hosted_llm("gpt-5", OPENAI_URL, "OPENAI_API_KEY", max_completion_tokens=8192),
    "gemini-2.0-flash": offer_hosted_llm("gemini-2.0-flash", GEMINI_URL, "GEMINI_API_KEY"),
    "gemini-2.5-pro": offer_hosted_llm("gemini-2.5-pro", GEMINI_URL, "GEMINI_API_KEY"),
    "claude-sonnet-4.5": offer_hosted_llm("claude-sonnet-4.5", ANTHROPIC_URL, "ANTHROPIC_API_KEY"),
}
