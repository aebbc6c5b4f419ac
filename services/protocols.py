"""The narrow interfaces between Earwitness and its models.

Batching, caching and remote calls are wrappers that speak the same protocol, never flags inside a
model. Decoding options belong to the opened model, not to the call. A model that fails raises
(`ModelError` for what the user can fix); it never puts an error into its text.
"""

from typing import Any, Protocol, TypeAlias, runtime_checkable

from services.types import (
    Answer,
    AudioClip,
    Choice,
    Evidence,
    Focus,
    Message,
    Question,
    Reading,
    ReadingStyle,
    Value,
)


class TranscriptionGuide(Value):
    """Options of a guided transcription: language, prompt, translation and word timestamps."""

    language: str | None = None
    """ISO 639-1 code of the language spoken; None: whichever is heard."""
    prompt: str = ""
    """Text that the transcript could go on from: names and a style that it keeps to."""
    is_translation: bool = False
    """Whether what is said is to be written in English."""
    with_words: bool = False
    """Whether each word needs its time."""
    with_details: bool = False
    """Whether each segment needs what the decoder knows of it."""


class SpokenWord(Value):
    """A word of a transcript."""

    text: str
    start_s: float
    end_s: float
    """Seconds."""
    probability: float


class DecodingDetails(Value):
    """What a decoder of the Whisper family knows of a segment; all but the tokens is of the window that it wrote."""

    seek: int
    """Begin of the window, in frames of 10 ms from the begin of the recording."""
    tokens: tuple[int, ...]
    temperature: float
    """Of the sampling; 0: nothing was drawn at random."""
    avg_logprob: float
    """Mean log-probability of a token."""
    compression_ratio: float
    """Bytes of the text to those of it when compressed."""
    no_speech_prob: float


class SpokenSegment(Value):
    """A stretch of a transcript."""

    text: str
    start_s: float
    end_s: float
    """Seconds."""
    confidence: float | None = None
    language: str | None = None
    """ISO 639-1 code; None where the ASR gives none."""
    words: tuple[SpokenWord, ...] = ()
    """Empty where they were not asked for."""
    details: DecodingDetails | None = None
    """None where they were not asked for, or the ASR gives none."""


class ReadingModel(Protocol):
    """A model that reads prompts: what LLMs and LALMs have in common."""

    @property
    def name(self) -> str:
        """Catalogue name, or the model name a server knows it by."""

    @property
    def revision(self) -> str:
        """Content hash or pinned revision of the weights; "served" where only a server knows."""

    @property
    def style(self) -> ReadingStyle:
        """How this model reads best."""


class LLM(ReadingModel, Protocol):
    """A text-only language model: the backbone that reasons in the cascade."""

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Reply to a prompt, without probabilities. The reply may be empty when the model ends at once."""

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Read a multiple-choice prompt.

        `choices` holds the options that the prompt lists; the probabilities cover exactly their
        letters, or are empty where the model cannot score (then the reply has to be parsed).
        """


@runtime_checkable
class TextComparer(Protocol):
    """What an LLM whose `style.max_lettered` is set can also do: compare options that its prompt does not list."""

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Read a prompt that lists no options; the probabilities are those of their texts as its reply, by token."""


@runtime_checkable
class StructuredLLM(LLM, Protocol):
    """An LLM whose replies can be held to a JSON schema (structured output)."""

    @property
    def takes_schema(self) -> bool:
        """Whether they can be; a handle to a model elsewhere may stand for one that cannot."""

    async def complete_as(self, messages: tuple[Message, ...], schema: dict[str, Any]) -> Reading:
        """Reply in JSON of this schema; a server that ignores it may reply with anything."""


@runtime_checkable
class RepeatableLLM(LLM, TextComparer, Protocol):
    """An LLM on this machine that always reads the same prompt alike, and knows by what that may change."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the reading of the same prompt may: weights, runtime, code and settings."""


class Captioner(Protocol):
    """Turns sound into statements that a model which cannot hear is able to use."""

    @property
    def name(self) -> str:
        """Catalogue name."""

    @property
    def revision(self) -> str:
        """Changes whenever the captions of the same clip may change."""

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Describe the clip, one statement each with its time span, in order of start.

        `focus` is what to listen for; None: everything. A captioner may ignore it.
        """


class ASR(Protocol):
    """Turns speech into text."""

    @property
    def name(self) -> str:
        """Catalogue name."""

    @property
    def revision(self) -> str:
        """Content hash or pinned revision of the weights, with the decoding options."""

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Return one transcript per stretch of speech; empty without speech."""


@runtime_checkable
class GuidableASR(ASR, Protocol):
    """An ASR that may be told the language, a prompt, to translate, or to time each word."""

    @property
    def takes_guide(self) -> bool:
        """Whether it can be; a handle to an ASR elsewhere, or a cache around one, may stand for one that cannot."""

    async def transcribe_guided(self, clip: AudioClip, guide: TranscriptionGuide) -> tuple[SpokenSegment, ...]:
        """Return what is said, as the guide has it, in order of start."""


AudioClips: TypeAlias = tuple[AudioClip, ...]
GivenEvidence: TypeAlias = tuple[Evidence, ...] | None
"""What others heard in a clip, captions and transcripts, to stand as text beside it; None: the clip alone."""


class LALM(ReadingModel, Protocol):
    """A large audio-language model: listens to the waveform itself.

    `given` is what others heard in the clip, captions and transcripts, to stand as text beside it. It is passed only to
    a model whose `style.takes_evidence` is set; None: the clip alone, with the model's own transcript if it has one.
    """

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Reply to a prompt about the clip, without probabilities."""

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Read a multiple-choice prompt about the clip, as `LLM.choose` does."""


@runtime_checkable
class MultiClipLALM(LALM, Protocol):
    """What a LALM whose `style.max_clips` is above 1 can also do: hear that many recordings in one prompt."""

    async def listen_to_several(
        self, messages: tuple[Message, ...], clips: AudioClips, given: GivenEvidence = None
    ) -> Reading:
        """Reply to a prompt about all of the clips, as `listen` does about one."""

    async def choose_of_several(
        self, messages: tuple[Message, ...], clips: AudioClips, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Read a multiple-choice prompt about all of the clips, as `choose` does about one."""


@runtime_checkable
class TellableModel(Protocol):
    """A model that may be told how to write an open reply (`RequestContext.reply_options`)."""

    @property
    def takes_reply_options(self) -> bool:
        """Whether it can be; a handle to a model elsewhere may stand for one that cannot."""


@runtime_checkable
class Loadable(Protocol):
    """A model whose name and revision are known at once, and whose weights are read when they are first needed."""

    def load(self) -> None:
        """Read the weights now, where that was not done yet: for who would rather wait before the first clip."""


AnyModel: TypeAlias = LLM | Captioner | ASR | LALM
"""A model that a path is built from."""


class Answerer(Protocol):
    """A way from question to answer."""

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Answer a question about one clip or several; there is none only on a path that does not listen."""
