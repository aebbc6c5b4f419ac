"""Rows that are conversations, in the forms that models are fine-tuned on, read from a file as questions."""

import json
from pathlib import Path

import pytest

from eval import benchmarks
from services.errors import BadConfig

INLINE = "What is heard? (a) a dog (b) a cat"
SHAREGPT = {
    "id": "1",
    "sound": "a.wav",
    "conversations": [{"from": "human", "value": f"<sound>\n{INLINE}"}, {"from": "gpt", "value": "(b) a cat"}],
}
QWEN_AUDIO = {
    "id": "1",
    "conversations": [
        {"from": "user", "value": f"Audio 1: <audio>a.wav</audio>\n{INLINE}"},
        {"from": "assistant", "value": "a cat"},
    ],
}
MESSAGES = {
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {
            "role": "user",
            "content": [{"type": "audio", "audio_url": "a.wav"}, {"type": "text", "text": INLINE}],
        },
        {"role": "assistant", "content": "<think>It meows.</think><answer>b</answer>"},
    ]
}
TURNS = [{"role": "user", "content": f"<audio>{INLINE}"}, {"role": "assistant", "content": "b"}]
SWIFT = {
    "messages": TURNS,
    "audios": ["a.wav"],
}
LTU = {"instruction": INLINE, "input": "", "output": "a cat", "audio_id": "a.wav", "dataset": "esc"}


def write(folder: Path, *rows: object) -> str:
    file = folder / "bench.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("row", [SHAREGPT, QWEN_AUDIO, MESSAGES, SWIFT, LTU])
def test_a_conversation_is_read_as_what_it_asks_about_its_recording(row: object, tmp_path: Path) -> None:
    (item,) = benchmarks.find(write(tmp_path, row)).items
    assert (item.question, item.choices, item.answer) == ("What is heard?", ("a dog", "a cat"), "a cat")
    assert item.audio == ("a.wav",)


def test_a_place_inside_a_line_is_called_by_its_number(tmp_path: Path) -> None:
    asked = "Is <audio> louder than <audio>? (a) yes (b) no"
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": "a"}]
    (item,) = benchmarks.find(write(tmp_path, {"messages": turns, "audios": ["a.wav", "b.wav"]})).items
    assert item.question == "Is recording 1 louder than recording 2?"
    assert item.audio == ("a.wav", "b.wav")


def test_an_input_follows_its_instruction(tmp_path: Path) -> None:
    row = LTU | {"instruction": "Choose.", "input": INLINE}
    (item,) = benchmarks.find(write(tmp_path, row)).items
    assert item.question == "Choose.\nWhat is heard?"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            {"audios": ["a.wav"], "messages": TURNS * 2},
            "row 1, field 'messages': holds 2 questions and 2 answers",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklG"}}]}]},
            "row 1, field 'messages': holds the recording itself",
        ),
    ],
)
def test_what_cannot_be_read_in_one_way_is_one_line(row: object, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=problem) as raised:
        benchmarks.find(write(tmp_path, row))
    assert "\n" not in str(raised.value)
