"""What stands beside a clip changes from epoch to epoch, as the shares and the seed say, and only that."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from lalm.messages import ChatTurn, Conversation, MessageAudio
from lalm.model.template import ChatTemplate
from lalm.train.beside import BesideText
from lalm.train.config import BatchConfig, BesideConfig, TrainConfig
from lalm.train.data import Dataset, Sampler, TrainClip, tokenise
from lalm.train.recipe import TrainOptions, train
from services.yaml_file import read_config

CLIPS = {
    f"{number}.wav": TrainClip(f"{number}.wav", f"sha{number}", 1, f"words {number}", (f"sound {number}",), "silence")
    for number in range(6)
}
BATCH = BatchConfig(tokens=400, rows_per_clip=4)
ALL = BesideConfig(nothing=1, transcript=1, evidence=1, both=1, other=1, silenced=1)


@pytest.fixture
def form2(tokenizer: object) -> ChatTemplate:
    return ChatTemplate(tokenizer, 5, form=2)  # type: ignore[arg-type]


@pytest.fixture
def dataset(form2: ChatTemplate) -> Dataset:
    rows = [
        Conversation(
            messages=(ChatTurn(role="user", content=f"<|AUDIO|> {ask}?", audios=(MessageAudio(path=path),)),),
            response="a bell",
        )
        for path in CLIPS
        for ask in ("what", "where")
    ]
    return tokenise(rows, form2, lambda audio: CLIPS[audio.path], max_length=400)


@pytest.mark.parametrize(
    ("name", "transcript", "evidence", "sha256"),
    [
        ("nothing", "", (), "sha0"),
        ("transcript", "words 0", (), "sha0"),
        ("evidence", "", ("sound 0",), "sha0"),
        ("both", "words 0", ("sound 0",), "sha0"),
        ("silenced", "words 0", ("sound 0",), "silence"),
    ],
)
def test_each_share_shows_what_it_says(
    dataset: Dataset, form2: ChatTemplate, name: str, transcript: str, evidence: tuple[str, ...], sha256: str
) -> None:
    beside = BesideText(BesideConfig.model_validate({name: 1}), dataset, form2, seed=1)
    (clip,) = beside.vary([CLIPS["0.wav"]], epoch=0, part=0)
    assert (clip.transcript, clip.evidence, clip.sha256) == (transcript, evidence, sha256)


def test_another_clip_lends_its_text_and_never_the_clip_itself(dataset: Dataset, form2: ChatTemplate) -> None:
    beside = BesideText(BesideConfig(other=1), dataset, form2, seed=1)
    for epoch in range(20):
        (clip,) = beside.vary([CLIPS["0.wav"]], epoch=epoch, part=0)
        assert clip.sha256 == "sha0"
        assert clip.transcript != "words 0"
        assert clip.evidence == (clip.transcript.replace("words", "sound"),)


def test_shares_are_kept_to_and_the_seed_decides(dataset: Dataset, form2: ChatTemplate) -> None:
    def draw(seed: int) -> list[TrainClip]:
        beside = BesideText(BesideConfig(nothing=3, both=1), dataset, form2, seed=seed)
        return [beside.vary([CLIPS["0.wav"]], epoch=epoch, part=0)[0] for epoch in range(400)]

    first = draw(1)
    assert first == draw(1)
    assert first != draw(2)
    assert Counter(clip.transcript for clip in first)[""] == pytest.approx(300, abs=30)


def test_rows_of_a_clip_share_what_is_drawn_and_so_their_prefix(dataset: Dataset, form2: ChatTemplate) -> None:
    show = BesideText(ALL, dataset, form2, seed=3)
    seen = set()
    for epoch in range(12):
        for batch in Sampler(dataset, BATCH, num_queries=5, seed=3, show=show).draw_epoch(epoch):
            for group, clip in zip(batch.groups, batch.clips, strict=True):
                first, second = (row.prompt for row in group.rows)
                seen.add((first[: group.prefix_length], clip.sha256 == "silence"))
                assert first[: group.prefix_length] == second[: group.prefix_length]
                assert group.prefix_length >= 10
    assert len(seen) > len(CLIPS)


@pytest.mark.slow
def test_a_run_learns_with_evidence_of_the_rows_and_silence(make_run: Callable[..., Path], tmp_path: Path) -> None:
    path = make_run(
        model__captioner="acoustic",
        model__prompt=2,
        data__evidence="rows",
        data__beside=ALL.model_dump(),
        data__max_length=160,
        batch__tokens=160,
    )
    lines = (tmp_path / "train.jsonl").read_text()
    (tmp_path / "train.jsonl").write_text(lines.replace('"text": " "', '"transcript": "ring", "evidence": ["A bell."]'))
    train(read_config(path, TrainConfig), tmp_path, tmp_path / "run", TrainOptions(quiet=True))
    assert (tmp_path / "run" / "model.safetensors").is_file()
    assert len(list((tmp_path / "home" / "features").rglob("*.safetensors"))) == 6 + 1  # all clips are below a second


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model__captioner": "acoustic"}, "set model.prompt to 2"),
        ({"data__beside": {"both": 1}}, "set model.prompt to 2"),
        ({"model__prompt": 2, "data__beside": {"both": 0}}, "at least one share above 0"),
    ],
)
def test_what_cannot_stand_beside_the_audio_is_said(
    make_run: Callable[..., Path], changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make_run(**changes)
