"""Streamed rows: every row comes once an epoch, in an order by the seed, and trains as rows in memory do."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lalm.messages import Conversation, MessageAudio
from lalm.prompting import AUDIO
from lalm.train import cli, run_files
from lalm.train.config import DataConfig, TrainConfig
from lalm.train.streaming import RowStream
from lalm.train.trainer import Trainer
from services.errors import BadConfig
from services.yaml_file import read_config

MakeRun = Callable[..., Path]
NOTHING: frozenset[str] = frozenset()


def make_row(number: int, *, style: str = "", recording: str = "") -> str:
    """Return a row about the clip of its number."""
    turn = {"role": "user", "content": f"{AUDIO} Größe {number}?", "audios": [{"audio": f"{number}.wav"}]}
    more = {"style": style, "recordings": [recording] if recording else []}
    return json.dumps({"messages": [turn], "response": f"{number}.", **more}, ensure_ascii=False)


def write_rows(path: Path, numbers: range, encoding: str = "utf-8") -> None:
    """Write rows, with blank lines among them."""
    rows = (make_row(number, style="odd" if number % 2 else "even") for number in numbers)
    path.write_bytes("\n\n".join(rows).encode(encoding))


def open_stream(folder: Path, buffer: int, held: frozenset[str] = NOTHING, **data: object) -> RowStream:
    content = {"files": ["a.jsonl", {"file": "b.jsonl", "weight": 0.5}], "audio_root": ".", "validation": 0}
    config = DataConfig.model_validate({**content, **data})
    return RowStream(config, buffer, folder, seed=3, held=held)


def list_numbers(stream: RowStream, epoch: int) -> list[list[int]]:
    """List the rows of each buffer."""
    return [[int(one.row.response.rstrip(".")) for one in stream.read(buffer)] for buffer in stream.list_buffers(epoch)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("buffer", [1, 7, 40, 64, 10_000])
def test_an_epoch_reads_every_row_once_a_buffer_at_a_time(tmp_path: Path, encoding: str, buffer: int) -> None:
    write_rows(tmp_path / "a.jsonl", range(100), encoding)
    write_rows(tmp_path / "b.jsonl", range(100, 130))
    stream = open_stream(tmp_path, buffer)
    assert (stream.num_rows, stream.num_drawn) == (130, 115)
    epochs = [list_numbers(stream, epoch) for epoch in range(2)]
    for buffers in epochs:
        assert max(map(len, buffers)) <= buffer
        assert sorted(number for one in buffers for number in one) == list(range(130))
        assert all(one == sorted(one) for one in buffers)  # as they stand in the files
    assert list_numbers(open_stream(tmp_path, buffer), 0) == epochs[0]
    assert (epochs[0] != epochs[1]) == (buffer < 130)


def test_a_buffer_mixes_rows_of_all_files_and_from_all_over_them(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", range(2_000))
    write_rows(tmp_path / "b.jsonl", range(2_000, 3_000))
    buffers = list_numbers(open_stream(tmp_path, 320), 0)
    assert len(buffers) <= 11
    for one in buffers[:-1]:
        assert len(one) >= 280
        assert len({number // 500 for number in one}) >= 4  # of six parts
    weights = {row.weight for row in open_stream(tmp_path, 320).read(open_stream(tmp_path, 320).list_buffers(0)[0])}
    assert weights == {1.0, 0.5}


def test_rows_of_other_styles_are_passed_over(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", range(50))
    write_rows(tmp_path / "b.jsonl", range(50, 60))
    stream = open_stream(tmp_path, 8, styles=["odd"])
    found = Counter(number for one in list_numbers(stream, 0) for number in one)
    assert found == Counter(range(1, 60, 2))
    assert stream.num_rows == 30


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "a.jsonl:31 is not a conversation: row: Invalid JSON"),
        ('{"messages": []}', "a.jsonl:31 is not a conversation: response: Field required"),
        (make_row(200, recording="x"), "a.jsonl:31 is about 'x', which data.validation_files has too: leave it out"),
        (make_row(7_000), "a.jsonl:31 is about '7000.wav', which data.validation_files has too"),
    ],
)
def test_each_row_is_checked_before_the_first_step(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "a.jsonl").write_text("".join(make_row(number) + "\n" for number in range(30)) + line)
    (tmp_path / "b.jsonl").write_text("")
    with pytest.raises(BadConfig, match=reason):
        open_stream(tmp_path, 5, frozenset({"x", "7000.wav"}))


def test_a_line_in_latin_1_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(f"{make_row(1)}\n{make_row(2)}\n".encode() + make_row(3).encode("latin-1"))
    with pytest.raises(BadConfig, match=r"a\.jsonl', line 3 is not UTF-8"):
        open_stream(tmp_path, 2)
    (tmp_path / "a.jsonl").write_text(make_row(1))
    with pytest.raises(BadConfig, match=r"b\.jsonl' cannot be read"):
        open_stream(tmp_path, 2)


def test_clips_to_hold_back_have_to_be_named() -> None:
    with pytest.raises(ValueError, match="name validation_files, or set validation to 0"):
        DataConfig.model_validate({"files": ["a.jsonl"], "audio_root": ".", "buffer": 5})
    assert Conversation.model_validate_json(make_row(1)).audios == (MessageAudio(audio="1.wav"),)


def read_losses(folder: Path) -> list[tuple[float, ...]]:
    lines = [json.loads(line) for line in (folder / run_files.METRICS).read_text().splitlines()]
    return [(line["number"], line.get("loss"), line.get("validation_loss"), line.get("num_rows")) for line in lines]


def hold_back(config: Path) -> None:
    """Move the rows about the last clip to a file of their own."""
    rows = (config.parent / "train.jsonl").read_text().splitlines()
    (config.parent / "train.jsonl").write_text("\n".join(rows[:-2]))
    (config.parent / "held.jsonl").write_text("\n".join(rows[-2:]))


HELD = {"data__validation_files": ["held.jsonl"], "optimizer": {"num_steps": 9, "warmup_steps": 1}}


@pytest.mark.slow
def test_with_a_buffer_as_large_as_the_file_the_loss_is_that_of_rows_in_memory(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = {"nothing": 1, "both": 1, "other": 1}
    more = {
        **HELD,
        "data__beside": beside,
        "model__prompt": 2,
        "contrast": None,
        "alignment": {"num_steps": 2, "clips": 2},
    }
    config = make_run(**more)
    hold_back(config)
    assert cli.main([str(config), str(tmp_path / "memory")]) == 0
    for buffer in (10, 1_000):
        hold_back(make_run(**more, data__buffer=buffer))
        assert cli.main([str(config), str(tmp_path / f"stream{buffer}")]) == 0
        assert "Rows       10 in memory of 10 to train on about 5 clips, 2 held back" in capsys.readouterr().out
        assert read_losses(tmp_path / f"stream{buffer}") == read_losses(tmp_path / "memory")
    one, other = (load_file(tmp_path / each / run_files.WEIGHTS) for each in ("memory", "stream10"))
    assert all(value.equal(other[name]) for name, value in one.items())


class Killed(BaseException):
    """What a test stops a run with."""


@pytest.mark.slow
@pytest.mark.parametrize("last", [1, 5, 8])
def test_a_stream_that_was_interrupted_goes_on_at_the_very_row(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    config = make_run(**HELD, data__buffer=3, save_every=1)
    hold_back(config)
    assert cli.main([str(config), str(tmp_path / "whole")]) == 0
    step, read = Trainer.step, RowStream.read

    def killed(self: Trainer, number: int, packs: object) -> object:
        if number == last:
            raise Killed
        return step(self, number, packs)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "step", killed)
        with pytest.raises(Killed):
            cli.main([str(config), str(tmp_path / "parts")])
    buffers: list[object] = []
    with monkeypatch.context() as patched:
        patched.setattr(RowStream, "read", lambda self, buffer: buffers.append(buffer) or read(self, buffer))
        assert cli.main([str(config), str(tmp_path / "parts")]) == 0
    assert read_losses(tmp_path / "parts") == read_losses(tmp_path / "whole")
    num_read = len(buffers)
    buffers.clear()
    with monkeypatch.context() as patched:
        patched.setattr(RowStream, "read", lambda self, buffer: buffers.append(buffer) or read(self, buffer))
        assert cli.main([str(config), str(tmp_path / "again")]) == 0
    assert num_read < len(buffers) or last == 1


@pytest.mark.slow
def test_rows_that_a_later_buffer_drops_are_counted(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_run(data__buffer=4, data__validation=0, optimizer={"num_steps": 9, "warmup_steps": 1})
    rows = (tmp_path / "train.jsonl").read_text().splitlines()
    stream = RowStream(read_config(config, TrainConfig).data, 4, tmp_path, seed=42, held=NOTHING)
    last = [one.place.number - 1 for one in stream.list_buffers(0)[-1]]
    for number in last[1:]:
        rows[number] = rows[number].replace("A dog.", "A long dog. " * 40).replace("A bell", "A long bell " * 40)
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    assert cli.main([str(config), str(tmp_path / "run")]) == 0
    assert f"buffer 3 of 3; dropped: too long {len(last) - 1} (data.max_length=96" in capsys.readouterr().out
