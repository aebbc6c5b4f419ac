"""Parameters are counted once, and FLOPs as by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model import parts
from lalm.model.build import LalmComponents, build
from lalm.train.config import TrainConfig
from lalm.train.measure import ParameterCounts, count_parameters, measure_peak_flops
from lalm.train.trainer import TrainStep
from services.yaml_file import read_config

MakeRun = Callable[..., Path]


def step(*, num_segments: int, num_tokens: int, num_replied: int) -> TrainStep:
    return TrainStep(0, 1.0, 1.0, 1.0, 1, num_segments, num_tokens, num_replied, 2.0)


def test_the_flops_of_a_step_are_those_counted_by_hand() -> None:
    size = ParameterCounts(encoder=1_000_000, connector=100, adapters=10, backbone=1000, output=500)
    flops = size.compute_flops(step(num_segments=3, num_tokens=50, num_replied=7), num_queries=8)
    # Connector 6 x 100 x 3 x 8 = 14,400; backbone (4 x 1000 + 6 x 10) x 50 = 203,000; output 4 x 500 x 7 = 14,000
    assert flops == 14_400 + 203_000 + 14_000
    # MFU of a processor that does 1 MFLOP/s: 231,400 FLOPs in 2 s
    assert flops / 2.0 / 1e6 == pytest.approx(0.1157)


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
def test_frozen_weights_are_counted_without_embeddings_whether_tied_or_not(
    make_run: MakeRun, backbones: Callable[[str], Path], tied: bool
) -> None:
    family = "gemma3_text" if tied else "llama"
    config = read_config(make_run(family=family), TrainConfig)
    size = count_parameters(build(config.model, torch.device("cpu")))
    plain = parts.open_backbone(str(backbones(family)), torch.float32)
    inner = sum(
        value.numel() for name, value in plain.named_parameters() if "embed" not in name and "lm_head" not in name
    )
    assert plain.config.tie_word_embeddings == tied
    assert size.backbone == inner
    assert size.output == 336 * 64
    # rank 2: each adapted layer adds 2 x (inputs + outputs)
    linear = [module for module in plain.model.modules() if isinstance(module, torch.nn.Linear)]
    assert size.adapters == sum(2 * (layer.in_features + layer.out_features) for layer in linear)


@pytest.mark.slow
def test_the_encoder_is_counted_apart(make_run: MakeRun) -> None:
    built: LalmComponents = build(read_config(make_run(), TrainConfig).model, torch.device("cpu"))
    size = count_parameters(built)
    assert size.encoder == sum(value.numel() for value in built.encoders.parameters())
    assert size.connector == sum(value.numel() for value in built.model.connector.parameters())


def test_the_peak_is_measured() -> None:
    assert measure_peak_flops(torch.device("cpu"), torch.float32) > 1e8
