"""Sequence packing with shared prefixes: many rows in one sequence, without padding.

The rows of a group are branches after their common prefix (system prompt, audio, often the question), which is computed
once: a branch attends to the prefix and to itself. The loss of each row equals its loss in a sequence of its own.
"""

# Shape suffixes: L tokens of the packed sequence, R reply tokens of all rows together

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from services.llms.prefixes import count_shared

PREFIX = -1  # branch number of the tokens that all rows of a group share


class PackedRow(NamedTuple):
    """A prompt and its reply, as token ids; audio as negative numbers (`lalm/model/template.py`)."""

    prompt: tuple[int, ...]
    reply: tuple[int, ...]


class PackedGroup(NamedTuple):
    """Rows about the same clips, which share a prefix."""

    rows: tuple[PackedRow, ...]
    num_slots: int
    """Number of audio embeddings of its clips."""

    @property
    def prefix_length(self) -> int:
        """Length in tokens of the prefix that all rows share."""
        return count_shared([row.prompt for row in self.rows])

    @property
    def num_tokens(self) -> int:
        """Length in tokens of the packed group."""
        shared = self.prefix_length
        return shared + sum(len(row.prompt) - shared + len(row.reply) for row in self.rows)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """One packed sequence that holds many rows."""

    ids_L: Tensor
    """Token ids; audio as negative numbers, counted over all groups."""
    positions_L: Tensor
    group_L: Tensor
    branch_L: Tensor
    """Row of each token, counted over all groups; PREFIX for tokens that a group shares."""
    source_R: Tensor
    """Position at which each reply token is predicted: one before the token."""
    target_R: Tensor
    """Target: the reply tokens."""
    row_R: Tensor
    """Row of each reply token."""
    num_rows: int

    def build_attention_mask(self, window: int | None = None) -> Tensor:
        """Return the attention mask: which tokens (rows) attend to which (columns), shape (1, 1, L, L), bool.

        Args:
            window: size of a sliding window in tokens, the token itself included; None: full causal attention.
        """
        order = torch.arange(len(self.ids_L), device=self.ids_L.device)
        same_group = self.group_L[:, None] == self.group_L
        visible = (self.branch_L == PREFIX) | (self.branch_L[:, None] == self.branch_L)
        mask_LL = same_group & visible & (order <= order[:, None])
        if window is not None:
            mask_LL &= self.positions_L[:, None] - self.positions_L < window
        return mask_LL[None, None]

    def average_by_row(self, values_R: Tensor) -> Tensor:
        """Average values of reply tokens, such as log-probabilities, over each row; shape (num_rows,)."""
        sums = torch.zeros(self.num_rows, device=values_R.device).index_add(0, self.row_R, values_R)
        return sums / self.row_R.bincount(minlength=self.num_rows)

    def to(self, device: torch.device) -> "PackedBatch":
        """Return a copy on another device."""
        names = ("ids_L", "positions_L", "group_L", "branch_L", "source_R", "target_R", "row_R")
        return PackedBatch(**{name: getattr(self, name).to(device) for name in names}, num_rows=self.num_rows)


def pack_groups(groups: Sequence[PackedGroup], *, multiple: int = 1) -> PackedBatch:
    """Pack groups into one sequence, padded to a `multiple` of tokens that no row attends to.

    Where matrices of few sizes are multiplied, a library such as oneDNN keeps few kernels in memory.
    """
    columns = _SequenceBuilder()
    num_rows = num_slots = 0
    for number, group in enumerate(groups):
        shared = group.prefix_length
        columns.add_tokens(
            group.rows[0].prompt[:shared], _Placement(group=number, branch=PREFIX, start=0, num_slots=num_slots)
        )
        for row in group.rows:
            columns.add_tokens(
                row.prompt[shared:], _Placement(group=number, branch=num_rows, start=shared, num_slots=num_slots)
            )
            columns.add_targets(row.reply, num_rows)
            # The last token is not an input: nothing is predicted from it.
            columns.add_tokens(
                row.reply[:-1], _Placement(group=number, branch=num_rows, start=len(row.prompt), num_slots=num_slots)
            )
            num_rows += 1
        num_slots += group.num_slots
    columns.pad(multiple, group=len(groups))
    return columns.build(num_rows)


class _Placement(NamedTuple):
    """Group, branch and position of tokens in the packed sequence."""

    group: int
    branch: int
    start: int
    """Position of the first token."""
    num_slots: int
    """Number of audio embeddings of the groups before this one."""


class _SequenceBuilder:
    """Collects the tokens and targets of a packed sequence."""

    def __init__(self) -> None:
        self._tokens: list[tuple[int, int, int, int]] = []
        self._replies: list[tuple[int, int, int]] = []

    def add_tokens(self, tokens: Sequence[int], at: _Placement) -> None:
        """Append tokens of a prefix or of a branch."""
        for position, token in enumerate(tokens, start=at.start):
            self._tokens.append((token - at.num_slots if token < 0 else token, position, at.group, at.branch))

    def add_targets(self, tokens: Sequence[int], row: int) -> None:
        """Add `tokens` as prediction targets, starting at the last token so far."""
        first = len(self._tokens) - 1
        self._replies.extend((first + number, token, row) for number, token in enumerate(tokens))

    def pad(self, multiple: int, group: int) -> None:
        """Append tokens of a group of their own up to a multiple; they attend to each other only."""
        self._tokens.extend((0, 0, group, PREFIX) for _ in range(-len(self._tokens) % multiple))

    def build(self, num_rows: int) -> PackedBatch:
        """Return the sequence."""
        ids, positions, groups, branches = torch.tensor(self._tokens).unbind(-1)
        sources, targets, rows = torch.tensor(self._replies).unbind(-1)
        return PackedBatch(
            ids_L=ids,
            positions_L=positions,
            group_L=groups,
            branch_L=branches,
            source_R=sources,
            target_R=targets,
            row_R=rows,
            num_rows=num_rows,
        )
