"""Check that a backbone can be trained on packed rows: a forward pass over two short rows, packed and each alone.

Packing needs embeddings in place of token ids, positions that restart, a mask that separates the rows, and logits at
chosen positions. Model families differ in what they support, and some silently ignore a mask; so the rows are scored
both ways, and what is refused or differs is named before a training begins.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lalm.model.model import AudioLanguageModel
from lalm.model.packing import PackedBatch, PackedGroup, PackedRow, pack_groups
from services.errors import ModelError

ROWS = (PackedRow((5, 9, -1, 7, 6), (8, 4)), PackedRow((5, 9, -1, 3, 11, 2), (12, 10, 4)))  # -1: one audio embedding
REFUSALS = (TypeError, ValueError, RuntimeError, AttributeError, IndexError, KeyError, NotImplementedError)
"""Errors that model code raises for an argument that it does not support."""
TOLERANCE = {torch.float32: 1e-3}  # nats, for the same row packed and alone
COARSE_TOLERANCE = 0.15  # nats, where the weights are in half precision or quantised
SUPPORTED = "Backbones that are known to: Llama, Qwen, Phi, OLMo, Mistral, Gemma, GPT-2, GPT-NeoX, GPT-OSS, OPT."


class _Trial(NamedTuple):
    """Scores of the same rows, packed and each alone, shape (R,)."""

    packed_R: Tensor
    alone_R: Tensor


@torch.no_grad()
def check_backbone(model: AudioLanguageModel, source: str) -> None:
    """Score the rows packed and alone; raise `ModelError` if the backbone refuses an argument or the scores differ.

    Args:
        model: with its adapters; its training mode is restored.
        source: name of the backbone, for the error.
    """
    was_training = model.training
    model.eval()
    try:
        trial = _score(model)
    except torch.OutOfMemoryError as error:  # a RuntimeError, but not a refused argument
        raise ModelError(f"The backbone {source!r} does not fit into the memory of its device: {error}") from error
    except REFUSALS as error:
        what = _find_refused(model.backbone)
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"The backbone {source!r} ({model.backbone.config.model_type}) does not take {what}, which packed training "
            f"needs: {reason}. {SUPPORTED}"
        ) from error
    finally:
        model.train(was_training)
    far = (trial.packed_R - trial.alone_R).abs().max().item()
    weights = model.backbone.get_input_embeddings().weight.dtype
    quantised = getattr(model.backbone, "is_quantized", False)
    if not far < (COARSE_TOLERANCE if quantised else TOLERANCE.get(weights, COARSE_TOLERANCE)):
        raise ModelError(
            f"The backbone {source!r} ({model.backbone.config.model_type}) does not keep packed rows apart: a row "
            f"scores {far:.3f} nats differently beside another than alone, so it ignores mask or positions. {SUPPORTED}"
        )


def _score(model: AudioLanguageModel) -> _Trial:
    embed = model.backbone.get_input_embeddings()
    device = embed.weight.device
    audio_1H = embed(torch.tensor([1], device=device))
    packed = model.score_replies(pack_groups([PackedGroup(ROWS, 1)]).to(device), audio_1H)
    alone = [model.score_replies(pack_groups([PackedGroup((row,), 1)]).to(device), audio_1H) for row in ROWS]
    return _Trial(packed, torch.cat(alone))


def _find_refused(backbone: PreTrainedModel) -> str:
    """Find the first argument that the backbone does not take; they are added one by one."""
    embed = backbone.get_input_embeddings()
    packed: PackedBatch = pack_groups([PackedGroup(tuple(row._replace(prompt=(5, 9, 7)) for row in ROWS), 0)])
    packed = packed.to(embed.weight.device)
    arguments: dict[str, Tensor] = {
        "inputs_embeds": embed(packed.ids_L)[None],
        "position_ids": packed.positions_L[None],
        "attention_mask": packed.build_attention_mask(),
        "logits_to_keep": packed.source_R,
    }
    trials = [{"input_ids": packed.ids_L[None]}]
    trials += [dict(list(arguments.items())[: number + 1]) for number in range(len(arguments))]
    for trial in trials:
        try:
            backbone(**trial, use_cache=False)
        except REFUSALS:
            return REFUSED_INPUTS[list(trial)[-1]]
    return "such input beside its adapters"


REFUSED_INPUTS = {
    "input_ids": "even plain token ids",
    "inputs_embeds": "embeddings in place of token ids (inputs_embeds)",
    "position_ids": "positions that restart (position_ids)",
    "attention_mask": "a mask of its own for each row (a 4-D attention_mask)",
    "logits_to_keep": "logits at chosen places only (logits_to_keep)",
}
