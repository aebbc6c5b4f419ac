"""A small LLM as 8-bit integers in CTranslate2: the embedded readers, fast on a CPU and light in memory.

What it is, and by what its readings may change, is known at once; the model is opened for the first prompt.
"""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from services.digest import hash_modules
from services.lazy import Lazy
from services.llms.autotune import USUAL, ComputeType
from services.llms.batching import Batch, Batcher, Prompt, open_lanes
from services.settings import read_settings
from services.types import Choice, Message, Reading, ReadingStyle, Sampling

if TYPE_CHECKING:
    from services.llms.reader_worker import Reader

MAX_BATCH = 16
CODE = ("services.llms.generator", "services.llms.prefixes", "services.llms.quantised", "services.llms.sampling")
RUNTIME = ("ctranslate2", "tokenizers", "jinja2")


class QuantisedLLM:
    """A causal LM in CTranslate2 format, with its tokenizer.json and its chat_template.jinja.

    Args:
        folder: what `services.weights.conversion` made of a GGUF file.
        name: the catalogue name.
        revision: identifies the weights.
        style: how it reads best.
        sampling: how replies are sampled.
        compute_type: the arithmetic; any but the usual one is part of the revision, as its readings differ a little.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str,
        style: ReadingStyle,
        sampling: Sampling | None = None,
        compute_type: ComputeType = USUAL,
    ) -> None:
        self.name, self.style = name, style
        self.revision = revision if compute_type == USUAL else f"{revision}-{compute_type}"
        drawn = sampling or Sampling()
        runtime = (f"{name} {version(name)}" for name in RUNTIME)
        parts = (hash_modules(*CODE), *runtime, style.scores, drawn.model_dump_json())
        self.fingerprint = f"{revision}-{compute_type}-{sha256(' '.join(parts).encode()).hexdigest()[:12]}"
        self._generator = Lazy(partial(_open_reader, folder, compute_type, drawn))
        lanes = open_lanes()
        self._letters = Batcher(self._compare_letters, max_size=MAX_BATCH, is_long=Prompt.is_long, lanes=lanes)
        self._texts = Batcher(self._compare_texts, max_size=MAX_BATCH, is_long=Prompt.is_long, lanes=lanes)
        # What is drawn at random is drawn from one state, for one batch at a time.
        reply_lane = None if drawn.temperature else Prompt.is_long
        self._replies = Batcher(self._write, max_size=MAX_BATCH, is_long=reply_lane, lanes=lanes)

    def load(self) -> None:
        """Open the model now, not for the first prompt."""
        self._generator()

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Generate a reply, batched with other prompts that wait."""
        return await self._replies.submit(Prompt(messages))

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare the likelihoods of the options' texts, or of their letters, as the style of the model says."""
        if self.style.scores == "texts":
            return await self.compare(messages, choices)
        return await self._letters.submit(Prompt(messages, choices))

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare the likelihoods of the options' texts, by their first tokens."""
        return await self._texts.submit(Prompt(messages, choices))

    def _compare_letters(self, prompts: Batch[Prompt]) -> Sequence[Reading]:
        return self._generator().compare_letters(prompts)

    def _compare_texts(self, prompts: Batch[Prompt]) -> Sequence[Reading]:
        return self._generator().compare_texts(prompts)

    def _write(self, prompts: Batch[Prompt]) -> Sequence[Reading]:
        return self._generator().write(prompts)


def _open_reader(folder: Path, compute_type: ComputeType, sampling: Sampling) -> "Reader":
    """Open the model in this process, or in one of its own where that is set."""
    if read_settings().reader_process:
        from services.llms.reader_process import ReaderProcess, format_command

        return ReaderProcess(format_command(folder, compute_type, sampling))
    from services.llms.generator import TextGenerator  # its libraries take a fifth of a second to import

    return TextGenerator(folder, compute_type, sampling)
