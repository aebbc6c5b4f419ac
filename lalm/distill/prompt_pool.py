"""Prompt pool for self-distillation (versioned), and the system prompt of the backbone."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from lalm.distill.filtering.truth import AskedQuestion
from lalm.distill.metadata import Metadata
from lalm.distill.targets import TargetWriter
from services.types import Value

Style: TypeAlias = Literal["describe", "classify", "open_qa", "multiple_choice", "instruction"]

SYSTEM = (
    "You hear the audio clips between <start_audio> and <end_audio>. "
    "Answer directly, as somebody who listened to them; never mention how you know."
)
REPHRASE = (
    "Write your answer again as if you had only listened to the audio: keep what it says, "
    "and mention no text, description or thought. Give nothing but the answer."
)


class PoolPrompt(Value):
    """One prompt of the pool; `{question}` is replaced with a question about the clip."""

    id: str
    style: Style
    text: str
    replies_in_english: bool = True


class PromptPool(Value):
    """All prompts of one version of the pool."""

    version: str
    prompts: tuple[PoolPrompt, ...]

    def draw(self, shares: Mapping[Style, float], rng: random.Random) -> PoolPrompt:
        """Sample a style by its share, then one of its prompts uniformly."""
        styles = sorted(shares)
        style = rng.choices(styles, [shares[one] for one in styles])[0]
        return rng.choice([prompt for prompt in self.prompts if prompt.style == style])


def load_pool() -> PromptPool:
    """Load the prompt pool of this version."""
    return PromptPool.model_validate_json(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


class FilledPrompt(NamedTuple):
    """A prompt of the pool with its question, if it has one."""

    text: str
    asked: AskedQuestion | None = None


def fill_prompt(prompt: PoolPrompt, row: Metadata, writer: TargetWriter, rng: random.Random) -> FilledPrompt:
    """Fill a prompt with a question that the metadata of the clip can answer."""
    if "{question}" not in prompt.text:
        return FilledPrompt(prompt.text)
    write = writer.write_choice_questions if prompt.style == "multiple_choice" else writer.write_open_questions
    asked = rng.choice(write(row, rng))
    return FilledPrompt(prompt.text.replace("{question}", asked.text), asked)
