"""Data parallelism: the processes of `torchrun`, gradient all-reduce and FSDP2 sharding; one process without it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DataParallelGroup:
    """Rank, world size and device of this process in a data-parallel run."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which writes and prints."""
        return self.rank == 0

    def all_reduce(self, value: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place; return it."""
        if self.world_size > 1:
            there = value.to(self.device)  # NCCL needs tensors on the GPU
            distributed.all_reduce(there)
            value.copy_(there)
        return value

    def broadcast(self, value: Tensor) -> None:
        """Copy the tensor of the first process to all others, in place."""
        if self.world_size > 1:
            distributed.broadcast(value, src=0)

    def shard(self, model: nn.Module) -> None:
        """Shard the frozen layers over the processes (FSDP2); each layer is gathered while it computes.

        Trained parameters stay replicated, and their gradients are summed as usual. All processes then have to run the
        same number of micro-batches, because gathering is collective: `is_idle` tells which process lacks one.
        """
        if self.world_size == 1:
            return
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(self.device.type, (self.world_size,))
        trained = {value for value in model.parameters() if value.requires_grad}
        layers = max((module for module in model.modules() if isinstance(module, nn.ModuleList)), key=len)
        for layer in layers:
            fully_shard(layer, mesh=mesh, ignored_params=trained)

    def take_share(self, items: Sequence[T]) -> Sequence[T]:
        """Return this process's share of the items: every `world_size`-th, from `rank` on."""
        return items[self.rank :: self.world_size]

    def is_idle(self, num_items: int) -> bool:
        """Whether the share of this process is one item smaller than that of the first."""
        return self.rank >= num_items % self.world_size > 0

    def barrier(self) -> None:
        """Wait until all processes have reached this point."""
        if self.world_size > 1:
            distributed.barrier()

    def all_gather(self, value: Tensor) -> list[Tensor]:
        """Gather the tensor of each process, by rank."""
        if self.world_size == 1:
            return [value]
        everyone = [torch.empty_like(value) for _ in range(self.world_size)]
        distributed.all_gather(everyone, value)
        return everyone


@contextmanager
def join_processes() -> Iterator[DataParallelGroup]:
    """Join the process group of `torchrun`, with NCCL on GPUs and gloo elsewhere; without it, one process."""
    has_gpu = torch.cuda.is_available()
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local_rank) if has_gpu else torch.device("cpu")
    if "LOCAL_RANK" not in os.environ:
        yield DataParallelGroup(0, 1, device)
        return
    if has_gpu:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if has_gpu else "gloo")
    try:
        yield DataParallelGroup(distributed.get_rank(), distributed.get_world_size(), device)
    finally:
        distributed.destroy_process_group()
