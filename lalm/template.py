"""Chat text -> token ids: the only place that knows chat templates.

A prompt is a list of ids in which audio stands as negative numbers: -1 - i is the i-th embedding of the prompt's audio,
counted over all its segments. So no token of the vocabulary is taken for it, and text is encoded once, piece by piece,
and never decoded again.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from transformers import PreTrainedTokenizerBase

from lalm.prompting import AUDIO
from services.errors import BadConfig
from services.types import Message

ANY_REPLY = "\u2603"  # a reply that no template contains

TokenIds: TypeAlias = tuple[int, ...]


class Heard(NamedTuple):
    """What stands in the prompt for one clip."""

    num_segments: int
    transcript: str = ""
    """The words of the recogniser; empty: none were heard, or none are shown."""


class Template:
    """Renders messages for one backbone.

    Args:
        tokenizer: the backbone's, with its chat template.
        num_queries: embeddings that stand for a segment.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, num_queries: int) -> None:
        if not tokenizer.chat_template:
            raise BadConfig(f"The tokenizer of {tokenizer.name_or_path!r} has no chat template.")
        self._tokenizer = tokenizer
        self._num_queries = num_queries
        self.turn_end: TokenIds = self._turn_end()
        """What ends the assistant's turn: the reply has to learn it."""

    def prompt(self, messages: Sequence[Message], clips: Sequence[Heard]) -> TokenIds:
        """Return the prompt up to where the reply begins; audio as negative numbers, in the order of the clips."""
        text = self._render(messages, add_generation_prompt=True)
        pieces = text.split(AUDIO)
        assert len(pieces) == len(clips) + 1, f"{len(pieces) - 1} places for {len(clips)} clips"
        ids: list[int] = list(self._encode(pieces[0]))
        num_slots = 0
        for clip, piece in zip(clips, pieces[1:], strict=True):
            end = num_slots + clip.num_segments * self._num_queries
            ids.extend(-1 - slot for slot in range(num_slots, end))
            num_slots = end
            ids.extend(self._encode(clip.transcript))
            ids.extend(self._encode(piece))
        return tuple(ids)

    def reply(self, text: str) -> TokenIds:
        """Return a reply with the end of its turn."""
        return self._encode(text) + self.turn_end

    def tokens(self, text: str) -> frozenset[int]:
        """Return the tokens of a text, however it begins."""
        return frozenset(self._encode(text) + self._encode(" " + text)) if text else frozenset()

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of a reply without the end of its turn."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip()

    def _encode(self, text: str) -> TokenIds:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False)) if text else ()

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        turns = [message.model_dump() for message in messages]
        text = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=add_generation_prompt, enable_thinking=False
        )
        assert isinstance(text, str)
        return text

    def _turn_end(self) -> TokenIds:
        turns = (Message(role="user", content="?"), Message(role="assistant", content=ANY_REPLY))
        after = self._encode(self._render(turns, add_generation_prompt=False).rpartition(ANY_REPLY)[2])
        special = set(self._tokenizer.all_special_ids)
        for number, token in enumerate(after):
            if token in special:
                return after[: number + 1]
        return (self._tokenizer.eos_token_id,)
