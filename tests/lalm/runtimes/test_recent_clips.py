"""What was computed of the last clips is not computed again, and no more than so many are kept."""

from collections.abc import Callable

import torch

from lalm.runtimes.recent_clips import RecentClips
from services.types import AudioClip


def test_a_clip_is_computed_once_as_long_as_it_is_kept(make_clip: Callable[..., AudioClip]) -> None:
    computed = list[str]()

    def compute(clip: AudioClip) -> torch.Tensor:
        computed.append(clip.sha256)
        return torch.tensor(clip.samples).mean()

    kept, clips = RecentClips(compute, size=2), [make_clip(0.1, seed=number) for number in range(3)]
    for number in (0, 0, 1, 0, 2, 1, 0):
        assert kept(clips[number]) == torch.tensor(clips[number].samples).mean()
    assert computed == [clips[number].sha256 for number in (0, 1, 2, 1, 0)]
