"""One process is a group of one; `tests/lalm/train/test_recipe.py` starts two."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.train.config import TrainConfig
from lalm.train.parallel import BUCKET_VALUES, DataParallelGroup, join_processes, make_buckets, pick_device
from lalm.train.recipe import check_config
from services.errors import BadConfig
from services.yaml_file import read_config

MakeRun = Callable[..., Path]


def test_without_a_launcher_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with join_processes() as group:
        assert (group.rank, group.world_size, group.is_first) == (0, 1, True)
        value = torch.ones(3)
        assert group.all_reduce(value) is value
        assert torch.equal(value, torch.ones(3))
        assert group.all_gather(value) == [value]
        group.broadcast(value)
        group.wait_for_all()
        assert not torch.distributed.is_initialized()


def test_a_group_of_the_launcher_is_left_again(monkeypatch: pytest.MonkeyPatch) -> None:
    launched = {"LOCAL_RANK": "0", "RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    for name, value in launched.items():
        monkeypatch.setenv(name, value)
    with join_processes() as group:
        assert torch.distributed.is_initialized()
        assert (group.rank, group.world_size) == (0, 1)
    assert not torch.distributed.is_initialized()


def test_gradients_are_exchanged_in_buckets_of_one_precision() -> None:
    sizes = (BUCKET_VALUES - 1, 1, 5, 7)
    gradients = [torch.zeros(size) for size in sizes] + [torch.zeros(3, dtype=torch.bfloat16)]
    buckets = list(make_buckets(gradients))
    assert [[one.numel() for one in bucket] for bucket in buckets] == [[3], [BUCKET_VALUES - 1, 1], [5, 7]]
    assert list(make_buckets([])) == []


def test_a_device_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")
    for name in ("cuda", "mps"):
        with pytest.raises(BadConfig, match=f"--device {name}: this PyTorch sees no"):
            pick_device(name)  # type: ignore[arg-type]
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert (pick_device("mps").type, pick_device("auto").type) == ("mps", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert pick_device("auto") == pick_device("cuda") == torch.device("cuda", 1)
    assert pick_device("cpu") == torch.device("cpu")


EXCHANGED = """
import torch
from torch import nn
from lalm.train import parallel

parallel.BUCKET_VALUES = 5
with parallel.join_processes() as group:
    values = [nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(4))]
    values[0].grad = torch.full((2, 2), float(group.rank + 1))
    if group.is_first:
        values[1].grad = torch.arange(3.0)
    group.all_reduce_gradients(values)
    assert torch.equal(values[0].grad, torch.full((2, 2), 3.0))
    assert torch.equal(values[1].grad, torch.arange(3.0))
    assert torch.equal(values[2].grad, torch.zeros(4))
"""


@pytest.mark.slow
def test_gradients_of_two_processes_are_summed(run_as_two: Callable[[str], None]) -> None:
    run_as_two(EXCHANGED)


SHARDED = """
import torch
from torch import nn
from lalm.train.parallel import join_processes

with join_processes() as group:
    torch.manual_seed(0)
    model = nn.Module()
    model.layers = nn.ModuleList(nn.Linear(8, 8, bias=False) for _ in range(3))
    for layer in model.layers:
        layer.weight.requires_grad_(False)
        layer.adapter = nn.Parameter(torch.ones(8))
    x = torch.randn(2, 8, requires_grad=True)
    def run(x):
        for layer in model.layers:
            x = layer(x) * layer.adapter
        return x
    whole = run(x)
    group.shard(model)
    shared = run(x)
    shared.sum().backward()
    assert torch.equal(shared, whole)
    assert [layer.weight.to_local().numel() for layer in model.layers] == [32] * 3
    assert all(layer.adapter.grad.shape == (8,) for layer in model.layers)
    assert [group.is_idle(count) for count in (2, 3, 4)] == [False, group.rank == 1, False]
"""


@pytest.mark.slow
def test_a_frozen_layer_is_shared_and_computes_the_same_and_what_is_trained_stays_whole(
    run_as_two: Callable[[str], None],
) -> None:
    run_as_two(SHARDED)


def test_processes_without_work_are_refused(make_run: MakeRun) -> None:
    config = read_config(make_run(batch__sequences_per_step=1), TrainConfig)
    with pytest.raises(BadConfig, match=r"2 processes share the batch\.sequences_per_step=1 packed sequences"):
        check_config(config, DataParallelGroup(0, 2, torch.device("cpu")))
