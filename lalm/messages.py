"""Conversations about clips as JSON lines, in DeSTA's message format: read from its files, and readable by its code.

A line is `{"messages": [{"role", "content", "audios": [{"audio", "text"}]}], "response"}`, with as many `<|AUDIO|>` in
the contents as there are audios. Our own lines add where a row comes from; other people's further columns are ignored.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lalm.prompting import AUDIO
from services.errors import BadConfig, worded
from services.types import Message, Sampling

NO_WORDS = " "  # the transcript of a clip in which nobody speaks, as DeSTA writes it


class MessageAudio(BaseModel):
    """A clip of a message."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    path: str = Field(validation_alias=AliasChoices("path", "audio"), serialization_alias="audio")
    """Relative to the folder that the trainer is given."""
    text: str = NO_WORDS
    """Transcript; a single space where nobody speaks."""


class ChatTurn(BaseModel):
    """One message, with the clips that its `<|AUDIO|>` stand for, in order."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["system", "user", "assistant"]
    content: str
    audios: tuple[MessageAudio, ...] = ()


class Conversation(BaseModel):
    """One line: what is asked about which clips, what is to be replied, and where that comes from."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    messages: tuple[ChatTurn, ...]
    response: str
    id: str = ""
    dataset: str = ""
    recordings: tuple[str, ...] = ()
    """What the clips were cut or mixed from, where that is known."""
    source: Literal["distilled", "metadata"] = "distilled"
    """distilled: the backbone replied; metadata: the reply follows from the metadata alone."""
    seed_description: str = ""
    """What the backbone read in place of the clip."""
    prompt: str = ""
    prompt_id: str = ""
    style: str = ""
    backbone: str = ""
    backbone_revision: str = ""
    sampling: Sampling | None = None
    seed: int | None = None

    @model_validator(mode="after")
    def _one_clip_for_each_place(self) -> Self:
        num_places = sum(turn.content.count(AUDIO) for turn in self.messages)
        if num_places != len(self.audio_paths):
            raise ValueError(f"{num_places} {AUDIO} in the messages, but {len(self.audio_paths)} audios")
        return self

    @property
    def turns(self) -> tuple[Message, ...]:
        """The messages as text, `<|AUDIO|>` where a clip is heard."""
        return tuple(Message(role=turn.role, content=turn.content) for turn in self.messages)

    @property
    def audios(self) -> tuple[MessageAudio, ...]:
        """The clips of all messages, in order."""
        return tuple(audio for turn in self.messages for audio in turn.audios)

    @property
    def audio_paths(self) -> tuple[str, ...]:
        """Their paths."""
        return tuple(audio.path for audio in self.audios)

    def to_line(self) -> str:
        """Return the JSON line; columns that say nothing are left out."""
        given = self.model_dump(mode="json", exclude_defaults=True)
        messages = [
            turn.model_dump(by_alias=True, exclude=set() if turn.audios else {"audios"}) for turn in self.messages
        ]
        return json.dumps({**given, "messages": messages, "source": self.source}, ensure_ascii=False) + "\n"


def read_conversations(path: Path) -> Iterator[Conversation]:
    """Yield the conversations of a file; `BadConfig` names the line that is none."""
    try:
        lines = path.open(encoding="utf-8")
    except OSError as error:
        raise BadConfig(
            f"'{path}' cannot be read ({error.strerror}); `python -m lalm.distill CONFIG` writes one."
        ) from error
    with lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _parse_line(line, f"{path}:{number}")


def _parse_line(line: str, place: str) -> Conversation:
    try:
        return Conversation.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "row"
        raise BadConfig(
            f"{place} is no conversation: {field}: {worded(first)}. "
            'It needs {"messages": [{"role", "content", "audios": [{"audio", "text"}]}], "response"}.'
        ) from error
