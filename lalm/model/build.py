"""Builds the LALM that a configuration describes: frozen parts loaded, trained parts freshly initialised."""

from typing import NamedTuple

import torch
from transformers import PreTrainedModel

from lalm.model import parts
from lalm.model.config import LoraConfig, ModelConfig
from lalm.model.connector import Connector
from lalm.model.encoders import AudioEncoders, open_encoders
from lalm.model.model import AudioLanguageModel
from lalm.model.template import ChatTemplate

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
    """Add LoRA (arXiv:2106.09685) to every linear layer except the output layer.

    "all-linear" instead of names, because families name their layers differently (Phi fuses query, key and value).
    """
    from peft import LoraConfig as Peft

    wanted = Peft(
        r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules="all-linear", bias="none"
    )
    backbone.add_adapter(wanted, adapter_name=ADAPTER)
    for value in backbone.parameters():
        if value.requires_grad:
            value.data = value.data.float()  # small updates would vanish in bfloat16
