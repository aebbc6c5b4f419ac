"""The connector learns the words of the replies, in the backbone's own embeddings."""

import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model.build import LalmComponents, build
from lalm.model.packing import PackedRow
from lalm.model.template import ChatTemplate
from lalm.train.alignment.bag_of_words import Aligner, build_vocabulary, collect_words
from lalm.train.config import AlignmentConfig, TrainConfig
from lalm.train.corpus import Corpus, load_corpus
from lalm.train.data import Dataset, TrainClip, TrainExample
from lalm.train.parallel import DataParallelGroup
from services.errors import BadConfig
from services.yaml_file import read_config

MakeRun = Callable[..., Path]
CPU = torch.device("cpu")


def loaded(path: Path) -> tuple[LalmComponents, Corpus]:
    torch.manual_seed(0)
    config = read_config(path, TrainConfig)
    built = build(config.model, CPU)
    return built, load_corpus(config, built, path.parent, DataParallelGroup(0, 1, CPU))


def test_words_that_every_reply_or_only_one_has_are_not_a_guide() -> None:
    found = build_vocabulary([frozenset({1, 2, 3}), frozenset({1, 2}), frozenset({1})])
    assert found.ids == (2,)
    assert found.weights[2] == pytest.approx(0.4055, abs=1e-4)  # ln(3/2)


def test_the_words_of_a_clip_are_those_of_its_replies_that_it_does_not_say(template: ChatTemplate) -> None:
    one, two = TrainClip("1", "1", 1, "dog"), TrainClip("2", "2", 1, "")
    said = template.encode_reply(" dog")
    dataset = Dataset(
        (
            TrainExample(PackedRow((1,), (9, *said)), (one,), "distilled"),
            TrainExample(PackedRow((1,), (8,)), (one,), "distilled"),
            TrainExample(PackedRow((1,), (7,)), (one, two), "distilled"),
        )
    )
    assert collect_words(dataset, template) == {one: frozenset({8, 9, *template.turn_end})}


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llama", "gemma3_text"])
def test_alignment_lowers_its_loss_and_leaves_the_backbone_alone(make_run: MakeRun, family: str) -> None:
    built, corpus = loaded(make_run(family=family))
    before = [value.clone() for value in built.model.backbone.parameters()]
    config = AlignmentConfig(num_steps=40, clips=4, warmup_steps=2, learning_rate=0.01)
    losses = list(Aligner(config, built.model, corpus, built.template, seed=1).run())
    assert statistics.mean(losses[-5:]) < 0.9 * statistics.mean(losses[:5])
    assert all(torch.equal(*pair) for pair in zip(before, built.model.backbone.parameters(), strict=True))


@pytest.mark.slow
def test_the_words_are_those_that_the_backbone_reads(make_run: MakeRun) -> None:
    built, corpus = loaded(make_run(family="gemma3_text"))
    aligner = Aligner(AlignmentConfig(num_steps=1), built.model, corpus, built.template, seed=1)
    tokens = torch.tensor(aligner._dictionary.ids)
    read_VH = built.model.backbone.get_input_embeddings()(tokens)  # Gemma scales its embeddings as it reads them
    torch.testing.assert_close(aligner._words_VH * aligner._scale + aligner._mean_H, read_VH)


@pytest.mark.slow
def test_any_segment_of_a_long_clip_is_heard(make_run: MakeRun) -> None:
    built, corpus = loaded(make_run())
    aligner = Aligner(AlignmentConfig(num_steps=1, frames=2), built.model, corpus, built.template, seed=1)
    segments = [(torch.full((2, 9, 4), float(number)),) for number in range(3)]
    heard = {aligner._batches.crop(segments)[0].mean().item() for _ in range(30)}
    assert heard == {0.0, 1.0, 2.0}


@pytest.mark.slow
def test_replies_that_are_all_alike_leave_nothing_to_align(make_run: MakeRun) -> None:
    path = make_run()
    rows = path.parent / "train.jsonl"
    rows.write_text(rows.read_text().replace("number 0", "number 1"))
    built, corpus = loaded(path)
    with pytest.raises(BadConfig, match="nothing to align the connector with"):
        Aligner(AlignmentConfig(num_steps=1), built.model, corpus, built.template, seed=1)
