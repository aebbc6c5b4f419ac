"""Activations of a made-up LALM: each stage is what the model itself computes there."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model.frames import pad_segments
from lalm.model.packing import PackedGroup, PackedRow, pack_groups
from lalm.model.template import PromptClip
from lalm.probing import activations
from lalm.probing.activations import ActivationReader, ProbedStage
from lalm.probing.opened import OpenedRun, open_run
from lalm.prompting import build_messages, insert_audio
from lalm.train import run_files
from services.errors import BadConfig, TooLarge
from services.types import AudioClip, Message, Question

MakeClip = Callable[..., AudioClip]
QUESTION = "What is heard?"
NUM_QUERIES = 5  # of the runs that `make_run` writes


@pytest.mark.slow
def test_the_stages_are_those_of_the_way(opened: OpenedRun, make_clip: MakeClip) -> None:
    reader = ActivationReader(opened, QUESTION)
    found = reader.read(make_clip(0.5))
    assert tuple(found) == reader.stages
    assert [(stage.part, stage.reading, stage.layer) for stage in reader.stages] == [
        ("encoder", "mean", 0),
        ("encoder", "mean", 1),
        ("encoder", "all", 0),
        ("connector", "mean", 0),
        ("connector", "all", 0),
        ("backbone", "mean", 1),
        ("backbone", "mean", 2),
        ("backbone", "last", 1),
        ("backbone", "last", 2),
    ]
    assert [vector.shape for vector in found.values()] == [(64,), (64,), (128,), (64,), (5 * 64,), *[(64,)] * 4]
    assert [reader.describe(stage) for stage in reader.stages][1:6] == [
        f"{Path(opened.config.list_encoders()[0].source).name} tap 2",
        "encoder, all taps",
        "connector, mean of tokens",
        "connector, all tokens",
        "layer 1, mean of audio tokens",
    ]
    assert reader.describe(reader.stages[-1]) == "layer 2, last token"


@pytest.mark.slow
def test_encoder_and_connector_are_read_as_the_model_computes_them(opened: OpenedRun, make_clip: MakeClip) -> None:
    clip = make_clip(0.7, seed=3)
    found = ActivationReader(opened, QUESTION).read(clip)
    with torch.inference_mode():
        ((taps_KTE,),) = opened.built.encoders(clip)
        audio_QH = opened.built.model.connector(pad_segments([(taps_KTE,)]))[0]
    assert found[ProbedStage("encoder", "mean", 1)] == pytest.approx(taps_KTE[1].mean(0).numpy(), abs=1e-5)
    assert found[ProbedStage("encoder", "all")] == pytest.approx(taps_KTE.mean(1).flatten().numpy(), abs=1e-5)
    assert found[ProbedStage("connector", "all")] == pytest.approx(audio_QH.flatten().numpy(), abs=1e-5)


@pytest.mark.slow
def test_the_last_token_of_the_last_layer_says_how_the_reply_begins(opened: OpenedRun, make_clip: MakeClip) -> None:
    clip, built = make_clip(0.5, seed=9), opened.built
    last_H = torch.from_numpy(ActivationReader(opened, QUESTION).read(clip)[ProbedStage("backbone", "last", 2)])
    system, asked = build_messages(Question.ask(QUESTION))
    messages = (system, Message(role="user", content=insert_audio(asked.content)))
    prompt = built.template.encode_prompt(messages, [PromptClip(1)])
    packed = pack_groups([PackedGroup(tuple(PackedRow(prompt, (token,)) for token in (9, 40, 300)), NUM_QUERIES)])
    with torch.inference_mode():
        trained = built.model(packed, pad_segments(built.encoders(clip)))
        said = built.model.backbone.get_output_embeddings()(last_H).log_softmax(-1)
    assert said[[9, 40, 300]].tolist() == pytest.approx(trained.tolist(), abs=1e-4)


@pytest.mark.slow
def test_a_layer_s_mean_is_over_the_audio_tokens_alone(opened: OpenedRun, make_clip: MakeClip) -> None:
    clip, built = make_clip(0.5, seed=4), opened.built
    found = ActivationReader(opened, QUESTION).read(clip)[ProbedStage("backbone", "mean", 2)]
    system, asked = build_messages(Question.ask(QUESTION))
    messages = (system, Message(role="user", content=insert_audio(asked.content)))
    ids_L = torch.tensor(built.template.encode_prompt(messages, [PromptClip(1)]))
    with torch.inference_mode(), built.model.use_adapters(active=True):
        audio_AH = built.model.connector(pad_segments(built.encoders(clip))).flatten(0, 1)
        embedded_1LH = built.model.embed_prompt(ids_L, audio_AH)[None]
        states_LH = built.model.backbone(inputs_embeds=embedded_1LH, output_hidden_states=True).hidden_states[2][0]
    first = next(place for place, token in enumerate(ids_L.tolist()) if token < 0)
    assert found == pytest.approx(states_LH[first : first + NUM_QUERIES].mean(0).numpy(), abs=1e-5)


@pytest.mark.slow
def test_adapters_and_recording_change_the_backbone(opened: OpenedRun, make_clip: MakeClip) -> None:
    clip, other = make_clip(0.5, seed=1), make_clip(0.5, seed=2)
    found = ActivationReader(opened, QUESTION).read(clip)
    stage = ProbedStage("backbone", "last", 2)
    assert abs(found[stage] - ActivationReader(opened, QUESTION).read(other)[stage]).max() > 1e-4
    asked_otherwise = ActivationReader(opened, "Which sound?").read(clip)
    assert (asked_otherwise[ProbedStage("connector", "all")] == found[ProbedStage("connector", "all")]).all()
    assert abs(asked_otherwise[stage] - found[stage]).max() > 1e-4


@pytest.mark.slow
def test_what_was_read_once_is_kept_on_disk(
    opened: OpenedRun, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    clip = make_clip(0.5)
    found = ActivationReader(opened, QUESTION).read(clip)

    def fail(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(activations.ActivationReader, "_run", fail)
    again = ActivationReader(opened, QUESTION).read(clip)
    assert all((again[stage] == vector).all() for stage, vector in found.items())
    (file,) = (home / "activations").rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(AssertionError, match="computed again"):
        ActivationReader(opened, QUESTION).read(clip)


@pytest.mark.slow
def test_several_segments_are_one_vector(opened: OpenedRun, make_clip: MakeClip) -> None:
    found = ActivationReader(opened, QUESTION).read(make_clip(31))
    assert [vector.shape for vector in found.values()][:5] == [(64,), (64,), (128,), (64,), (5 * 64,)]


@pytest.mark.slow
def test_a_clip_that_the_backbone_has_no_room_for_is_named(opened: OpenedRun, make_clip: MakeClip) -> None:
    reader, config = ActivationReader(opened, QUESTION), opened.built.model.backbone.config
    config.max_position_embeddings = 20
    with pytest.raises(TooLarge, match=r"A clip of 0\.5 s takes (\d+) tokens, and .* 'made-up' .* most 20") as caught:
        reader.read(make_clip(0.5))
    config.max_position_embeddings = int(str(caught.value).split(" takes ")[1].split()[0])
    assert reader.read(make_clip(0.5))  # just enough


@pytest.mark.slow
def test_a_run_without_weights_is_an_error(folder: Path) -> None:
    (folder / run_files.WEIGHTS).unlink()
    with pytest.raises(BadConfig, match="cannot be read"):
        open_run(folder, "made-up")
