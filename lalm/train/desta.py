"""Names of DeSTA2.5-Audio's checkpoint and of ours, in both directions: the same connector under other names.

Read from `desta/models/modeling_desta25.py` of github.com/kehanlu/DeSTA2.5-Audio (2025-08-07): `model.safetensors`
there holds only what was trained, the Q-Former as a BERT encoder with cross-attention. Its layer norms have an eps of
1e-12 (`connector.norm_eps`), the last one of PyTorch's 1e-5, as ours. What differs is the start of a training: theirs
draws queries with a deviation of 1 and weights as PyTorch does, ours both with 0.02 as BERT does.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from services.errors import BadConfig

PREFIX = "perception.connector."
LAYER = {
    "self_attention.query": "attention.self.query",
    "self_attention.key": "attention.self.key",
    "self_attention.value": "attention.self.value",
    "self_attention.out": "attention.output.dense",
    "self_norm": "attention.output.LayerNorm",
    "cross_attention.query": "crossattention.self.query",
    "cross_attention.key": "crossattention.self.key",
    "cross_attention.value": "crossattention.self.value",
    "cross_attention.out": "crossattention.output.dense",
    "cross_norm": "crossattention.output.LayerNorm",
    "ffn.0": "intermediate.dense",
    "ffn.2": "output.dense",
    "ffn_norm": "output.LayerNorm",
}
"""Our name inside a Q-Former layer -> theirs."""
AROUND = {"norm": "proj.0", "projection": "proj.1"}
QUERIES, TAP_LOGITS = "connector.queries_KQD", "connector.tap_logits_QK"
CALIBRATION = {"connector.mean_KD": 0.0, "connector.deviation_KD": 1.0}
"""Our buffers, and the values with which they change nothing: DeSTA does not standardise."""
OURS_OF_LAYER = {theirs: ours for ours, theirs in LAYER.items()}
OURS_AROUND = {theirs: ours for ours, theirs in AROUND.items()}


def is_desta(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a checkpoint is one of DeSTA2.5-Audio."""
    return any(name.startswith(PREFIX) for name in tensors)


def import_desta(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint of DeSTA2.5-Audio under our names, without LoRA.

    Raises:
        BadConfig: it holds a tensor that is not of the connector, such as those of adapters.
    """
    prompts: dict[int, Tensor] = {}
    named: dict[str, Tensor] = {}
    for name, value in tensors.items():
        inner = name.removeprefix(PREFIX)
        if found := re.fullmatch(r"layer_prompts\.(\d+)", inner):
            prompts[int(found[1])] = value[0]
        elif inner == "layer_weights":
            named[TAP_LOGITS] = value
        elif (ours := _find_our_name(inner)) and name.startswith(PREFIX):
            named[ours] = value
        else:
            raise BadConfig(f"{name!r} is not a tensor of DeSTA2.5-Audio's connector: adapters are not converted.")
    queries = torch.stack([prompts[number] for number in sorted(prompts)])
    width = (queries.shape[0], queries.shape[2])
    return {
        QUERIES: queries,
        **named,
        **{name: torch.full(width, value) for name, value in CALIBRATION.items()},
    }


def _find_our_name(inner: str) -> str | None:
    if found := re.fullmatch(r"qformer\.layer\.(\d+)\.(.+)\.(weight|bias)", inner):
        ours = OURS_OF_LAYER.get(found[2])
        return ours and f"connector.layers.{found[1]}.{ours}.{found[3]}"
    module, _, kind = inner.rpartition(".")
    return f"connector.{OURS_AROUND[module]}.{kind}" if module in OURS_AROUND else None


def export_desta(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint of ours under DeSTA's names.

    Raises:
        BadConfig: it has what DeSTA's classes have no place for: LoRA under our names, several encoders, or a
            calibration.
    """
    for name, neutral in CALIBRATION.items():
        if name in tensors and not torch.equal(tensors[name], torch.full_like(tensors[name], neutral)):
            raise BadConfig(f"{name!r} standardises the features, and DeSTA's connector has no place for it.")
    named: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name == QUERIES:
            named |= {f"{PREFIX}layer_prompts.{number}": part[None] for number, part in enumerate(value)}
        elif name == TAP_LOGITS:
            named[f"{PREFIX}layer_weights"] = value
        elif name not in CALIBRATION:
            named[PREFIX + _find_their_name(name)] = value
    return named


def _find_their_name(name: str) -> str:
    if found := re.fullmatch(r"connector\.layers\.(\d+)\.(.+)\.(weight|bias)", name):
        return f"qformer.layer.{found[1]}.{LAYER[found[2]]}.{found[3]}"
    module, _, kind = name.removeprefix("connector.").rpartition(".")
    if module not in AROUND:
        raise BadConfig(f"{name!r} has no place in DeSTA2.5-Audio's checkpoint: adapters and more encoders have none.")
    return f"{AROUND[module]}.{kind}"
