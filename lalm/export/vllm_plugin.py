"""vLLM plug-in: registers our model class, after a check of vLLM's version.

vLLM calls `register` in each of its processes (entry point `vllm.general_plugins`). The model class is registered by
name, and imported only where it is served.
"""

from typing import Any

from transformers import AutoConfig

from lalm.export.hf_config import LalmConfig
from lalm.export.vllm_version import PINNED, read_vllm_version

ARCHITECTURE = "Lalm"  # `architectures` in config.json


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

    installed = read_vllm_version()
    if installed != PINNED:
        raise ImportError(f"Earwitness's LALMs run in vLLM {PINNED}; {installed} is installed. Install {PINNED}.")
    AutoConfig.register(LalmConfig.model_type, LalmVllmConfig, exist_ok=True)
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(ARCHITECTURE, "lalm.export.vllm_model:LalmForServing")
