"""One process is a group of one; `tests/lalm/test_train.py` starts two."""

import pytest
import torch

from lalm.parallel import processes


def test_without_a_launcher_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with processes() as group:
        assert (group.rank, group.world_size, group.is_first) == (0, 1, True)
        value = torch.ones(3)
        assert group.total(value) is value
        assert torch.equal(value, torch.ones(3))
        assert group.gathered(value) == [value]
        group.share(value)
        group.wait()
        assert not torch.distributed.is_initialized()


def test_a_group_of_the_launcher_is_left_again(monkeypatch: pytest.MonkeyPatch) -> None:
    launched = {"LOCAL_RANK": "0", "RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    for name, value in launched.items():
        monkeypatch.setenv(name, value)
    with processes() as group:
        assert torch.distributed.is_initialized()
        assert (group.rank, group.world_size) == (0, 1)
    assert not torch.distributed.is_initialized()
