"""A naming head pools what its encoders heard, reduces it to factors, and gives unit vectors."""

import torch

from lalm.model.config import EncoderConfig, NamingConfig
from lalm.model.frames import TapShape
from lalm.model.naming_head import LIMIT, NamingHead, pool_over_time

SHAPES = (TapShape(2, 3, 10.0, 0.0), TapShape(1, 4, 1.0, 0.0))
CONFIG = NamingConfig(encoders=(EncoderConfig(source="yamnet"),), num_factors=5, width=8)


def test_each_tap_is_pooled_by_mean_deviation_and_maximum() -> None:
    rng = torch.Generator().manual_seed(1)
    segment = (torch.randn(2, 7, 3, generator=rng), torch.randn(1, 2, 4, generator=rng).half())
    first, second, third = segment[0][0], segment[0][1], segment[1][0].float()
    expected = [
        part
        for taps_TE in (first, second, third)
        for part in (taps_TE.mean(0), taps_TE.std(0, correction=0), taps_TE.amax(0))
    ]
    torch.testing.assert_close(pool_over_time(segment), torch.cat(expected))
    assert pool_over_time((torch.ones(1, 1, 2),)).tolist() == [1, 1, 0, 0, 1, 1]


def test_factors_of_the_training_clips_are_uncorrelated_with_a_deviation_of_one() -> None:
    torch.manual_seed(0)
    pooled_SP = torch.randn(400, 30) @ torch.randn(30, 30)
    head = NamingHead(CONFIG, SHAPES, backbone_width=6)
    head.calibrate(pooled_SP * 50 + 3)
    factors_SF = head.reduce(pooled_SP * 50 + 3)
    torch.testing.assert_close(factors_SF.T @ factors_SF / 400, torch.eye(5), rtol=0, atol=0.05)
    assert head.reduce(torch.full((1, 30), 1e9)).abs().max() <= LIMIT


def test_a_value_that_never_changes_does_no_harm() -> None:
    torch.manual_seed(0)
    pooled_SP = torch.randn(40, 30)
    pooled_SP[:, 3] = 7.0
    head = NamingHead(CONFIG, SHAPES, backbone_width=6).eval()
    head.calibrate(pooled_SP)
    vectors_SH = head(head.reduce(pooled_SP))
    assert vectors_SH.isfinite().all()
    torch.testing.assert_close(vectors_SH.norm(dim=-1), torch.ones(40))


def test_a_clip_of_several_segments_is_the_mean_of_their_vectors() -> None:
    torch.manual_seed(0)
    head = NamingHead(CONFIG, SHAPES, backbone_width=6).eval()
    head.calibrate(torch.randn(40, 30))
    pooled_SP = torch.randn(2, 30)
    first_H, second_H = (head.embed(one[None]) for one in pooled_SP)
    torch.testing.assert_close(head.embed(pooled_SP), (first_H + second_H) / 2)
    assert not torch.allclose(first_H, second_H)
