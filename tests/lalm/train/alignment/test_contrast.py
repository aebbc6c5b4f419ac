"""The connector learns names of sounds, against those that no clip has too."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model.build import LalmComponents, build
from lalm.train.alignment.contrast import ContrastiveAligner, collect_labels, compute_info_nce, list_known_sounds
from lalm.train.config import AlignmentConfig, TrainConfig
from lalm.train.corpus import Corpus, load_corpus
from lalm.train.parallel import DataParallelGroup
from lalm.train.recipe import prepare_start
from services.errors import BadConfig
from services.yaml_file import read_config

MakeRun = Callable[..., Path]
CPU = torch.device("cpu")
CONFIG = AlignmentConfig(num_steps=40, clips=4, warmup_steps=2, learning_rate=0.01)
KNOWN = ("cat", "violin", "rain falls", "dog barks")


def loaded(path: Path, *labels: str) -> tuple[LalmComponents, Corpus]:
    """Load a run whose clips have these labels in turn."""
    rows = [json.loads(line) for line in (path.parent / "train.jsonl").read_text().splitlines()]
    if labels:
        rows = [row | {"labels": [labels[number // 2 % len(labels)]]} for number, row in enumerate(rows)]
    (path.parent / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    torch.manual_seed(0)
    config = read_config(path, TrainConfig)
    built = build(config.model, CPU)
    return built, load_corpus(config, built, path.parent, DataParallelGroup(0, 1, CPU))


def test_a_row_of_matches_costs_their_mean_surprise() -> None:
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    is_match = torch.tensor([[True, False, False], [True, True, False]])
    expected = (-logits[0].log_softmax(-1)[0] + torch.tensor(3.0).log()) / 2
    torch.testing.assert_close(compute_info_nce(logits, is_match), expected)


@pytest.mark.slow
def test_it_learns_which_name_belongs_to_which_clip_and_how_sharply(make_run: MakeRun) -> None:
    built, corpus = loaded(make_run(), "A bell", "dog barks")
    frozen = [value.clone() for value in built.model.backbone.parameters()]
    aligner = ContrastiveAligner(CONFIG, built.model, corpus, built.template, seed=1, known=KNOWN)
    begun = aligner.temperature
    losses = list(aligner.run())
    assert statistics.mean(losses[-5:]) < 0.8 * statistics.mean(losses[:5])
    assert begun == pytest.approx(0.07)
    assert aligner.temperature != pytest.approx(begun, rel=1e-3)
    assert all(torch.equal(*pair) for pair in zip(frozen, built.model.backbone.parameters(), strict=True))


@pytest.mark.slow
def test_the_bank_holds_the_names_of_the_rows_and_those_that_no_row_has(make_run: MakeRun) -> None:
    built, corpus = loaded(make_run(), "A Bell ", "dog barks")
    assert {name for names in collect_labels(corpus.training).values() for name in names} == {"a bell", "dog barks"}
    aligner = ContrastiveAligner(CONFIG, built.model, corpus, built.template, seed=1, known=KNOWN)
    assert aligner._place.keys() == {"a bell", *KNOWN}


@pytest.mark.slow
def test_rows_without_labels_are_named_with_what_would_write_them(make_run: MakeRun) -> None:
    built, corpus = loaded(make_run())
    with pytest.raises(BadConfig, match="no row about one clip has `labels`"):
        ContrastiveAligner(CONFIG, built.model, corpus, built.template, seed=1)


@pytest.mark.weights
def test_a_run_contrasts_before_it_aligns_with_the_classes_of_yamnet(make_run: MakeRun) -> None:
    assert {"violin, fiddle", "dog barking"} & set(list_known_sounds())
    path = make_run(contrast={"num_steps": 2}, alignment={"num_steps": 2})
    built, corpus = loaded(path, "violin", "rain")
    config = read_config(path, TrainConfig)
    assert [one.log for one in prepare_start(config, built, corpus, path.parent)] == [
        "contrast.txt",
        "alignment.txt",
    ]
