"""The naming head of a run folder is opened where there is one, and says what is wrong with its files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from lalm.model.build import build
from lalm.model.config import EncoderConfig, NamingConfig
from lalm.model.encoders import open_each
from lalm.model.naming_head import NamingHead
from lalm.runtimes.option_namer import open_namer
from lalm.train.config import TrainConfig
from lalm.train.run_files import NAMING_CONFIG, NAMING_WEIGHTS, WEIGHTS, compute_whole_revision
from services.errors import BadConfig
from services.types import AudioClip
from services.yaml_file import read_config

NAMES: Sequence[str] = ("bell", "dog", "")


@pytest.fixture
def head_folder(tmp_path: Path, encoder_folder: Path, make_run: Callable[..., Path]) -> Path:
    """Return a folder with a random head of weight 3."""
    config = NamingConfig(encoders=(EncoderConfig(source=str(encoder_folder), layers=(1,)),), num_factors=4, width=8)
    model = read_config(make_run(), TrainConfig).model
    torch.manual_seed(5)
    shapes = open_each(config.encoders, model, torch.device("cpu")).shapes
    head = NamingHead(config, shapes, backbone_width=64)
    head.weight.fill_(3.0)
    torch.nn.init.normal_(head.components_PF)
    folder = tmp_path / "head"
    folder.mkdir()
    (folder / NAMING_CONFIG).write_text(yaml.safe_dump(config.model_dump(mode="json")))
    save_file({name: value.bfloat16() for name, value in head.state_dict().items()}, folder / NAMING_WEIGHTS)
    return folder


@pytest.mark.slow
def test_a_score_is_the_weight_times_the_cosine(
    head_folder: Path, tmp_path: Path, make_clip: Callable[..., AudioClip]
) -> None:
    model = read_config(tmp_path / "run.yaml", TrainConfig).model
    namer = open_namer(head_folder, model, build(model, torch.device("cpu")))
    assert namer is not None
    clip, other = make_clip(0.5, seed=1), make_clip(0.5, seed=2)
    cosines_B = namer.compare(clip, NAMES)
    assert cosines_B.abs().max() <= 1 and cosines_B[2] == 0 and cosines_B[0] != cosines_B[1]
    torch.testing.assert_close(namer.score(clip, NAMES), 3 * cosines_B)
    with torch.inference_mode():
        names_BH, vector_H = namer._space.embed_names(NAMES[:2]), namer._embed_clip(clip)
    torch.testing.assert_close(cosines_B[:2], torch.cosine_similarity(names_BH, vector_H[None]))
    assert not torch.allclose(namer.compare(other, NAMES), cosines_B)


@pytest.mark.slow
def test_a_run_without_a_head_has_none(tmp_path: Path, make_run: Callable[..., Path]) -> None:
    model = read_config(make_run(), TrainConfig).model
    assert open_namer(tmp_path, model, build(model, torch.device("cpu"))) is None
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    assert len(compute_whole_revision(tmp_path)) == 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "message"),
    [(lambda folder: (folder / NAMING_WEIGHTS).write_bytes(b"{"), "cannot be read"), (None, "does not fit")],
)
def test_files_that_are_damaged_or_do_not_fit_are_named(
    head_folder: Path, tmp_path: Path, damage: Callable[[Path], object] | None, message: str
) -> None:
    if damage:
        damage(head_folder)
    else:
        config = yaml.safe_load((head_folder / NAMING_CONFIG).read_text())
        (head_folder / NAMING_CONFIG).write_text(yaml.safe_dump(config | {"width": 9}))
    model = read_config(tmp_path / "run.yaml", TrainConfig).model
    with pytest.raises(BadConfig, match=f"{NAMING_WEIGHTS}' {message}"):
        open_namer(head_folder, model, build(model, torch.device("cpu")))
    (head_folder / WEIGHTS).write_bytes(b"weights")
    assert len(compute_whole_revision(head_folder)) == 12 + 1 + 8
