"""Embeddings of names in the space of a backbone's input embeddings, for comparison with clips without a forward pass.

A name is the mean input embedding of its tokens, relative to the mean of all tokens. The contrastive alignment
(`lalm/train/alignment/contrast.py`) and the naming head (`lalm/model/naming_head.py`) bring a clip near the names of
what is heard in it, as CLIP (arXiv:2103.00020) and CLAP (arXiv:2206.04769) do with encoders of text.
"""

# Shape suffixes: H backbone width, B names, V tokens

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lalm.model.template import ChatTemplate


class NameSpace:
    """Embeds names by the input embeddings of a backbone.

    Args:
        embed: the input embeddings.
        template: tokenises the names.
    """

    def __init__(self, embed: nn.Embedding, template: ChatTemplate) -> None:
        self._embed, self._template = embed, template
        self.origin_H = self._average_tokens(range(embed.num_embeddings))

    @torch.no_grad()
    def embed_names(self, names: Sequence[str]) -> Tensor:
        """Return the mean embedding of the tokens of each name relative to the origin, shape (B, H); 0 without any."""
        tokens = [sorted(self._template.collect_tokens(name)) for name in names]
        no_name_H = torch.zeros_like(self.origin_H)
        return torch.stack([self._average_tokens(one) - self.origin_H if one else no_name_H for one in tokens])

    @torch.no_grad()
    def _average_tokens(self, tokens: Sequence[int]) -> Tensor:
        tokens_V = torch.tensor(tokens, device=self._embed.weight.device)
        mean_H: Tensor = self._embed(tokens_V).float().mean(0)  # called, not read: Gemma scales
        return mean_H
