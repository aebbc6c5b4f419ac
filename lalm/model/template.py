"""Chat text -> token ids: the only place that knows chat templates.

A prompt is a list of ids in which audio stands as negative numbers: -1 - i is the i-th embedding of the prompt's audio,
counted over all its segments. So no token of the vocabulary is taken for it, and text is encoded once, piece by piece,
and never decoded again.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerBase

from lalm.prompting import AUDIO
from services.errors import BadConfig
from services.types import Message

ANY_REPLY = "\u2603"  # a reply that no template contains

TokenIds: TypeAlias = tuple[int, ...]

MAX_TRANSCRIPT_CHARS = 400  # of a clip: about 100 tokens, as in DeSTA; applied when training and when asking alike


class PromptClip(NamedTuple):
    """What stands in the prompt for one clip."""

    num_segments: int
    transcript: str = ""
    """The words of the recogniser; empty: none were heard, or none are shown."""


class ChatTemplate:
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
        self._control = [
            str(token) for token in tokenizer.added_tokens_decoder.values() if token.special and str(token) != AUDIO
        ]
        self._knows_system = self._probe_system_role()
        self.turn_end: TokenIds = self._find_turn_end()
        """What ends the assistant's turn: the reply has to learn it."""

    def encode_prompt(self, messages: Sequence[Message], clips: Sequence[PromptClip]) -> TokenIds:
        """Return the prompt up to where the reply begins; audio as negative numbers, in the order of the clips."""
        said = [Message(role=one.role, content=self.escape_control_tokens(one.content)) for one in messages]
        text = self._render(said, add_generation_prompt=True)
        pieces = text.split(AUDIO)
        assert len(pieces) == len(clips) + 1, f"{len(pieces) - 1} places for {len(clips)} clips"
        ids: list[int] = list(self._encode(pieces[0]))
        num_slots = 0
        for clip, piece in zip(clips, pieces[1:], strict=True):
            end = num_slots + clip.num_segments * self._num_queries
            ids.extend(-1 - slot for slot in range(num_slots, end))
            num_slots = end
            ids.extend(self._encode(self.escape_control_tokens(clip.transcript)))
            ids.extend(self._encode(piece))
        return tuple(ids)

    def adapt_roles(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return the messages with the roles that the chat template takes."""
        return messages if self._knows_system else _merge_system(messages)

    def encode_reply(self, text: str) -> TokenIds:
        """Return a reply with the end of its turn."""
        return self._encode(self.escape_control_tokens(text)) + self.turn_end

    def escape_control_tokens(self, text: str) -> str:
        """Return a text in which nothing is taken for a control token, such as the end of a turn."""
        for token in self._control:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text

    def collect_tokens(self, text: str) -> frozenset[int]:
        """Return the tokens of a text, however it begins."""
        return frozenset(self._encode(text) + self._encode(" " + text)) if text else frozenset()

    def decode_reply(self, ids: Sequence[int]) -> str:
        """Return the text of a reply without the end of its turn."""
        said = ids[: -len(self.turn_end)] if tuple(ids[-len(self.turn_end) :]) == self.turn_end else ids
        return str(self._tokenizer.decode(said, skip_special_tokens=True)).strip()

    def _encode(self, text: str) -> TokenIds:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False)) if text else ()

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        turns = [message.model_dump() for message in self.adapt_roles(messages)]
        text = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=add_generation_prompt, enable_thinking=False
        )
        assert isinstance(text, str)
        return text

    def _probe_system_role(self) -> bool:
        """Return whether the chat template knows the role `system`; Gemma 2's and Mistral's first one refuse it."""
        turns = [{"role": "system", "content": "!"}, {"role": "user", "content": "?"}]
        try:
            self._tokenizer.apply_chat_template(turns, tokenize=False)
        except TemplateError:
            return False
        return True

    def _find_turn_end(self) -> TokenIds:
        """Return the tokens after a reply up to the first that is no text: often not the end of a text (Phi, Gemma)."""
        turns = (Message(role="user", content="?"), Message(role="assistant", content=ANY_REPLY))
        after = self._encode(self._render(turns, add_generation_prompt=False).rpartition(ANY_REPLY)[2])
        no_text = self._tokenizer.added_tokens_decoder.keys()  # `all_special_ids` lacks those without a role
        for number, token in enumerate(after):
            if token in no_text:
                return after[: number + 1]
        if self._tokenizer.eos_token_id is None:
            raise BadConfig(
                f"The tokenizer of {self._tokenizer.name_or_path!r} has neither a chat template that ends a turn "
                "with a token of its own nor an eos_token: the LALM could not learn when to stop."
            )
        return (self._tokenizer.eos_token_id,)


def _merge_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Put what the system says before what the user says first."""
    system = [message.content for message in messages if message.role == "system"]
    first, *rest = [message for message in messages if message.role != "system"]
    return (Message(role=first.role, content="\n\n".join([*system, first.content])), *rest)


def truncate_transcript(transcript: str) -> str:
    """Return the part of a transcript that stands in the prompt."""
    text = " ".join(transcript.split())
    return (
        text
        if len(text) <= MAX_TRANSCRIPT_CHARS
        else text[:MAX_TRANSCRIPT_CHARS].rpartition(" ")[0] or text[:MAX_TRANSCRIPT_CHARS]
    )
