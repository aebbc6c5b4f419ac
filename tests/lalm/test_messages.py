"""DeSTA's message format."""

import json
from pathlib import Path

import pytest

from lalm.messages import ChatTurn, Conversation, MessageAudio, read_conversations
from services.errors import BadConfig

DESTA = (
    '{"id": "a.wav", "messages": [{"role": "system", "content": "Listen."}, {"role": "user", "content": '
    '"<start_audio><|AUDIO|><end_audio>\\n\\nWho barks?", "audios": [{"audio": "a.wav", "text": " "}]}], '
    '"response": "A dog.", "some_column": 3}\n'
)


def test_a_row_of_destas_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(DESTA)
    (row,) = read_conversations(tmp_path / "rows.jsonl")
    assert row.audio_paths == ("a.wav",)
    assert [turn.role for turn in row.turns] == ["system", "user"]
    assert (row.response, row.source) == ("A dog.", "distilled")


def test_what_is_written_is_read_again_the_same_and_has_destas_keys(tmp_path: Path) -> None:
    turn = ChatTurn(
        role="user", content="<start_audio><|AUDIO|><end_audio> Wer spricht?", audios=(MessageAudio(path="ä.ogg"),)
    )
    row = Conversation(messages=(turn,), response="Eine Frau – глас", source="metadata", seed=3)
    (tmp_path / "rows.jsonl").write_text(row.to_line(), encoding="utf-8")
    assert list(read_conversations(tmp_path / "rows.jsonl")) == [row]
    assert json.loads(row.to_line())["messages"][0]["audios"] == [{"audio": "ä.ogg", "text": " "}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{}", "messages: Field required"),
        ("no json", "Invalid JSON"),
        (DESTA.replace("<|AUDIO|>", ""), "0 <|AUDIO|> in the messages, but 1 audios"),
    ],
)
def test_a_line_that_is_not_a_conversation_is_named(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "rows.jsonl").write_text(DESTA + line)
    with pytest.raises(BadConfig) as caught:
        list(read_conversations(tmp_path / "rows.jsonl"))
    assert "rows.jsonl:2 is not a conversation" in str(caught.value)
    assert reason in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"none\.jsonl' cannot be read \(No such file or directory\)"):
        list(read_conversations(tmp_path / "none.jsonl"))


def test_rows_that_are_not_written_yet_name_the_recipe_beside_them(tmp_path: Path) -> None:
    (tmp_path / "distill.yaml").write_text("metadata: metadata.jsonl\noutput: rows.jsonl\n")
    with pytest.raises(BadConfig, match=r"`python -m lalm\.distill .*/distill\.yaml` writes one"):
        list(read_conversations(tmp_path / "rows.jsonl"))
    with pytest.raises(BadConfig, match=r"`python -m lalm\.distill CONFIG` writes one"):
        list(read_conversations(tmp_path / "others.jsonl"))
