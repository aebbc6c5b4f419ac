"""Any frozen encoder that gives frames is opened by what it is, and hears the same segments as the others."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTModel,
    HubertConfig,
    HubertModel,
    Wav2Vec2FeatureExtractor,
)

from lalm.model.build import build
from lalm.model.config import EncoderConfig, ModelConfig
from lalm.model.encoders import open_encoders
from lalm.model.frames import pad_segments, pool_frames
from lalm.train.config import TrainConfig
from services.errors import BadConfig, ModelError
from services.types import AudioClip
from services.yaml_file import read_config

CPU = torch.device("cpu")
MakeClip = Callable[..., AudioClip]
Configure = Callable[..., ModelConfig]


@pytest.fixture(scope="module")
def hubert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random HuBERT: one frame in 20 ms."""
    folder = tmp_path_factory.mktemp("hubert")
    torch.manual_seed(4)
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
    config = HubertConfig(**sizes, conv_dim=(8,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4)
    HubertModel(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def ast_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random AST that hears 2 s at once, ten frames a second."""
    folder = tmp_path_factory.mktemp("ast")
    torch.manual_seed(4)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    ASTModel(ASTConfig(**sizes, max_length=206, num_mel_bins=32)).save_pretrained(folder)
    ASTFeatureExtractor(max_length=206, num_mel_bins=32).save_pretrained(folder)
    return folder


@pytest.fixture
def configure(make_run: Callable[..., Path]) -> Configure:
    """Return how a model with these encoders is described."""

    def described(*encoders: EncoderConfig, **changes: object) -> ModelConfig:
        model = read_config(make_run(), TrainConfig).model
        return ModelConfig.model_validate(
            {**model.model_dump(), "encoder": None, "encoders": [one.model_dump() for one in encoders], **changes}
        )

    return described


@pytest.mark.slow
def test_three_kinds_of_encoder_hear_the_same_segments_at_their_own_rates(
    configure: Configure, encoder_folder: Path, hubert_folder: Path, ast_folder: Path, make_clip: MakeClip
) -> None:
    config = configure(
        EncoderConfig(source=str(encoder_folder), layers=(1, 2), pool=5),
        EncoderConfig(source=str(hubert_folder)),
        EncoderConfig(source=str(ast_folder), layers=(0,)),
    )
    encoders = open_encoders(config, CPU)
    heard = encoders(make_clip(33.0))
    assert [[tuple(part.shape) for part in segment] for segment in heard] == [
        [(2, 300, 64), (2, 1499, 32), (1, 300, 32)],
        [(2, 30, 64), (2, 149, 32), (1, 30, 32)],
    ]
    assert [round(one.frames_per_s) for one in encoders.shapes] == [10, 50, 10]
    assert torch.isfinite(torch.cat([part.flatten() for segment in heard for part in segment])).all()


@pytest.mark.slow
def test_a_model_of_two_encoders_is_built_and_answers(
    configure: Configure, encoder_folder: Path, hubert_folder: Path, make_clip: MakeClip
) -> None:
    config = configure(EncoderConfig(source=str(encoder_folder)), EncoderConfig(source=str(hubert_folder)))
    built = build(config, CPU)
    assert built.model.connector.queries_KQD.shape == (4, 5, 64)
    heard = built.model.embed_audio(pad_segments(built.encoders(make_clip(0.01))))
    assert heard is not None
    assert heard.shape == (5, 64)


def test_frames_in_a_row_become_their_mean() -> None:
    taps_KTD = torch.arange(14.0).reshape(1, 7, 2)
    assert pool_frames(taps_KTD, 3)[0].tolist() == [[2, 3], [8, 9], [12, 13]]


def test_a_model_that_gives_no_frames_is_refused(configure: Configure, backbones: Callable[[str], Path]) -> None:
    config = configure(EncoderConfig(source=str(backbones("llama"))))
    with pytest.raises(ModelError, match=r"is of type 'llama', which gives no frames here\. These do: yamnet, whisper"):
        open_encoders(config, CPU)


def test_an_encoder_that_is_nowhere_is_named(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="none' holds no audio encoder"):
        open_encoders(configure(EncoderConfig(source=str(tmp_path / "none"))), CPU)


def test_other_weights_than_those_of_the_training_are_refused(configure: Configure, hubert_folder: Path) -> None:
    config = configure(EncoderConfig(source=str(hubert_folder), revision="0123456789ab"))
    with pytest.raises(ModelError, match=r"is of revision .*, and the model was trained with 0123456789ab"):
        open_encoders(config, CPU)


def test_an_encoder_of_another_sample_rate_is_refused(
    configure: Configure, hubert_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "8 kHz"
    shutil.copytree(hubert_folder, folder)
    Wav2Vec2FeatureExtractor(sampling_rate=8000).save_pretrained(folder)
    with pytest.raises(ModelError, match="8 kHz' hears at 8000 Hz, and clips are at 16000 Hz: name another one"):
        open_encoders(configure(EncoderConfig(source=str(folder))), CPU)


def test_a_layer_that_an_encoder_does_not_have_is_named(configure: Configure, hubert_folder: Path) -> None:
    config = configure(EncoderConfig(source=str(hubert_folder), layers=(1, 7)))
    with pytest.raises(BadConfig, match="has layers 0 to 2, and no layer 7"):
        open_encoders(config, CPU)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoders": []}, "name either model.encoder"),
        ({"encoder": "whisper-base-encoder"}, "name either model.encoder"),
        ({"encoders": [{"source": "yamnet"}, {"source": "yamnet", "pool": 2}]}, "names 'yamnet' twice"),
        ({"encoders": [{"source": "yamnet", "layers": [3]}]}, "read before its classifier only: leave out layers"),
        ({"encoders": [{"source": "a", "layers": [1, 2, 1]}]}, "layers names 1 twice"),
    ],
)
def test_encoders_are_named_in_one_way_and_once(configure: Configure, changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        configure(EncoderConfig(source="yamnet"), **changes)
