"""What a run keeps is read strictly: one wrong tensor is an error that names it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lalm.model.build import LalmComponents, build
from lalm.train import checkpoint, cli, run_files
from lalm.train.config import TrainConfig
from lalm.train.parallel import DataParallelGroup
from services.errors import BadConfig
from services.yaml_file import read_config

MakeRun = Callable[..., Path]
CPU = torch.device("cpu")
MEAN, NORM = "connector.mean_KD", "connector.norm.weight"


@pytest.fixture
def config(make_run: MakeRun) -> TrainConfig:
    return read_config(make_run(), TrainConfig)


@pytest.fixture
def built(config: TrainConfig) -> LalmComponents:
    torch.manual_seed(0)
    return build(config.model, CPU)


def written(
    built: LalmComponents, folder: Path, change: Callable[[dict[str, Tensor]], object] = lambda _: None
) -> Path:
    checkpoint.export_weights(built.model, folder, torch.float32)
    tensors = load_file(folder / run_files.WEIGHTS)
    change(tensors)
    save_file(tensors, folder / run_files.WEIGHTS)
    return folder


@pytest.mark.slow
def test_what_was_written_is_what_is_read(built: LalmComponents, config: TrainConfig, tmp_path: Path) -> None:
    built.model.connector.calibrate([(torch.randn(2, 9, 64),)])
    written(built, tmp_path)
    torch.manual_seed(1)
    other = build(config.model, CPU)
    checkpoint.load_weights(other.model, tmp_path)
    for name, value in built.model.list_checkpoint_tensors().items():
        assert torch.equal(other.model.list_checkpoint_tensors()[name], value)


@pytest.mark.slow
def test_frozen_parts_are_never_kept(built: LalmComponents, tmp_path: Path) -> None:
    names = load_file(written(built, tmp_path) / run_files.WEIGHTS).keys()
    assert names == built.model.list_checkpoint_tensors().keys()
    assert not [name for name in names if name.startswith("backbone.") and ".lora_" not in name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda tensors: tensors.pop(NORM), f"{NORM} is missing"),
        (lambda tensors: tensors.pop(MEAN), f"{MEAN} is missing"),
        (lambda tensors: tensors.update(extra=torch.ones(1)), "extra is not part of the model"),
        (
            lambda tensors: tensors.update({NORM: torch.ones(3)}),
            f"{NORM} has shape (3,) instead of (64,)",
        ),
    ],
)
def test_a_wrong_tensor_is_named(
    built: LalmComponents, tmp_path: Path, change: Callable[[dict[str, Tensor]], object], fault: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        checkpoint.load_weights(built.model, written(built, tmp_path, change))
    assert fault in str(caught.value)


@pytest.mark.slow
def test_weights_that_are_absent_or_no_safetensors_are_refused(built: LalmComponents, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"model\.safetensors' cannot be read"):
        checkpoint.load_weights(built.model, tmp_path)
    (tmp_path / run_files.WEIGHTS).write_bytes(b"no tensors")
    with pytest.raises(BadConfig, match=r"model\.safetensors' cannot be read"):
        checkpoint.load_weights(built.model, tmp_path)


def test_a_run_folder_is_gone_on_with_and_otherwise_refused_by_what_differs(
    config: TrainConfig, make_run: MakeRun, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    checkpoint.open_run(folder, config)
    checkpoint.open_run(folder, config)
    assert run_files.read_config(folder) == config
    other = read_config(make_run(model__lora=None, save_every=9), TrainConfig)
    with pytest.raises(BadConfig) as caught:
        checkpoint.open_run(folder, other)
    assert "model.lora.rank was 2 and is now None" in str(caught.value)
    assert "save_every was 2 and is now 9" in str(caught.value)
    assert "optimizer" not in str(caught.value)


def test_a_folder_that_holds_something_else_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(BadConfig, match=r"holds files but no config\.yaml"):
        checkpoint.open_run(tmp_path / "full", config)
    with pytest.raises(BadConfig, match="is a file; a run needs a folder"):
        checkpoint.open_run(tmp_path / "full" / "notes.txt", config)


@pytest.mark.slow
def test_other_processes_than_a_run_was_begun_by_are_refused(make_run: MakeRun, tmp_path: Path) -> None:
    config = make_run()
    assert cli.main([str(config), str(tmp_path / "run")]) == 0
    built = build(read_config(config, TrainConfig).model, CPU)
    optimizer = torch.optim.AdamW([value for _, value in built.model.list_trained_parameters()])
    with pytest.raises(BadConfig, match="was begun by 1 processes and is now resumed by 2"):
        checkpoint.resume(built.model, optimizer, tmp_path / "run", DataParallelGroup(1, 2, CPU))


@pytest.mark.slow
def test_moments_of_another_precision_are_gone_on_with(make_run: MakeRun, tmp_path: Path) -> None:
    config, folder = make_run(), tmp_path / "run"
    assert cli.main([str(config), str(folder)]) == 0
    stored = load_file(folder / run_files.RESUME)
    halved = {name: value.bfloat16() if ".lora_" in name else value for name, value in stored.items()}
    save_file(halved, folder / run_files.RESUME)
    built = build(read_config(config, TrainConfig).model, CPU)
    optimizer = torch.optim.AdamW([value for _, value in built.model.list_trained_parameters()])
    assert checkpoint.resume(built.model, optimizer, folder, DataParallelGroup(0, 1, CPU)).num_done == 4
    for _, value in built.model.list_trained_parameters():
        assert optimizer.state[value]["exp_avg"].dtype == value.dtype == torch.float32
        value.grad = torch.ones_like(value)
    optimizer.step()


@pytest.mark.slow
def test_half_the_precision_is_half_the_size(built: LalmComponents, tmp_path: Path) -> None:
    written(built, tmp_path)
    whole = (tmp_path / run_files.WEIGHTS).stat().st_size
    checkpoint.export_weights(built.model, tmp_path, torch.float16)
    assert (tmp_path / run_files.WEIGHTS).stat().st_size < 0.6 * whole
    checkpoint.load_weights(built.model, tmp_path)
