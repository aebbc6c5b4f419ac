"""A step: its learning rate, and what it does when the loss is not a number."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file

from lalm.model.build import build
from lalm.model.model import AudioLanguageModel
from lalm.model.packing import PackedBatch
from lalm.train import cli, run_files, trainer
from lalm.train.config import TrainConfig
from lalm.train.corpus import load_corpus
from lalm.train.parallel import join_processes
from lalm.train.recipe import make_feed, resolve_sources
from lalm.train.trainer import LENGTH_MULTIPLE, Trainer, compute_learning_rate
from services.yaml_file import read_config

MakeRun = Callable[..., Path]


def test_the_learning_rate_warms_up_and_falls_as_a_cosine() -> None:
    rates = [compute_learning_rate(2.0, step, 4, 12) for step in range(13)]
    assert rates[:5] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert rates[8] == pytest.approx(1.0)
    assert rates[12] == pytest.approx(0.0)
    assert compute_learning_rate(1.0, 0, 0, 0) == 1.0


class Measured(NamedTuple):
    """Loss and gradients of a step."""

    loss: float
    gradients: list[torch.Tensor]


@pytest.fixture
def measure(make_run: MakeRun) -> Callable[..., Measured]:
    path = make_run(model__lora={"rank": 2, "alpha": 4, "dropout": 0}, model__connector=WITHOUT_DROPOUT)

    def measured(**changes: object) -> Measured:
        config = read_config(path, TrainConfig).model_copy(update=changes)
        config = resolve_sources(config, path.parent)
        torch.manual_seed(0)
        with join_processes() as group:
            built = build(config.model, group.device)
            corpus = load_corpus(config, built, path.parent, group, quiet=True)
            trainer = Trainer(config, built.model, corpus, group)
            loss = trainer.accumulate_gradients(0, next(make_feed(config, built, corpus).draw_steps()))[0].item()
        return Measured(loss, [value.grad.clone() for _, value in built.model.list_trained_parameters()])

    return measured


WITHOUT_DROPOUT = {"num_queries": 5, "num_layers": 1, "num_taps": 2, "ffn_width": 32, "dropout": 0}


@pytest.mark.slow
def test_the_backbone_reads_sequences_of_few_lengths(
    measure: Callable[..., Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU a library keeps a kernel for each size of matrix, and rows have any length."""
    lengths: set[int] = set()
    real = AudioLanguageModel.score_replies

    def noting(self: AudioLanguageModel, packed: PackedBatch, audio_AH: torch.Tensor | None) -> torch.Tensor:
        lengths.add(len(packed.ids_L))
        return real(self, packed, audio_AH)

    monkeypatch.setattr(AudioLanguageModel, "score_replies", noting)
    measure()
    assert lengths and all(length % LENGTH_MULTIPLE == 0 for length in lengths)


@pytest.mark.slow
def test_layers_that_are_computed_again_give_the_same_loss_and_gradients(measure: Callable[..., Measured]) -> None:
    plain, again = measure(), measure(gradient_checkpointing=True)
    assert again.loss == plain.loss
    assert all(torch.equal(one, other) for one, other in zip(plain.gradients, again.gradients, strict=True))


@pytest.mark.slow
def test_autocast_changes_the_loss_by_the_precision_of_bfloat16_only(measure: Callable[..., Measured]) -> None:
    plain, cast = measure(), measure(autocast=True)
    assert cast.loss != plain.loss
    assert cast.loss == pytest.approx(plain.loss, rel=0.02)
    assert all(gradient.dtype == torch.float32 for gradient in cast.gradients)


@pytest.mark.slow
def test_with_autocast_adapters_take_bfloat16_and_the_loss_is_what_peft_computes(
    measure: Callable[..., Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[torch.dtype] = set()
    real = LoraLayer._cast_input_dtype

    def noting(self: LoraLayer, x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        cast: torch.Tensor = real(self, x, dtype)
        seen.add(cast.dtype)
        return cast

    monkeypatch.setattr(LoraLayer, "_cast_input_dtype", noting)
    kept = measure(autocast=True)
    assert torch.bfloat16 in seen
    monkeypatch.setattr(trainer, "keep_input_dtype", lambda _: None)
    assert measure(autocast=True).loss == kept.loss


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_stops_the_run_and_names_the_clips(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_run(optimizer={"num_steps": 9, "warmup_steps": 0, "learning_rate": 1e37, "lora_learning_rate": 1e37})
    assert cli.main([str(config), str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "is not a number, over the rows about " in error
    assert ".wav" in error
    assert "Lower optimizer.learning_rate" in error


@pytest.mark.slow
def test_an_update_that_ruins_the_model_is_not_saved(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ruinous = {"num_steps": 1, "warmup_steps": 0, "learning_rate": 1e30, "lora_learning_rate": 1e30}
    assert cli.main([str(make_run(optimizer=ruinous)), str(tmp_path / "run")]) == 2
    assert "The validation loss is not a number" in capsys.readouterr().err
    weights = load_file(tmp_path / "run" / run_files.WEIGHTS)
    assert all(value.isfinite().all() and value.abs().max() < 1e6 for value in weights.values())
