"""Prompt pool for self-distillation (versioned), and the system prompt of the backbone."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from lalm.distill.facts import capitalise
from lalm.distill.metadata import Metadata
from lalm.distill.targets import QUESTIONS, TargetWriter, collect_facts
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


def fill_prompt(prompt: PoolPrompt, row: Metadata, writer: TargetWriter, rng: random.Random) -> str:
    """Fill a prompt with a question that the metadata of the clip can answer."""
    if "{question}" not in prompt.text:
        return prompt.text
    if prompt.style == "multiple_choice":
        return prompt.text.replace("{question}", rng.choice(writer.write_choice_questions(row, rng)))
    fact = rng.choice([fact for fact in collect_facts(row, rng) if fact.is_open and fact.kind != "describe"])
    question = rng.choice(QUESTIONS[fact.kind]).format(about=fact.about)
    return prompt.text.replace("{question}", capitalise(question)[0])
