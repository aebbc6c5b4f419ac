"""The model of a reader: a frozen causal LM with LoRA adapters, scored on the letters of the options."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from lalm.model.build import add_adapters
from lalm.reader.config import ReaderLoraConfig
from lalm.reader.prompts import ReaderExample
from services.errors import BadConfig

ADAPTER = "reader"
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
MASKED = -1e9  # logit of a letter that an example does not have


class ReaderModel(nn.Module):
    """A causal LM that scores the letters of options.

    Args:
        backbone: frozen, with adapters or without.
    """

    def __init__(self, backbone: PreTrainedModel) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, examples: Sequence[ReaderExample]) -> Tensor:
        """Return the log-probabilities of the letters, shape (num_examples, max_letters), float32."""
        device = self.backbone.device
        ids_BL = pad_sequence([torch.tensor(one.ids) for one in examples], batch_first=True).to(device)
        ends_B = torch.tensor([len(one.ids) - 1 for one in examples], device=device)
        # Padding comes last, where the causal mask hides it from the prompt.
        hidden_BLH = self.backbone.get_decoder()(input_ids=ids_BL, use_cache=False).last_hidden_state
        hidden_BH = hidden_BLH[torch.arange(len(examples), device=device), ends_B]
        letters_BK = _pad_letters(examples).to(device)
        output_VH = self.backbone.get_output_embeddings().weight
        scores_BK = torch.einsum("bh,bkh->bk", hidden_BH.float(), output_VH[letters_BK.clamp(min=0)].float())
        logprobs_BK: Tensor = F.log_softmax(scores_BK.masked_fill(letters_BK < 0, MASKED), dim=-1)
        return logprobs_BK

    def compute_loss(self, examples: Sequence[ReaderExample]) -> Tensor:
        """Return the mean cross-entropy between target and letters, in nats."""
        logprobs_BK = self(examples)
        targets_BK = pad_sequence([torch.tensor(one.target) for one in examples], batch_first=True)
        loss: Tensor = -(targets_BK.to(logprobs_BK.device) * logprobs_BK).sum(dim=-1).mean()
        return loss

    def list_trained_tensors(self) -> dict[str, Tensor]:
        """Return the adapters by name."""
        return {name: value.detach() for name, value in self.backbone.named_parameters() if value.requires_grad}


def _pad_letters(examples: Sequence[ReaderExample]) -> Tensor:
    """Return the token ids of the letters, shape (num_examples, max_letters), -1 where an example has fewer."""
    letters = [torch.tensor(one.letter_ids) for one in examples]
    return pad_sequence(letters, batch_first=True, padding_value=-1)


def add_reader_lora(backbone: PreTrainedModel, config: ReaderLoraConfig) -> None:
    """Add adapters to attention and feed-forward of the layers from `first_layer` on, in float32."""
    from peft import LoraConfig

    num_layers = backbone.config.num_hidden_layers
    if config.first_layer >= num_layers:
        raise BadConfig(f"lora.first_layer={config.first_layer}: the backbone has the layers 0 to {num_layers - 1}.")
    wanted = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(TARGETS),
        layers_to_transform=list(range(config.first_layer, num_layers)),
        bias="none",
    )
    add_adapters(backbone, wanted, ADAPTER)
