"""A clip is heard once, and never taken for what another encoder heard."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model import parts
from lalm.model.encoder import Encoder
from lalm.model.encoders import AudioEncoders
from lalm.train.features import FeatureShelf, FeatureStore
from services.errors import BadConfig
from services.types import AudioClip

MakeClip = Callable[..., AudioClip]


@pytest.fixture
def encoder(encoder_folder: Path) -> Encoder:
    return Encoder(parts.open_encoder(str(encoder_folder), torch.float32), num_taps=2, window="trimmed")


@pytest.mark.slow
def test_features_come_back_as_they_were_heard(encoder: Encoder, make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(61.0)
    stored = FeatureShelf(encoder, tmp_path, revision="r").encode_once(clip)
    assert len(stored) == 3
    assert all(torch.equal(*pair) for pair in zip(stored, encoder(clip), strict=True))


def test_a_clip_is_heard_once(encoder: Encoder, make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(0.5)
    store = FeatureShelf(encoder, tmp_path, revision="r")
    first = store.encode_once(clip)
    torch.nn.init.zeros_(encoder.whisper.conv1.weight)
    assert torch.equal(store.encode_once(clip)[0], first[0])
    assert [path.name for path in tmp_path.rglob("*.*")] == [f"{clip.sha256}.safetensors"]


def test_features_that_were_cut_off_are_heard_again(encoder: Encoder, make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(0.5)
    store = FeatureShelf(encoder, tmp_path, revision="r")
    first = store.encode_once(clip)
    whole = store.find_path(clip.sha256).read_bytes()
    for length in (0, 5, len(whole) - 1):
        store.find_path(clip.sha256).unlink()  # what is mapped into memory stays as it is
        store.find_path(clip.sha256).write_bytes(whole[:length])
        assert not store.has_features(clip.sha256)
        assert torch.equal(store.encode_once(clip)[0], first[0])


def test_a_folder_that_cannot_be_made_is_named(encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "features").touch()
    with pytest.raises(BadConfig, match=r"features/.*' cannot be made: Not a directory"):
        FeatureShelf(encoder, tmp_path / "features", revision="r")


@pytest.mark.slow
def test_each_encoder_and_each_way_of_hearing_has_its_own_shelf(
    encoder: Encoder, encoder_folder: Path, tmp_path: Path
) -> None:
    whisper = parts.open_encoder(str(encoder_folder), torch.float32)
    halved = parts.open_encoder(str(encoder_folder), torch.bfloat16)
    stores = (
        FeatureShelf(encoder, tmp_path, revision="r"),
        FeatureShelf(encoder, tmp_path, revision="other"),
        FeatureShelf(Encoder(whisper, num_taps=4, window="trimmed"), tmp_path, revision="r"),
        FeatureShelf(Encoder(whisper, num_taps=2, window="full"), tmp_path, revision="r"),
        FeatureShelf(Encoder(whisper, num_taps=2, window="trimmed", layers=[0, 2]), tmp_path, revision="r"),
        FeatureShelf(Encoder(whisper, num_taps=2, window="trimmed", pool=5), tmp_path, revision="r"),
        FeatureShelf(encoder, tmp_path, revision="r", dtype=torch.float16),
        FeatureShelf(Encoder(halved, num_taps=2, window="trimmed"), tmp_path, revision="r"),
    )
    assert len({store.find_path("a") for store in stores}) == len(stores)


@pytest.mark.slow
def test_several_clips_come_in_the_order_asked(encoder: Encoder, make_clip: MakeClip, tmp_path: Path) -> None:
    store = FeatureStore(AudioEncoders([encoder]), tmp_path, revisions=["r"])
    long, short = make_clip(31.0, seed=1), make_clip(0.4, seed=2)
    store.encode_once(long), store.encode_once(short)
    (features,) = store.load_batch([short.sha256, long.sha256, short.sha256], torch.device("cpu"))
    assert features.frames_S.tolist() == [20, 1500, 50, 20]
    assert torch.equal(features.taps_SKTD[0, :, :20], features.taps_SKTD[3, :, :20])


@pytest.mark.slow
def test_a_second_encoder_leaves_what_the_first_has_heard(
    encoder: Encoder, encoder_folder: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(0.5)
    (alone,) = FeatureStore(AudioEncoders([encoder]), tmp_path, revisions=["r"]).encode_once(clip)
    whisper = parts.open_encoder(str(encoder_folder), torch.float32)
    pooled = Encoder(whisper, num_taps=1, window="trimmed", pool=5)
    both = FeatureStore(AudioEncoders([encoder, pooled]), tmp_path, revisions=["r", "r"])
    assert not both.has_features(clip.sha256)
    torch.nn.init.zeros_(encoder.whisper.conv1.weight)
    (segment,) = both.encode_once(clip)
    assert torch.equal(segment[0], alone[0])
    assert [tuple(part.shape) for part in segment] == [(2, 25, 64), (1, 5, 64)]


def test_features_kept_in_half_the_room_differ_by_a_thousandth(
    encoder: Encoder, make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(0.5)
    encoders = AudioEncoders([encoder])
    ((whole,),) = FeatureStore(encoders, tmp_path, revisions=["r"]).encode_once(clip)
    ((half,),) = FeatureStore(encoders, tmp_path, revisions=["r"], dtype=torch.float16).encode_once(clip)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, whole, rtol=1e-3, atol=1e-3)
    small, large = sorted(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert large > 1.9 * small
