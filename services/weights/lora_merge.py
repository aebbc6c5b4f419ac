"""Merge LoRA adapters (arXiv:2106.09685) into the weights of a model, so that it costs nothing to run them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors.torch import load_file

if TYPE_CHECKING:
    from torch import nn

PREFIX = "base_model.model."  # of the names that PEFT gives tensors


def merge_lora(model: "nn.Module", folder: Path) -> None:
    """Add the adapters of a folder in PEFT's format to a model, in place: W + alpha / rank * B A."""
    described = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    scale = described["lora_alpha"] / described["r"]
    tensors = load_file(folder / "adapter_model.safetensors")
    for name, down_RI in tensors.items():
        if not name.endswith(".lora_A.weight"):
            continue
        up_OR = tensors[name.replace(".lora_A.", ".lora_B.")]
        weight_OI = model.get_submodule(name.removeprefix(PREFIX).removesuffix(".lora_A.weight")).weight.data
        weight_OI += (scale * up_OR.float() @ down_RI.float()).to(weight_OI.dtype)
