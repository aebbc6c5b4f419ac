"""The processes that share a training step, started by torch's own launcher; one, if none was used."""

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
    """This process among those of the run."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    def all_reduce(self, value: Tensor) -> Tensor:
        """Add a tensor up over all processes, in place."""
        if self.world_size > 1:
            there = value.to(self.device)  # NCCL adds up what is on the GPU
            distributed.all_reduce(there)
            value.copy_(there)
        return value

    def broadcast(self, value: Tensor) -> None:
        """Give all processes the tensor of the first, in place."""
        if self.world_size > 1:
            distributed.broadcast(value, src=0)

    def shard(self, model: nn.Module) -> None:
        """Keep this process's share of the frozen layers; each is gathered while it computes (FSDP2).

        What is trained stays whole, so its gradients are added up as ever. Every process then has to read as many
        packed sequences as the others: `idle` says who lacks one.
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
        """Return this process's share."""
        return items[self.rank :: self.world_size]

    def is_idle(self, num_items: int) -> bool:
        """Whether this process's share is one short of the first's."""
        return self.rank >= num_items % self.world_size > 0

    def barrier(self) -> None:
        """Wait until all processes are here."""
        if self.world_size > 1:
            distributed.barrier()

    def all_gather(self, value: Tensor) -> list[Tensor]:
        """Return the tensor of each process, by rank."""
        if self.world_size == 1:
            return [value]
        everyone = [torch.empty_like(value) for _ in range(self.world_size)]
        distributed.all_gather(everyone, value)
        return everyone


@contextmanager
def join_processes() -> Iterator[DataParallelGroup]:
    """Join the other processes of `torchrun`, by NCCL on GPUs and gloo elsewhere."""
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
