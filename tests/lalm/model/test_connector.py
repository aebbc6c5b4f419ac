"""The connector is DeSTA's, to the parameter."""

import pytest
import torch

from lalm.model.config import ConnectorConfig
from lalm.model.connector import Connector

TINY = ConnectorConfig(num_queries=5, num_layers=2, num_taps=3, ffn_width=32, dropout=0.0)


def tiny() -> Connector:
    torch.manual_seed(0)
    return Connector(TINY, encoder_width=16, num_heads=4, backbone_width=24).eval()


@pytest.mark.parametrize(
    ("backbone_width", "published"),
    [(4096, 131_540_224), (2560, 129_572_608), (3584, 130_884_352), (5120, 132_851_968)],
)
def test_behind_whisper_large_v3_it_has_as_many_parameters_as_published(backbone_width: int, published: int) -> None:
    with torch.device("meta"):
        connector = Connector(ConnectorConfig(), encoder_width=1280, num_heads=20, backbone_width=backbone_width)
    assert sum(value.numel() for value in connector.parameters()) == published


def test_each_segment_becomes_its_queries_whatever_stands_beside_it() -> None:
    connector = tiny()
    taps_SKTD = torch.randn(2, 3, 11, 16)
    frames_S = torch.tensor([11, 7])
    together = connector(taps_SKTD, frames_S)
    alone = connector(taps_SKTD[1:, :, :7], frames_S[1:])
    assert together.shape == (2, 5, 24)
    torch.testing.assert_close(together[1:], alone)


def test_padding_is_not_heard() -> None:
    connector = tiny()
    taps_SKTD, frames_S = torch.randn(1, 3, 11, 16), torch.tensor([7])
    louder = taps_SKTD.clone()
    louder[:, :, 7:] += 100
    assert torch.equal(connector(taps_SKTD, frames_S), connector(louder, frames_S))


def test_uncalibrated_it_hears_the_features_as_they_are_and_calibrated_it_standardises_them() -> None:
    plain, calibrated = tiny(), tiny()
    raw_KTD = torch.randn(3, 50, 16) * torch.linspace(0.1, 9, 16) + torch.linspace(-5, 5, 16)
    calibrated.calibrate([raw_KTD[:, :20], raw_KTD[:, 20:]])
    standard_KTD = (raw_KTD - raw_KTD.mean(1, keepdim=True)) / raw_KTD.std(1, keepdim=True)
    frames_S = torch.tensor([50])
    torch.testing.assert_close(
        calibrated(raw_KTD[None], frames_S), plain(standard_KTD[None], frames_S), rtol=1e-4, atol=1e-5
    )
    assert not torch.allclose(plain(raw_KTD[None], frames_S), plain(standard_KTD[None], frames_S), atol=1e-3)


def test_a_channel_that_never_moves_is_not_blown_up() -> None:
    connector = tiny()
    silent_KTD = torch.zeros(3, 20, 16)
    connector.calibrate([silent_KTD])
    assert torch.isfinite(connector(silent_KTD[None] + 1e-4, torch.tensor([20]))).all()


def test_every_tap_and_every_query_counts() -> None:
    connector = tiny()
    taps_SKTD = torch.randn(1, 3, 9, 16, requires_grad=True)
    connector(taps_SKTD, torch.tensor([9])).square().sum().backward()
    assert (taps_SKTD.grad.abs().sum(dim=(0, 2, 3)) > 0).all()
    assert (connector.queries_KQD.grad.abs().sum(-1) > 0).all()
