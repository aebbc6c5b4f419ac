"""The encoder hears what Whisper hears, and all of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.model import parts
from lalm.model.encoder import Encoder, compute_log_mel, select_tap_layers
from lalm.model.frames import count_segments, pad_segments
from services.errors import BadConfig
from services.types import AudioClip

MakeClip = Callable[..., AudioClip]


@pytest.mark.parametrize(
    ("num_layers", "layers"),
    [(32, (7, 15, 23, 31)), (24, (5, 11, 17, 23)), (12, (2, 5, 8, 11)), (6, (1, 2, 4, 5)), (4, (0, 1, 2, 3))],
)
def test_taps_stand_where_desta_places_them(num_layers: int, layers: tuple[int, ...]) -> None:
    assert select_tap_layers(num_layers, 4) == layers


@pytest.mark.parametrize("num_mels", [80, 128])
@pytest.mark.parametrize("seconds", [0.013, 3.7, 30.0])
def test_the_spectrogram_is_whispers(make_clip: MakeClip, num_mels: int, seconds: float) -> None:
    samples = make_clip(seconds).samples
    whole = np.pad(samples, (0, 480_000 - len(samples)))
    expected = WhisperFeatureExtractor(feature_size=num_mels)(samples, sampling_rate=16_000, return_tensors="pt")
    torch.testing.assert_close(
        compute_log_mel(torch.from_numpy(whole), num_mels), expected.input_features[0], rtol=1e-4, atol=1e-4
    )


@pytest.mark.slow
def test_the_full_window_gives_whispers_own_hidden_states(encoder_folder: Path, make_clip: MakeClip) -> None:
    clip = make_clip(4.1)
    whisper = WhisperEncoder.from_pretrained(encoder_folder).eval()
    inputs = WhisperFeatureExtractor()(clip.samples, sampling_rate=16_000, return_tensors="pt").input_features
    seen: list[torch.Tensor] = []
    for number in (1, 3):
        whisper.layers[number].register_forward_hook(lambda _, __, out: seen.append(out[0]))
    states = whisper(inputs, output_hidden_states=True).hidden_states
    (taps_KTD,) = Encoder(parts.open_encoder(str(encoder_folder), torch.float32), num_taps=2, window="full")(clip)
    assert taps_KTD.shape == (2, 205, 64)
    torch.testing.assert_close(taps_KTD[0], states[2][0, :205], rtol=1e-3, atol=1e-4)
    # The last: before the final norm.
    torch.testing.assert_close(taps_KTD, torch.stack(seen)[:, :205].detach(), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_clip_of_70_seconds_is_heard_in_three_segments_to_its_end(encoder_folder: Path, make_clip: MakeClip) -> None:
    encoder = Encoder(parts.open_encoder(str(encoder_folder), torch.float32), num_taps=2, window="trimmed")
    clip = make_clip(70.0)
    segments = encoder(clip)
    assert count_segments(clip) == 3
    assert [segment.shape for segment in segments] == [(2, 1500, 64), (2, 1500, 64), (2, 500, 64)]
    for number, second in enumerate((10, 40, 69)):
        changed = clip.samples.copy()
        changed[second * 16_000 : second * 16_000 + 8000] = 0
        differs = [not torch.equal(*pair) for pair in zip(segments, encoder(AudioClip(changed)), strict=True)]
        assert differs == [number == each for each in range(3)]


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 320, 321, 480_000, 480_001])
def test_no_sample_is_left_out(encoder_folder: Path, samples: int) -> None:
    encoder = Encoder(parts.open_encoder(str(encoder_folder), torch.float32), num_taps=2, window="trimmed")
    clip = AudioClip(np.full(samples, 0.1, np.float32))
    frames = [segment.shape[1] for segment in encoder(clip)]
    assert len(frames) == count_segments(clip)
    assert sum(frames) == -(-samples // 320)


def test_segments_of_several_lengths_are_padded_into_one_tensor() -> None:
    (features,) = pad_segments([(torch.ones(2, 5, 3),), (torch.ones(2, 2, 3),)])
    assert features.taps_SKTD.shape == (2, 2, 5, 3)
    assert features.frames_S.tolist() == [5, 2]
    assert features.taps_SKTD[1, :, 2:].abs().sum() == 0


@pytest.mark.slow
def test_the_encoder_stays_frozen_and_in_evaluation(encoder_folder: Path) -> None:
    encoder = Encoder(parts.open_encoder(str(encoder_folder), torch.float32), num_taps=2, window="full")
    assert not any(value.requires_grad for value in encoder.parameters())
    assert not encoder.whisper.training


def test_more_taps_than_layers_are_refused(encoder_folder: Path) -> None:
    whisper = parts.open_encoder(str(encoder_folder), torch.float32)
    with pytest.raises(BadConfig, match=r"model\.connector\.num_taps=5 exceeds the 4 layers of the encoder"):
        Encoder(whisper, num_taps=5, window="full")
