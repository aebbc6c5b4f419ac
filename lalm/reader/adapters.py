"""Adapters of a reader as a folder in PEFT's format: adapter_model.safetensors and adapter_config.json."""

import json
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from lalm.reader.config import ReaderConfig
from lalm.reader.model import ADAPTER, TARGETS
from services.files import write_atomic

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def save_adapters(folder: Path, tensors: dict[str, Tensor], config: ReaderConfig, num_layers: int) -> None:
    """Save adapters in bfloat16, under the names that PEFT gives them."""
    named = {
        f"base_model.model.{name.replace(f'.{ADAPTER}.', '.')}": value.to(torch.bfloat16).contiguous()
        for name, value in tensors.items()
    }
    write_atomic(folder / WEIGHTS, save(named, metadata={"format": "pt"}))
    described = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": config.backbone,
        "r": config.lora.rank,
        "lora_alpha": config.lora.alpha,
        "lora_dropout": config.lora.dropout,
        "target_modules": list(TARGETS),
        "layers_to_transform": list(range(config.lora.first_layer, num_layers)),
        "bias": "none",
        "inference_mode": True,
    }
    write_atomic(folder / CONFIG, json.dumps(described, indent=1) + "\n")
