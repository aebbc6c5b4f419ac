"""Training of a reader on a tiny random model: it learns, resumes exactly, and what it saves can be merged."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from lalm.reader.model import ReaderModel
from lalm.reader.prompts import draw_batches, encode_rows
from lalm.reader.recipe import main
from lalm.reader.rows import read_reader_rows
from lalm.train.trainer import compute_learning_rate
from services.weights.lora_merge import merge_lora

Backbones = Callable[[str], Path]


def write_rows(path: Path, *, num_rows: int, first: int) -> None:
    """Write rows whose evidence names the right option, in random places."""
    rng = random.Random(first)
    lines = []
    for number in range(first, first + num_rows):
        options = rng.sample(["a dog", "a bell"], 2)
        right = rng.randrange(2)
        content = f"{options[right]}\n\nwhat is heard?\nA. {options[0]}\nB. {options[1]}\nanswer"
        row = {"messages": [{"role": "user", "content": content}], "letters": ["A", "B"], "id": f"clip-{number}"}
        lines.append(json.dumps({**row, "target": {"AB"[right]: 1.0}}) + "\n")
    path.write_text("".join(lines))


@pytest.fixture
def config(tmp_path: Path, backbones: Backbones) -> dict[str, object]:
    write_rows(tmp_path / "train.jsonl", num_rows=24, first=0)
    write_rows(tmp_path / "held.jsonl", num_rows=8, first=100)
    return {
        "name": "test",
        "backbone": str(backbones("qwen2")),
        "files": ["train.jsonl"],
        "validation_files": ["held.jsonl"],
        "lora": {"rank": 4, "alpha": 8, "first_layer": 1},
        "dtype": "float32",
        "learning_rate": 0.02,
        "warmup_steps": 1,
        "num_steps": 8,
        "rows_per_step": 4,
        "save_every": 3,
    }


def train(tmp_path: Path, config: dict[str, object], run: str) -> Path:
    (tmp_path / "reader.yaml").write_text(json.dumps(config))
    assert main([str(tmp_path / "reader.yaml"), str(tmp_path / run), "--quiet"]) == 0
    return tmp_path / run


def read_losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_it_learns_and_says_how_well(tmp_path: Path, config: dict[str, object]) -> None:
    run = train(tmp_path, config, "run")
    losses = read_losses(run)
    assert len(losses) == 8
    assert sum(losses[-3:]) < sum(losses[:3])
    quality = json.loads((run / "quality.json").read_text())
    assert quality["num_rows"] == 8
    assert 0 <= quality["accuracy"] <= 1


@pytest.mark.slow
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    tmp_path: Path, config: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(tmp_path, config, "whole")

    def stop_at_the_fifth_step(peak: float, step: int, *rest: int) -> float:
        if step == 5:
            raise KeyboardInterrupt
        return compute_learning_rate(peak, step, *rest)

    with monkeypatch.context() as patched:
        patched.setattr("lalm.reader.trainer.compute_learning_rate", stop_at_the_fifth_step)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, config, "halved")
    halved = train(tmp_path, config, "halved")
    one, other = (load_file(run / "adapter_model.safetensors") for run in (whole, halved))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert read_losses(halved) == read_losses(whole)


@pytest.mark.slow
def test_merged_adapters_score_as_adapters_do(tmp_path: Path, config: dict[str, object]) -> None:
    run = train(tmp_path, config, "run")
    base = str(config["backbone"])
    rows = list(read_reader_rows(tmp_path / "held.jsonl"))
    examples = encode_rows(rows, AutoTokenizer.from_pretrained(base), max_length=512).examples
    plain, adapted, merged = (AutoModelForCausalLM.from_pretrained(base) for _ in range(3))
    adapted.load_adapter(str(run))
    merge_lora(merged, run)
    with torch.no_grad():
        before, scored, same = (ReaderModel(model.eval())(examples) for model in (plain, adapted, merged))
    assert torch.allclose(scored, same, atol=1e-3)
    assert not torch.allclose(before, same, atol=1e-2)


@pytest.mark.slow
def test_layers_before_the_first_get_no_adapters(tmp_path: Path, config: dict[str, object]) -> None:
    names = load_file(train(tmp_path, config, "run") / "adapter_model.safetensors")
    assert len(names) == 2 * 7
    assert all(".layers.1." in name for name in names)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"validation_files": ["train.jsonl"]}, "validation_files has 24 clips or recordings that files has too"),
        ({"lora": {"first_layer": 2}}, "lora.first_layer=2: the backbone has the layers 0 to 1"),
        ({"max_length": 3}, "No row of 'files' can be trained on: max_length=3, too long 24 (they take "),
        ({"warmup_steps": 9}, "warmup_steps=9 is more than num_steps=8, so the learning rate would never reach"),
        ({"learning_rate": 1e30}, "is not a number. Lower learning_rate"),
        ({"backbone": "nowhere"}, "'nowhere' holds no"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    tmp_path: Path,
    config: dict[str, object],
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    told: str,
) -> None:
    (tmp_path / "reader.yaml").write_text(json.dumps(config | changes))
    assert main([str(tmp_path / "reader.yaml"), str(tmp_path / "run"), "--quiet"]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_of_another_run_is_refused(
    tmp_path: Path, config: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, config | {"num_steps": 1}, "run")
    (tmp_path / "reader.yaml").write_text(json.dumps(config))
    assert main([str(tmp_path / "reader.yaml"), str(tmp_path / "run"), "--quiet"]) == 2
    assert "another configuration: num_steps was 1 and is now 8." in capsys.readouterr().err


@pytest.mark.slow
def test_rows_that_are_too_long_are_counted_on_both_sides(
    tmp_path: Path, config: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    longer = {"messages": [{"role": "user", "content": "bell " * 200}], "letters": ["A", "B"], "target": {"A": 1}}
    for name, more in (("train.jsonl", 3), ("held.jsonl", 1)):
        with (tmp_path / name).open("a") as file:
            file.writelines(json.dumps({**longer, "id": f"{name} {number}"}) + "\n" for number in range(more))
    train(tmp_path, config | {"num_steps": 1, "max_length": 150}, "run")
    told = capsys.readouterr().out
    assert "Rows       24 to train on, 8 held back; dropped by max_length=150: too long 3 (they take " in told
    assert " tokens) of the rows to train on and too long 1 (they take " in told


def test_a_run_that_an_earlier_version_wrote_with_its_keys_in_another_order_is_gone_on_with(
    tmp_path: Path, config: dict[str, object]
) -> None:
    run = train(tmp_path, config | {"num_steps": 1}, "run")
    recorded = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(recorded, sort_keys=True))
    train(tmp_path, config | {"num_steps": 1}, "run")


def test_every_row_is_drawn_once_an_epoch_in_batches_of_similar_length(tmp_path: Path, backbones: Backbones) -> None:
    write_rows(tmp_path / "rows.jsonl", num_rows=20, first=0)
    rows = read_reader_rows(tmp_path / "rows.jsonl")
    dataset = encode_rows(rows, AutoTokenizer.from_pretrained(backbones("qwen2")), max_length=512)
    batches = draw_batches(dataset.examples, 4, 0)
    epochs = [[one for _ in range(5) for one in next(batches)] for _ in range(2)]
    assert all({one.row.id for one in epoch} == {f"clip-{n}" for n in range(20)} for epoch in epochs)
    assert epochs[0] != epochs[1]
