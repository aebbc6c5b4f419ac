"""Names lie where the input embeddings of their tokens lie."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model import parts
from lalm.model.name_space import NameSpace
from lalm.model.template import ChatTemplate


def open_space(folder: Path, template: ChatTemplate) -> tuple[NameSpace, torch.Tensor]:
    """Open the names of a backbone, and return them with its embeddings."""
    backbone = parts.open_backbone(str(folder), torch.float32)
    embed = backbone.get_input_embeddings()
    return NameSpace(embed, template), embed.weight.detach()


def test_a_name_is_the_mean_of_its_tokens_without_what_all_tokens_share(
    backbones: Callable[[str], Path], template: ChatTemplate
) -> None:
    space, weight_VH = open_space(backbones("llama"), template)
    torch.testing.assert_close(space.origin_H, weight_VH.mean(0))
    expected_BH = [weight_VH[sorted(template.collect_tokens(name))].mean(0) for name in ("bell", "dog barks")]
    torch.testing.assert_close(space.embed_names(["bell", "dog barks"]), torch.stack(expected_BH) - weight_VH.mean(0))


def test_a_name_without_a_token_lies_at_the_origin(backbones: Callable[[str], Path], template: ChatTemplate) -> None:
    space, _ = open_space(backbones("llama"), template)
    assert space.embed_names(["", "bell"])[0].count_nonzero() == 0


@pytest.mark.slow
def test_a_backbone_that_scales_its_embeddings_is_asked_and_not_read(
    backbones: Callable[[str], Path], template: ChatTemplate
) -> None:
    space, weight_VH = open_space(backbones("gemma3_text"), template)
    torch.testing.assert_close(space.origin_H, weight_VH.mean(0) * 8)  # the root of a width of 64
