"""Builds the LALM that a configuration describes: frozen parts loaded, trained parts freshly initialised."""

from copy import deepcopy
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
    backbone = parts.open_backbone(config.backbone, dtype, config.quantise)
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
    """Add LoRA (arXiv:2106.09685) to every linear layer of the decoder except the output layer.

    Layers that PEFT takes for experts by their names, and could not adapt, are left out: the shared feed-forward
    layers of DeepSeek and its kin.
    """
    from peft import LoraConfig as Peft
    from peft.utils.transformers_weight_conversion import convert_peft_config_for_transformers

    wanted = Peft(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=find_linear_layers(backbone),
        bias="none",
    )
    read = deepcopy(wanted)
    convert_peft_config_for_transformers(read, backbone, conversions=None)
    wanted.target_modules = read.target_modules
    add_adapters(backbone, wanted, ADAPTER)


def add_adapters(backbone: PreTrainedModel, wanted: "PeftConfig", name: str) -> None:
    """Add adapters, which stay in float32 whatever the backbone has: small updates would vanish in bfloat16."""
    backbone.add_adapter(wanted, adapter_name=name)
    for value in backbone.parameters():
        if value.requires_grad:
            value.data = value.data.float()


def find_linear_layers(backbone: PreTrainedModel) -> list[str]:
    """Find the linear layers of the decoder by type, because model families name them differently.

    Not among them are the output layer, subclasses of a linear layer that return something else, such as routers of a
    mixture of experts, and encoders of images or audio that a backbone has beside its decoder. Experts that are stored
    as one tensor are not layers.
    """
    output, inside = backbone.get_output_embeddings(), set(backbone.get_decoder().modules())
    layers = {
        name: module
        for name, module in backbone.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module in inside and module is not output
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


def count_unadapted(backbone: PreTrainedModel) -> int:
    """Count the weights of the decoder that adapters do not reach, such as routers and experts stored as one tensor.

    Embeddings and the output layer, which are meant to stay as they are, do not count.
    """
    embeddings = [one for one in backbone.modules() if isinstance(one, nn.Embedding)]
    reached = [module.base_layer for module in backbone.modules() if hasattr(module, "lora_A")]
    known = {
        id(value)
        for module in (*embeddings, *reached, backbone.get_output_embeddings())
        for value in module.parameters(recurse=False)
    }
    weights = (value for value in backbone.get_decoder().parameters() if value.dim() > 1 and not value.requires_grad)
    return sum(value.numel() for value in weights if id(value) not in known)
