"""Clips that are tones of a few pitches, rows that name them, and a trained run."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from lalm.train import cli
from services.types import SAMPLE_RATE

PITCHES = {"bell": 300.0, "dog": 900.0, "rain": 2700.0}


@pytest.fixture
def write_tones(tmp_path: Path) -> Callable[..., Path]:
    """Return how rows about tones are written, each with a question that has options."""

    def written(name: str, num_each: int, *, seed: int, **changes: object) -> Path:
        rng = np.random.default_rng(seed)
        (tmp_path / name).mkdir()
        lines = []
        for number in range(num_each):
            for label, pitch in PITCHES.items():
                path, times = f"{label}{number}.wav", np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
                tone = 0.2 * np.sin(2 * np.pi * pitch * rng.uniform(0.95, 1.05) * times) + rng.normal(
                    0, 0.01, len(times)
                )
                soundfile.write(tmp_path / name / path, tone, SAMPLE_RATE)
                content = "<start_audio><|AUDIO|><end_audio>\n\nWhat is heard?"
                turn = {"role": "user", "content": content, "audios": [{"audio": path, "text": " "}]}
                row = {"messages": [turn], "response": label, "labels": [label.capitalize()], "id": f"{name}{path}"}
                row |= {"question": "What is heard?", "choices": [*PITCHES], "recordings": [f"{name} {path}"]}
                lines.append(json.dumps(row | changes))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
        return tmp_path / f"{name}.jsonl"

    return written


@pytest.fixture
def write_config(tmp_path: Path, encoder_folder: Path) -> Callable[..., Path]:
    """Return how the configuration of a head is written that hears with the random Whisper encoder."""

    def written(**changes: object) -> Path:
        content: dict[str, object] = {
            "head": {"encoders": [{"source": str(encoder_folder), "layers": [1, 2]}], "num_factors": 6, "width": 16},
            "rows": [{"file": "train.jsonl", "audio_root": "train"}],
            "held_back": [{"file": "held.jsonl", "audio_root": "held"}],
            "contrast": {"num_steps": 80, "clips": 12, "learning_rate": 0.01, "warmup_steps": 2},
        }
        (tmp_path / "naming.yaml").write_text(yaml.safe_dump(content | changes))
        return tmp_path / "naming.yaml"

    return written


@pytest.fixture
def run_folder(make_run: Callable[..., Path], tmp_path: Path) -> Path:
    """Return the folder of a LALM that was trained for four steps."""
    assert cli.main([str(make_run(model__asr=None)), str(tmp_path / "run"), "--quiet"]) == 0
    return tmp_path / "run"
