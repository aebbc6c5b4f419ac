"""Chat template: turns messages into token ids of the backbone; the only place that applies chat templates.

A prompt is a list of ids in which audio embeddings are negative numbers: -1 - i is the i-th audio embedding of the
prompt, counted over all segments. So the vocabulary needs no extra token, and text is encoded once, piece by piece.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerBase

from lalm.model.frames import count_segments
from lalm.prompting import AUDIO, MAX_TRANSCRIPT_CHARS, PromptForm, format_beside
from lalm.statements import format_statement, join_transcript
from services.errors import BadConfig
from services.types import AudioClip, Evidence, Message

ANY_REPLY = "\u2603"  # a reply that no template contains

TokenIds: TypeAlias = tuple[int, ...]

MAX_EVIDENCE_CHARS = 1200  # about 350 tokens; the acoustic captioner says half of it about most clips


class PromptClip(NamedTuple):
    """A clip as the prompt represents it."""

    num_segments: int
    transcript: str = ""
    """Transcript by the ASR; empty: no speech, or the model is not given transcripts."""
    evidence: tuple[str, ...] = ()
    """Statements of the captioner, one line each; empty: none, or the model is not given any."""


class ChatTemplate:
    """Chat template of one backbone.

    Args:
        tokenizer: the backbone's, with its chat template.
        num_queries: embeddings per segment of audio.
        form: version of the text beside the audio.

    Raises:
        BadConfig: the tokenizer has no chat template, or neither it nor the template ends a turn with a token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, num_queries: int, *, form: PromptForm = 1) -> None:
        if not tokenizer.chat_template:
            raise BadConfig(f"The tokenizer of {tokenizer.name_or_path!r} has no chat template.")
        self._tokenizer = tokenizer
        self._num_queries = num_queries
        self.form: PromptForm = form
        self._control = [
            str(token) for token in tokenizer.added_tokens_decoder.values() if token.special and str(token) != AUDIO
        ]
        self._knows_system = self._probe_system_role()
        self.turn_end: TokenIds = self._find_turn_end()
        """Tokens that end the assistant's turn; they belong to every training target."""

    def encode_prompt(self, messages: Sequence[Message], clips: Sequence[PromptClip]) -> TokenIds:
        """Encode the prompt up to where the reply begins; audio as negative numbers, in the order of the clips."""
        return self.join_prompt(self.split_prompt(messages), clips)

    def split_prompt(self, messages: Sequence[Message]) -> tuple[TokenIds, ...]:
        """Encode the prompt around its clips: the pieces before, between and behind their placeholders."""
        said = [Message(role=one.role, content=self.escape_control_tokens(one.content)) for one in messages]
        text = self._render(said, add_generation_prompt=True)
        return tuple(self._encode(piece) for piece in text.split(AUDIO))

    def join_prompt(self, pieces: Sequence[TokenIds], clips: Sequence[PromptClip]) -> TokenIds:
        """Put the clips, each with the text beside it, between the pieces of a prompt."""
        assert len(pieces) == len(clips) + 1, f"{len(pieces) - 1} places for {len(clips)} clips"
        ids: list[int] = list(pieces[0])
        num_slots = 0
        for clip, piece in zip(clips, pieces[1:], strict=True):
            end = num_slots + clip.num_segments * self._num_queries
            ids.extend(-1 - slot for slot in range(num_slots, end))
            num_slots = end
            ids.extend(self._encode(self.format_beside(clip)))
            ids.extend(piece)
        return tuple(ids)

    def format_beside(self, clip: PromptClip) -> str:
        """Format the text beside a clip, without control tokens."""
        return self.escape_control_tokens(format_beside(clip.transcript, clip.evidence, form=self.form))

    def adapt_roles(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return the messages with only the roles that the chat template accepts."""
        return messages if self._knows_system else _merge_system(messages)

    def encode_reply(self, text: str) -> TokenIds:
        """Encode a reply with its end-of-turn tokens."""
        return self._encode(self.escape_control_tokens(text)) + self.turn_end

    def escape_control_tokens(self, text: str) -> str:
        """Break up control tokens in a text, such as an end of turn, against prompt injection."""
        for token in self._control:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text

    def collect_tokens(self, text: str) -> frozenset[int]:
        """Return the set of tokens of a text, with and without a leading space."""
        return frozenset(self._encode(text) + self._encode(" " + text)) if text else frozenset()

    def decode_reply(self, ids: Sequence[int]) -> str:
        """Decode a reply without its end-of-turn tokens."""
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
        """Probe whether the chat template accepts the role `system`; those of Gemma 2 and the first Mistral do not."""
        turns = [{"role": "system", "content": "!"}, {"role": "user", "content": "?"}]
        try:
            self._tokenizer.apply_chat_template(turns, tokenize=False)
        except TemplateError:
            return False
        return True

    def _find_turn_end(self) -> TokenIds:
        """Find the tokens after a reply up to the first special one, which often is not eos_token (Phi, Gemma)."""
        turns = (Message(role="user", content="?"), Message(role="assistant", content=ANY_REPLY))
        after = self._encode(self._render(turns, add_generation_prompt=False).rpartition(ANY_REPLY)[2])
        no_text = self._tokenizer.added_tokens_decoder.keys()  # `all_special_ids` lacks those without a named role
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
    """Merge the system messages into the first user message."""
    system = [message.content for message in messages if message.role == "system"]
    first, *rest = [message for message in messages if message.role != "system"]
    return (Message(role=first.role, content="\n\n".join([*system, first.content])), *rest)


def make_prompt_clip(clip: AudioClip, given: tuple[Evidence, ...]) -> PromptClip:
    """Represent a clip in the prompt, with what is given beside it: transcripts joined, other statements as lines."""
    return PromptClip(count_segments(clip), truncate_transcript(join_transcript(given)), format_evidence(given))


def format_evidence(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Format all statements but transcripts, one line each, as many as `truncate_evidence` leaves."""
    return truncate_evidence(format_statement(one) for one in evidence if one.kind != "transcript")


def truncate_evidence(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the first lines, as many whole ones as `MAX_EVIDENCE_CHARS` leaves room for."""
    kept: list[str] = []
    room = MAX_EVIDENCE_CHARS
    for line in lines:
        room -= len(line)
        if room < 0:
            break
        kept.append(" ".join(line.split()))
    return tuple(kept)


def truncate_transcript(transcript: str) -> str:
    """Truncate a transcript to `MAX_TRANSCRIPT_CHARS`, at a word boundary where there is one."""
    text = " ".join(transcript.split())
    return (
        text
        if len(text) <= MAX_TRANSCRIPT_CHARS
        else text[:MAX_TRANSCRIPT_CHARS].rpartition(" ")[0] or text[:MAX_TRANSCRIPT_CHARS]
    )
