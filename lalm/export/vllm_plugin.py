"""vLLM plug-in: registers our model class, after a check of vLLM's version.

vLLM calls `register` in each of its processes (entry point `vllm.general_plugins`). The model class is registered by
name, and imported only where it is served.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from transformers import AutoConfig

from lalm.export.hf_config import LalmConfig
from services.errors import BadConfig

PINNED = "0.32.0"  # vLLM's interfaces for models change between minor versions
ARCHITECTURE = "Lalm"  # `architectures` in config.json
REPLY = "earwitness_reply"  # key in `vllm_xargs` of the token ids that `lalm.export.vllm_reply` forces


class LalmVllmConfig(LalmConfig):
    """Configuration of an exported LALM with `text_config`, where vLLM looks for the backbone."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - as transformers passes them
        super().__init__(**settings)
        self.text_config = AutoConfig.for_model(**self.backbone) if self.backbone else None


def register() -> None:
    """Register configuration and model class with vLLM; safe to repeat.

    Raises:
        ImportError: another version of vLLM is installed.
    """
    from vllm import ModelRegistry

    installed = version("vllm").partition("+")[0]
    if installed != PINNED:
        raise ImportError(f"Earwitness's LALMs run in vLLM {PINNED}; {installed} is installed. Install {PINNED}.")
    AutoConfig.register(LalmConfig.model_type, LalmVllmConfig, exist_ok=True)
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(ARCHITECTURE, "lalm.export.vllm_model:LalmForServing")


def require_vllm() -> None:
    """Raise `BadConfig` unless the version of vLLM that the plug-in is written for is installed."""
    try:
        installed = version("vllm").partition("+")[0]
    except PackageNotFoundError:
        raise BadConfig(
            f"lalm_engine 'vllm' needs vLLM {PINNED} beside Earwitness (docs/exporting.md), and none is installed. "
            "Leave lalm_engine out to run the LALM in process."
        ) from None
    if installed != PINNED:
        raise BadConfig(f"lalm_engine 'vllm' needs vLLM {PINNED}; {installed} is installed.")
