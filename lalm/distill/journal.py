"""Append-only, durable journal of replies, from which an interrupted distillation resumes."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from lalm.distill.filters import BackboneReply
from services.errors import BadConfig
from services.files import sync_to_disk
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
        self._head = fingerprint + "\n"
        try:
            self._file = path.open("a+", encoding="utf-8")
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
        head, *lines = re.findall(r"[^\n]*\n|[^\n]+", self._read()) or [""]  # a reply may hold U+2028
        if head.endswith("\n") and head != self._head:
            raise self._make_other_run_error(f"{head.strip()} instead of {self._head.strip()}")
        whole = [line for line in lines if line.endswith("\n")]
        whole = whole[: len(whole) // batch * batch] if len(whole) < len(asked) else whole[: len(asked)]
        entries = [self._parse_entry(line) for line in whole]
        for number, (entry, prompt) in enumerate(zip(entries, asked, strict=False), start=1):
            if entry.asked != prompt:
                raise self._make_other_run_error(f"prompt {number} was another")
        if len(whole) < len(lines) or not head.endswith("\n"):
            self._file.truncate(0)
            self._append_durably(self._head + "".join(whole))
        return [entry.reply for entry in entries]

    def append(self, asked: Sequence[str], replies: Sequence[BackboneReply]) -> None:
        """Append the replies of a batch, and sync them to disk."""
        entries = [JournalEntry(asked=prompt, reply=reply) for prompt, reply in zip(asked, replies, strict=True)]
        self._append_durably("".join(entry.model_dump_json() + "\n" for entry in entries))

    def _read(self) -> str:
        self._file.seek(0)
        try:
            return self._file.read()
        except UnicodeDecodeError as error:
            raise self._make_other_run_error("bytes that are not UTF-8") from error

    def _parse_entry(self, line: str) -> JournalEntry:
        try:
            return JournalEntry.model_validate_json(line)
        except ValidationError as error:
            raise self._make_other_run_error("a line that is not a reply") from error

    def _make_other_run_error(self, what: str) -> BadConfig:
        return BadConfig(
            f"'{self._path}' holds replies of another run: {what}. Name another output, or delete that file."
        )

    def _append_durably(self, text: str) -> None:
        self._file.write(text)
        sync_to_disk(self._file)
