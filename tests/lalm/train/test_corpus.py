"""The rows of a run, with the words and features of their clips."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model.build import build
from lalm.train.config import TrainConfig
from lalm.train.corpus import Corpus, load_corpus
from lalm.train.parallel import DataParallelGroup
from services.errors import BadConfig
from services.yaml_file import read_config

MakeRun = Callable[..., Path]
CPU = torch.device("cpu")


def loaded(path: Path) -> Corpus:
    config = read_config(path, TrainConfig)
    return load_corpus(config, build(config.model, CPU), path.parent, DataParallelGroup(0, 1, CPU))


@pytest.mark.slow
def test_clips_that_cannot_be_read_lose_their_rows_and_are_counted(make_run: MakeRun) -> None:
    path = make_run()
    (path.parent / "audio" / "1.wav").write_bytes(b"no sound")
    (path.parent / "audio" / "2.wav").unlink()
    rows = path.parent / "train.jsonl"
    rows.write_text(rows.read_text().replace("3.wav", "3\\u0000.wav"))
    corpus = loaded(path)
    assert corpus.training.dropped == {"unreadable clip": 6}
    assert corpus.training.num_clips + corpus.validation.num_clips == 3


@pytest.mark.slow
def test_validation_rows_of_a_file_of_their_own_are_held_back_as_they_are(make_run: MakeRun) -> None:
    path = make_run(data__validation_files=["held.jsonl"])
    rows = path.parent / "train.jsonl"
    lines = rows.read_text().splitlines()
    rows.write_text("\n".join(lines[4:]))
    (path.parent / "held.jsonl").write_text("\n".join(lines[:4]))
    corpus = loaded(path)
    assert (len(corpus.training.examples), len(corpus.validation.examples)) == (len(lines) - 4, 4)
    rows.write_text("\n".join(lines[3:]))
    with pytest.raises(BadConfig, match="1 clips or recordings that"):
        loaded(path)


@pytest.mark.slow
def test_features_that_were_cut_off_are_heard_again(make_run: MakeRun, home: Path) -> None:
    path = make_run()
    loaded(path)
    cut = next(home.rglob("*.safetensors"))
    whole = cut.read_bytes()
    cut.unlink()
    cut.write_bytes(whole[:100])
    loaded(path)
    assert cut.read_bytes() == whole


@pytest.mark.slow
def test_without_recogniser_the_words_are_those_of_the_rows(make_run: MakeRun) -> None:
    path = make_run(data__validation=0)
    rows = path.parent / "train.jsonl"
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    lines[0]["messages"][0]["audios"][0]["text"] = "hello  there"
    lines[1]["messages"][0]["audios"][0]["text"] = "hello  there"
    rows.write_text("\n".join(map(json.dumps, lines)))
    words = {clip.path: clip.transcript for one in loaded(path).training.examples for clip in one.clips}
    assert words["0.wav"] == "hello there"
    assert words["1.wav"] == ""
    path = make_run(data__validation=0, model__asr=None)
    rows.write_text("\n".join(map(json.dumps, lines)))
    assert {clip.transcript for one in loaded(path).training.examples for clip in one.clips} == {""}


@pytest.mark.slow
def test_each_row_has_the_words_that_stand_in_it(make_run: MakeRun) -> None:
    """Not those of the last row about the clip."""
    path = make_run(num_clips=1, data__validation=0)
    rows = path.parent / "train.jsonl"
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    for line, words in zip(lines, ("hello", "goodbye"), strict=True):
        line["messages"][0]["audios"][0]["text"] = words
    rows.write_text("\n".join(map(json.dumps, lines)))
    assert [clip.transcript for one in loaded(path).training.examples for clip in one.clips] == ["hello", "goodbye"]


@pytest.mark.slow
def test_the_features_of_every_clip_are_on_disk(make_run: MakeRun, home: Path) -> None:
    corpus = loaded(make_run())
    assert len(list(home.rglob("*.safetensors"))) == 6
    for example in (*corpus.training.examples, *corpus.validation.examples):
        for clip in example.clips:
            assert len(corpus.features.load(clip.sha256)) == clip.num_segments
