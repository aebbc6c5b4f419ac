"""Tells vLLM of our model; vLLM calls `register` in each of its processes (entry point `vllm.general_plugins`).

It costs no import of vLLM's models: the class is named, and imported where it is served.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from transformers import AutoConfig

from lalm.export.hf_config import LalmConfig
from services.errors import BadConfig

PINNED = "0.32.0"  # vLLM's interfaces for models change with its minor versions
ARCHITECTURE = "Lalm"  # what config.json calls it
REPLY = "earwitness_reply"  # in `vllm_xargs`: the tokens that `lalm.export.vllm_reply` has it say


class LalmVllmConfig(LalmConfig):
    """An exported LALM's configuration, in which vLLM finds that of the backbone."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - as transformers passes them
        super().__init__(**settings)
        self.text_config = AutoConfig.for_model(**self.backbone) if self.backbone else None


def register() -> None:
    """Register configuration and model; safe to repeat."""
    from vllm import ModelRegistry

    installed = version("vllm").partition("+")[0]
    if installed != PINNED:
        raise ImportError(f"Earwitness's LALMs run in vLLM {PINNED}; {installed} is installed.")
    AutoConfig.register(LalmConfig.model_type, LalmVllmConfig, exist_ok=True)
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(ARCHITECTURE, "lalm.export.vllm_model:LalmForServing")


def require_vllm() -> None:
    """Raise `BadConfig` unless the vLLM is installed that the plugin is written for."""
    try:
        installed = version("vllm").partition("+")[0]
    except PackageNotFoundError:
        raise BadConfig(
            f"lalm_engine 'vllm' needs vLLM {PINNED} beside Earwitness (docs/exporting.md), and none is installed. "
            "Leave lalm_engine out to run the LALM in process."
        ) from None
    if installed != PINNED:
        raise BadConfig(f"lalm_engine 'vllm' needs vLLM {PINNED}; {installed} is installed.")
