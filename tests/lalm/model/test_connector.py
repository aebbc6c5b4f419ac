"""The connector is DeSTA's, to the parameter."""

import pytest
import torch

from lalm.model.config import ConnectorConfig
from lalm.model.connector import Connector, embed_times
from lalm.model.frames import AudioFeatures, EncoderFeatures, TapShape, pad_segments

TINY = ConnectorConfig(num_queries=5, num_layers=2, num_taps=3, ffn_width=32, dropout=0.0)


def tiny() -> Connector:
    torch.manual_seed(0)
    return Connector(TINY, [TapShape(3, 16, 50.0, 0.01)], num_heads=4, backbone_width=24).eval()


def features(taps_SKTD: torch.Tensor, frames_S: torch.Tensor) -> AudioFeatures:
    return (EncoderFeatures(taps_SKTD, frames_S),)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone_width", "published"),
    [(4096, 131_540_224), (2560, 129_572_608), (3584, 130_884_352), (5120, 132_851_968)],
)
def test_behind_whisper_large_v3_it_has_as_many_parameters_as_published(backbone_width: int, published: int) -> None:
    with torch.device("meta"):
        shape = TapShape(4, 1280, 50.0, 0.01)
        connector = Connector(ConnectorConfig(), [shape], num_heads=20, backbone_width=backbone_width)
    assert sum(value.numel() for value in connector.parameters()) == published


def test_each_segment_becomes_its_queries_whatever_stands_beside_it() -> None:
    connector = tiny()
    taps_SKTD = torch.randn(2, 3, 11, 16)
    frames_S = torch.tensor([11, 7])
    together = connector(features(taps_SKTD, frames_S))
    alone = connector(features(taps_SKTD[1:, :, :7], frames_S[1:]))
    assert together.shape == (2, 5, 24)
    torch.testing.assert_close(together[1:], alone)


def test_padding_is_not_heard() -> None:
    connector = tiny()
    taps_SKTD, frames_S = torch.randn(1, 3, 11, 16), torch.tensor([7])
    louder = taps_SKTD.clone()
    louder[:, :, 7:] += 100
    assert torch.equal(connector(features(taps_SKTD, frames_S)), connector(features(louder, frames_S)))


def test_uncalibrated_it_hears_the_features_as_they_are_and_calibrated_it_standardises_them() -> None:
    plain, calibrated = tiny(), tiny()
    raw_KTD = torch.randn(3, 50, 16) * torch.linspace(0.1, 9, 16) + torch.linspace(-5, 5, 16)
    calibrated.calibrate([(raw_KTD[:, :20],), (raw_KTD[:, 20:],)])
    standard_KTD = (raw_KTD - raw_KTD.mean(1, keepdim=True)) / raw_KTD.std(1, keepdim=True)
    frames_S = torch.tensor([50])
    raw, standard = features(raw_KTD[None], frames_S), features(standard_KTD[None], frames_S)
    torch.testing.assert_close(calibrated(raw), plain(standard), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(plain(raw), plain(standard), atol=1e-3)


def test_a_channel_that_never_moves_is_not_blown_up() -> None:
    connector = tiny()
    silent_KTD = torch.zeros(3, 20, 16)
    connector.calibrate([(silent_KTD,)])
    assert torch.isfinite(connector(features(silent_KTD[None] + 1e-4, torch.tensor([20])))).all()


def test_every_tap_and_every_query_counts() -> None:
    connector = tiny()
    taps_SKTD = torch.randn(1, 3, 9, 16, requires_grad=True)
    connector(features(taps_SKTD, torch.tensor([9]))).square().sum().backward()
    assert (taps_SKTD.grad.abs().sum(dim=(0, 2, 3)) > 0).all()
    assert (connector.queries_KQD.grad.abs().sum(-1) > 0).all()


SOUND, SPEECH = TapShape(1, 24, 4.0, 0.5), TapShape(3, 16, 50.0, 0.01)


def double() -> Connector:
    torch.manual_seed(0)
    return Connector(TINY, [SPEECH, SOUND], num_heads=4, backbone_width=24).eval()


def test_two_encoders_of_other_widths_and_rates_become_the_same_queries_whatever_stands_beside_them() -> None:
    connector = double()
    segments = [(torch.randn(3, 50, 16), torch.randn(1, 4, 24)), (torch.randn(3, 20, 16), torch.randn(1, 2, 24))]
    together = connector(pad_segments(segments))
    assert together.shape == (2, 5, 24)
    torch.testing.assert_close(together[1:], connector(pad_segments(segments[1:])))


def test_each_of_two_encoders_is_standardised_by_its_own_frames() -> None:
    connector = double()
    connector.calibrate([(5 + torch.randn(3, 400, 16), 3 * torch.randn(1, 400, 24) - 1)])
    torch.testing.assert_close(connector.mean_KD[:3, :16], torch.full((3, 16), 5.0), atol=0.3, rtol=0)
    torch.testing.assert_close(connector.mean_KD[3], torch.full((24,), -1.0), atol=0.7, rtol=0)
    torch.testing.assert_close(connector.deviation_KD[3], torch.full((24,), 3.0), atol=0.5, rtol=0)


def test_both_encoders_are_trained() -> None:
    connector = double()
    segment = (torch.randn(3, 9, 16, requires_grad=True), torch.randn(1, 3, 24, requires_grad=True))
    connector(pad_segments([segment])).square().sum().backward()
    assert all(part.grad is not None and (part.grad.abs().sum(dim=(1, 2)) > 0).all() for part in segment)
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in connector.taps.parameters())


def test_the_order_of_the_frames_of_a_second_encoder_is_told_by_their_time() -> None:
    connector = double()
    for layer in connector.layers:  # as it begins, it attends to all frames alike
        torch.nn.init.normal_(layer.cross_attention.key.weight)
        torch.nn.init.normal_(layer.cross_attention.query.weight)
    speech, sound = torch.randn(3, 50, 16), torch.randn(1, 4, 24)
    forward, backward = (connector(pad_segments([(speech, one)])) for one in (sound, sound.flip(1)))
    assert not torch.allclose(forward, backward, atol=1e-5)


def test_frames_at_the_same_time_have_the_same_embedding_at_any_rate() -> None:
    fast_TD, slow_TD = embed_times(torch.arange(300) / 50, 32), embed_times(torch.arange(24) / 4, 32)
    torch.testing.assert_close(fast_TD[100], slow_TD[8])
    assert (fast_TD[100] - fast_TD[50]).norm() > 1


def test_a_width_of_its_own_gives_each_tap_a_linear_also_with_one_encoder() -> None:
    wide = ConnectorConfig(num_queries=5, num_layers=1, num_taps=3, ffn_width=32, width=128)
    connector = Connector(wide, [SPEECH], num_heads=4, backbone_width=24)
    assert [tuple(one.linears[0].weight.shape) for one in connector.taps] == [(128, 16)]
    assert connector.layers[0].self_attention.num_heads == 2
