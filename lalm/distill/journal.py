"""Append-only, durable journal of replies, from which an interrupted distillation resumes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from lalm.distill.filtering.filters import BackboneReply
from services.errors import BadConfig
from services.files import sync_to_disk
from services.journal import cut_torn_line
from services.types import Message, Value


class JournalEntry(Value):
    """One line of a journal: the reply to a prompt."""

    asked: str
    """Hash of the prompt."""
    reply: BackboneReply


def hash_prompt(messages: Sequence[Message]) -> str:
    """Hash a prompt: the first 16 hex digits of SHA-256."""
    text = "\n".join(message.model_dump_json() for message in messages)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Journal:
    """JSON lines file: a fingerprint of the run, then one line a reply, in the order of the prompts.

    Args:
        path: of the file; that of another run is refused.
        fingerprint: one line with everything that the replies depend on besides the prompts.

    Raises:
        BadConfig: the file cannot be opened.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._head = f"{fingerprint}\n".encode()
        try:
            cut_torn_line(path)
            self._file = path.open("a+b")
        except OSError as error:
            raise BadConfig(f"'{path}' cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read_replies(self, asked: Sequence[str], *, batch: int) -> list[BackboneReply]:
        """Return the replies of an earlier run, in whole batches; an incomplete last batch is removed from the file.

        Args:
            asked: hashes of all prompts.
            batch: replies per write.

        Raises:
            BadConfig: the file belongs to another run.
        """
        self._file.seek(0)
        head, *lines = list(self._file) or [b""]
        if head and head != self._head:
            raise self._make_other_run_error(f"{_show_line(head)} instead of {_show_line(self._head)}")
        whole = lines[: len(lines) // batch * batch] if len(lines) < len(asked) else lines[: len(asked)]
        entries = [self._parse_entry(line) for line in whole]
        for number, (entry, prompt) in enumerate(zip(entries, asked, strict=False), start=1):
            if entry.asked != prompt:
                raise self._make_other_run_error(f"prompt {number} was another")
        if len(whole) < len(lines) or not head:
            self._file.truncate(0)
            self._append_durably(self._head + b"".join(whole))
        return [entry.reply for entry in entries]

    def append(self, asked: Sequence[str], replies: Sequence[BackboneReply]) -> None:
        """Append the replies of a batch, and sync them to disk."""
        entries = [JournalEntry(asked=prompt, reply=reply) for prompt, reply in zip(asked, replies, strict=True)]
        self._append_durably(b"".join(entry.model_dump_json().encode() + b"\n" for entry in entries))

    def _parse_entry(self, line: bytes) -> JournalEntry:
        try:
            return JournalEntry.model_validate_json(line)
        except ValidationError as error:
            raise self._make_other_run_error("a line that is not a reply") from error

    def _make_other_run_error(self, what: str) -> BadConfig:
        return BadConfig(
            f"'{self._path}' holds replies of another run: {what}. Name another output, or delete that file."
        )

    def _append_durably(self, lines: bytes) -> None:
        self._file.write(lines)
        sync_to_disk(self._file)


def _show_line(line: bytes) -> str:
    return line.decode(errors="replace").strip()
