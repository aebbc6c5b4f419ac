"""Builds the LALM that a configuration describes: frozen parts loaded, trained parts freshly initialised."""

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from lalm.model import parts
from lalm.model.config import LoraConfig, ModelConfig
from lalm.model.connector import Connector
from lalm.model.encoders import AudioEncoders, open_encoders
from lalm.model.model import AudioLanguageModel
from lalm.model.template import ChatTemplate

if TYPE_CHECKING:
    from peft import PeftConfig

ADAPTER = "audio"  # name of the LoRA adapter inside PEFT, part of every tensor name


class LalmComponents(NamedTuple):
    """A LALM ready to run: trainable model, frozen audio encoders, chat template."""

    model: AudioLanguageModel
    encoders: AudioEncoders
    template: ChatTemplate


def build(config: ModelConfig, device: torch.device) -> LalmComponents:
    """Load the frozen encoders and backbone, and initialise the connector and the LoRA adapters on `device`.

    Raises:
        ModelError: an encoder, backbone or tokenizer cannot be loaded.
        BadConfig: an encoder has too few layers, or the tokenizer has no chat template.
    """
    dtype = parts.pick_dtype(config.dtype, device)
    encoders = open_encoders(config, device)
    backbone = parts.open_backbone(config.backbone, dtype)
    connector = Connector(
        config.connector,
        encoders.shapes,
        num_heads=encoders.each[0].num_heads,
        backbone_width=backbone.config.hidden_size,
    )
    if config.lora is not None:
        add_lora(backbone, config.lora)
    tokenizer = parts.open_tokenizer(config.backbone)
    template = ChatTemplate(tokenizer, config.connector.num_queries, form=config.prompt)
    return LalmComponents(AudioLanguageModel(connector, backbone).to(device), encoders, template)


def add_lora(backbone: PreTrainedModel, config: LoraConfig) -> None:
    """Add LoRA (arXiv:2106.09685) to every linear layer except the output layer."""
    from peft import LoraConfig as Peft

    wanted = Peft(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=find_linear_layers(backbone),
        bias="none",
    )
    add_adapters(backbone, wanted, ADAPTER)


def add_adapters(backbone: PreTrainedModel, wanted: "PeftConfig", name: str) -> None:
    """Add adapters, which stay in float32 whatever the backbone has: small updates would vanish in bfloat16."""
    backbone.add_adapter(wanted, adapter_name=name)
    for value in backbone.parameters():
        if value.requires_grad:
            value.data = value.data.float()


def find_linear_layers(backbone: PreTrainedModel) -> list[str]:
    """Find the linear layers of a backbone by type, because model families name them differently.

    The output layer is left out, and so are subclasses of a linear layer that return something else, such as routers of
    a mixture of experts. Experts that are stored as one tensor are not layers, and get no adapter.
    """
    output = backbone.get_output_embeddings()
    layers = {
        name: module
        for name, module in backbone.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not output
    }
    odd = {type(module): module for module in layers.values() if type(module) not in {nn.Linear, Conv1D}}
    refused = {kind for kind, module in odd.items() if not _maps_vectors(module)}
    return [name for name, module in layers.items() if type(module) not in refused]


@torch.no_grad()
def _maps_vectors(layer: nn.Linear) -> bool:
    """Return whether a layer maps a vector to a vector, as a linear layer does."""
    out = layer(torch.zeros(1, 1, layer.in_features, dtype=_get_input_dtype(layer), device=layer.weight.device))
    return isinstance(out, torch.Tensor) and out.shape == (1, 1, layer.out_features)


def _get_input_dtype(layer: nn.Linear) -> torch.dtype:
    """Return the precision that a layer computes in; quantised weights are integers."""
    return layer.weight.dtype if layer.weight.dtype.is_floating_point else torch.float32


def count_unadapted_experts(backbone: PreTrainedModel) -> int:
    """Count the weights of experts that are stored as one tensor, which get no LoRA adapter."""
    return sum(value.numel() for value in backbone.parameters() if value.dim() > 2 and not value.requires_grad)
