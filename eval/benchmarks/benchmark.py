"""What a benchmark is: items with one right option each, and the folder of their clips."""

from pathlib import Path

from services.errors import BadConfig
from services.types import Question, Value


class Item(Value):
    """One multiple-choice question, as published: duplicated and empty options stay."""

    id: str
    audio: str
    """Path of the clip, relative to the benchmark's `audio_root`."""
    question: str
    choices: tuple[str, ...]
    answer: str
    """Text of the right option."""
    task: str
    category: str = ""
    sub_category: str = ""
    difficulty: str = ""

    def to_question(self) -> Question:
        """Return what the model is asked; it never holds the answer."""
        return Question.ask(self.question, self.choices, id=self.id)


class Benchmark(Value):
    """A named set of items, and the file that they were read from."""

    name: str
    file: Path
    sha256: str
    """Hex digest of the file: two versions of a benchmark are never mixed in one run."""
    audio_root: Path
    items: tuple[Item, ...]

    def first(self, limit: int | None) -> "Benchmark":
        """Return the benchmark with its first `limit` items only; None keeps all."""
        return self if limit is None else self.model_copy(update={"items": self.items[:limit]})

    def clip_path(self, item: Item) -> Path:
        """Return where the item's clip lies."""
        return self.audio_root / item.audio

    def require_audio(self) -> None:
        """Check that every clip is there; raise `BadConfig` that counts the missing ones."""
        missing = [item for item in self.items if not self.clip_path(item).is_file()]
        if missing:
            raise BadConfig(
                f"{self.name}: {len(missing)} of {len(self.items)} items lack their audio, the first at "
                f"{self.clip_path(missing[0])}. Name the folder that holds it with --audio-root."
            )
