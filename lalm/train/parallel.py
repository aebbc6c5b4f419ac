"""Data parallelism: the processes of `torchrun`, gradient all-reduce and FSDP2 sharding; one process without it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from lalm.train.config import DeviceName
from services.errors import BadConfig

T = TypeVar("T")
BUCKET_VALUES = 1 << 23  # 32 MB of float32, as PyTorch's own buckets are 25 MB


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

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sum the gradients over all processes, in place, in buckets: one exchange for each `BUCKET_VALUES` values.

        A parameter without a gradient, which no row of this process reached, takes part with zeros.
        """
        for value in parameters:
            value.grad = torch.zeros_like(value) if value.grad is None else value.grad
        if self.world_size == 1:
            return
        for bucket in make_buckets([value.grad for value in parameters if value.grad is not None]):
            flat = torch.cat([gradient.flatten() for gradient in bucket])
            self.all_reduce(flat)
            for gradient, part in zip(bucket, torch.split(flat, [one.numel() for one in bucket]), strict=True):
                gradient.copy_(part.view_as(gradient))

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
        for layer in find_layers(model):
            fully_shard(layer, mesh=mesh, ignored_params=trained)

    def take_share(self, items: Sequence[T]) -> Sequence[T]:
        """Return this process's share of the items: every `world_size`-th, from `rank` on."""
        return items[self.rank :: self.world_size]

    def is_idle(self, num_items: int) -> bool:
        """Whether the share of this process is one item smaller than that of the first."""
        return self.rank >= num_items % self.world_size > 0

    def wait_for_all(self) -> None:
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


def find_layers(model: nn.Module) -> nn.ModuleList:
    """Find the layers of a transformer: the longest list of modules in it."""
    return max((module for module in model.modules() if isinstance(module, nn.ModuleList)), key=len)


def make_buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Yield the gradients in groups of one precision and at least `BUCKET_VALUES` values, but for the last of each."""
    bucket: list[Tensor] = []
    for gradient in sorted(gradients, key=lambda one: str(one.dtype)):
        if bucket and (bucket[0].dtype != gradient.dtype or sum(one.numel() for one in bucket) >= BUCKET_VALUES):
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket


def pick_device(name: DeviceName) -> torch.device:
    """Return the device of that name, of this process; auto: CUDA, else the CPU.

    Raises:
        BadConfig: this machine, or this PyTorch, has no such device.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise BadConfig("--device cuda: this PyTorch sees no CUDA device; --device cpu trains here.")
    if name == "mps" and not torch.backends.mps.is_available():
        raise BadConfig("--device mps: this PyTorch sees no Apple GPU; --device cpu trains here.")
    if name == "cuda" or (name == "auto" and has_gpu):
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("mps" if name == "mps" else "cpu")


@contextmanager
def join_processes(device_name: DeviceName = "auto") -> Iterator[DataParallelGroup]:
    """Join the process group of `torchrun`, with NCCL on GPUs and gloo elsewhere; without it, one process."""
    device = pick_device(device_name)
    has_gpu = device.type == "cuda"
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
