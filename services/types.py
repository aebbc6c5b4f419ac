"""The nouns of Earwitness: what is asked, about what sound, and what is answered.

`Value` is what is written to disk or sent over HTTP; `AudioClip` holds an array and never leaves the process as JSON.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

if TYPE_CHECKING:  # what only handles text starts 0.1 s sooner without it
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz; every AudioClip holds audio at this rate
SCHEMA_VERSION: Literal[2] = 2  # of answers and run folders

EvidenceSummary: TypeAlias = Literal["none", "perception", "tools"]
"""What a LALM that answers last reads beside the recording: nothing, what captioner and ASR heard, or all findings."""
PathName: TypeAlias = Literal["text", "cascade", "lalm", "informed", "auto"]
Route: TypeAlias = Literal["cascade", "lalm", "both"]
"""What the router of path `auto` may choose."""
ListeningStep: TypeAlias = Literal["caption", "transcribe", "listen again", "listen"]
StepName: TypeAlias = Literal[
    "route", ListeningStep, "plan", "degraded", "read", "contradiction", "reconcile", "rule", "reason", "cache"
]
Spanwise: TypeAlias = Literal["turns", "timeline"]
Topic: TypeAlias = Literal[
    "order", "count", "tempo", "key", "pitch", "emotion", "speaker", "quality", "instrument", "style", "sound", Spanwise
]
"""What a captioner may be asked to listen for; turns, timeline: a statement for each span of a voice, of a sound."""
Reliability: TypeAlias = Literal["measured", "model", "heuristic"]
"""measured: computed from the signal; model: a trained model's output; heuristic: a rule over either."""
SoundKind: TypeAlias = Literal["caption", "sound", "event", "loudness", "quality", "absence"]
SpeechKind: TypeAlias = Literal["transcript", "language", "segment", "speaker", "emotion"]
MusicKind: TypeAlias = Literal["music", "melody", "rhythm", "harmony", "instrument"]
EvidenceKind: TypeAlias = Literal[SoundKind, SpeechKind, MusicKind, "reply"]
"""What a statement is about; absence: of what is not heard; reply: of a LALM, which rests on the waveform alone."""
EvidenceUse: TypeAlias = Literal["decided", "read", "unread"]
"""What became of a statement: shown to the model that answered, or voted (read); that and decided; or neither."""
ClaimFault: TypeAlias = Literal[
    "uncited", "no_such_evidence", "wrong_time", "wrong_number", "misquoted", "unrelated", "contradicted", "unchecked"
]
ClaimVerdict: TypeAlias = Literal["supported"] | ClaimFault
"""What came of checking a claim against the statements that it cites; of several faults the first in this order.
contradicted: it denies what they say, or they deny it; unchecked: whether they do cannot be told."""
ReasonsStatus: TypeAlias = Literal["given", "none", "no_evidence", "no_llm", "unreadable", "cut_off", "late", "failed"]
"""given: there are claims; none: there are no grounds to name; no_evidence: nothing was heard that could be cited;
no_llm: the path has no LLM to write them; unreadable: its reply has another form than was asked for; cut_off: it did
not end; late: not within the deadline; failed: the LLM failed."""
PlannerName: TypeAlias = Literal["classifier", "llm"]
PlanFault: TypeAlias = Literal["unreadable", "unknown_tool", "bad_arguments", "repeated", "failed"]
PlanEnd: TypeAlias = Literal["separate", "spent", "enough", "no_tool"]
"""separate: the options are; spent: the budget is; enough: the planner says so; no_tool: there is none left to call."""
RemarkCode: TypeAlias = Literal[
    "cut_off", "damaged", "excess", "other_tracks", "opposed_channels", "noise_channel", "not_finite", "offset"
]
"""What is to be said about how a recording was read: services/audio/remarks.py has the words."""


@dataclass(frozen=True, slots=True)
class AudioClip:
    """Mono audio at `SAMPLE_RATE`, with what is worth knowing of the recording it came from."""

    samples: "NDArray[np.float32]"
    """float32 in [-1, 1], shape (num_samples,)."""
    source_rate: int = SAMPLE_RATE
    """Hz; the rate of the recording before it was resampled."""
    num_channels: int = 1
    """Channels of the recording before they were averaged."""
    remarks: tuple[RemarkCode, ...] = ()
    """What the samples alone do not tell about the recording."""
    sha256: str = field(init=False)
    """Hex digest of `samples`: the key of this clip in every cache."""

    def __post_init__(self) -> None:
        assert self.samples.ndim == 1 and self.samples.dtype == "float32", self.samples.shape
        whole = self.samples if self.samples.flags.c_contiguous else self.samples.copy()
        object.__setattr__(self, "sha256", hashlib.sha256(whole.data).hexdigest())

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE

    def cut(self, start_s: float, end_s: float) -> "AudioClip":
        """Return what is heard between two times in seconds, as a clip."""
        start, end = round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE)
        assert 0 <= start < end, f"from {start_s} to {end_s} s"
        return AudioClip(self.samples[start:end], self.source_rate, self.num_channels, self.remarks)


class Value(BaseModel):
    """A frozen record; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(Value):
    """One option of a multiple-choice question."""

    letter: str
    text: str


class Message(Value):
    """One turn of the prompt that an LLM reads."""

    role: Literal["system", "user", "assistant"]
    content: str


class Question(Value):
    """A question about a clip or several; without choices it is an open question."""

    id: str
    text: str
    choices: tuple[Choice, ...] = ()
    num_clips: int = 1
    """Recordings that it is about, as whoever answers it was given them (`about`)."""
    earlier: tuple[Message, ...] = ()
    """Turns of the conversation before it, the user's and the assistant's."""
    wants_reasons: bool = False
    """Whether the answer is to bring its reasons, which may take one more prompt; they never change the answer."""

    @classmethod
    def ask(cls, text: str, choices: tuple[str, ...] = (), *, id: str = "") -> Self:
        """Build a question, naming its options A, B, C and so on in the order given."""
        return cls(id=id, text=text).with_options(choices)

    def with_options(self, texts: Sequence[str]) -> Self:
        """Return the question with other options, named A, B, C and so on."""
        assert len(texts) <= len(ascii_uppercase), f"{len(texts)} choices"
        lettered = zip(ascii_uppercase, texts, strict=False)
        return self.model_copy(update={"choices": tuple(Choice(letter=a, text=b) for a, b in lettered)})

    def with_earlier_turns(self, turns: tuple[Message, ...]) -> Self:
        """Return the question as it follows on earlier turns."""
        return self.model_copy(update={"earlier": turns}) if turns else self

    def with_clips(self, clips: Sequence[AudioClip]) -> Self:
        """Return the question with the number of recordings that it is about."""
        return self if len(clips) == self.num_clips else self.model_copy(update={"num_clips": len(clips)})


class Focus(Value):
    """What a captioner is to listen for: a question, and the topic that it is about."""

    topic: Topic | None = None
    """None: the words of the question choose it."""
    question: str
    options: tuple[str, ...] = ()
    """Texts of the options, which a captioner should tell apart."""


class Label(Value):
    """One thing that a statement names: a sound, a number, a step of an order."""

    text: str
    probability: float | None = None
    """In [0, 1], rounded to two decimals; None where the source gives none."""

    @classmethod
    def round_to_label(cls, text: str, probability: float) -> Self:
        """Build a label with its probability rounded as it is shown."""
        return cls(text=text, probability=round(probability, 2))

    def __str__(self) -> str:
        """Return the label as the text of a statement has it, such as `dog barking (0.83)`."""
        return self.text if self.probability is None else f"{self.text} ({self.probability:.2f})"


class Evidence(Value):
    """One statement about a clip, by one source, over one span of time."""

    kind: EvidenceKind
    source: str
    """Catalogue name of the model or analysis that says so."""
    revision: str
    """Version or content hash of that model: changes when its output may change."""
    text: str
    """The statement in words, with each of its labels as `str(label)` has it."""
    labels: tuple[Label, ...] = ()
    """What the statement names: alternatives with their probabilities, or without them the steps of an order."""
    candidates: tuple[Label, ...] = ()
    """All that the source chose from, the likeliest first, where a question may ask to choose among some of it."""
    step: StepName | None = None
    """The step of the answer that the statement comes from; None where it belongs to no answer yet."""
    recording: int | None = None
    """Number of the recording that it is about, from 1; None: there is but one, or it is about all."""
    start_s: float = 0.0
    end_s: float | None = None
    """Seconds; None: to the end of the clip."""
    confidence: float | None = None
    """Probability in [0, 1] that the statement holds; None where the source gives none."""
    reliability: Reliability = "model"
    language: str | None = None
    """ISO 639-1 code of the language heard (transcripts only)."""
    use: EvidenceUse | None = None
    """None where no model was to read the statement, or none has yet."""
    withheld: tuple[str, ...] = ()
    """What was said that no model was shown, as it tells what to answer: sentences, or quotations of a caption."""


def sort_by_use(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return statements as they are shown: the one that decided, those that were read, the others; else in order."""
    ranks: dict[EvidenceUse | None, int] = {"decided": 0, "read": 1}
    return tuple(sorted(evidence, key=lambda statement: ranks.get(statement.use, 2)))


class Usage(Value):
    """Tokens that a model read and wrote; 0 where it does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        prompt, completion = self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens
        return Usage(prompt_tokens=prompt, completion_tokens=completion)


class Reading(Value):
    """Output of a model for one prompt: the reply, probabilities of the options, and token counts."""

    reply: str
    """The model's own words, or the letter of its best option where it only scored options."""
    probabilities: dict[str, float] = {}
    """Option letter -> probability (they sum to 1); empty where the model gives no log-probabilities."""
    usage: Usage = Usage()
    given: tuple[Evidence, ...] = ()
    """What the model was given beside the prompt: transcript and evidence, for a LALM that takes them."""
    is_finished: bool = True
    """Whether the model ended its reply; False: it was cut off at the most tokens it may write."""


class ReadingStyle(Value):
    """How an LLM reads best."""

    scores: Literal["letters", "texts"] = "letters"
    """What `LLM.choose` scores: letters of options in the prompt, or the texts themselves, for small models."""
    num_rotations: int = 1
    """Orders of the options to average over: more than 1 for a small model that prefers letters for themselves."""
    max_lettered: int | None = None
    """Options it tells apart by letters (None: any number); of more, the likeliest texts get them (`TextComparer`)."""
    takes_evidence: bool = False
    """Whether a LALM takes statements about the clip as text beside it (`LALM.listen`, `given`)."""
    hears_spans: bool = False
    """Whether a LALM hears only the span that a question names, where it names one: it cannot find the times itself."""
    max_clips: int = 1
    """Recordings that a LALM hears in one prompt; above 1 it is a `MultiClipLALM`."""
    num_statements: int | None = None
    """Statements to show, the most relevant ones; None: all. A small model loses the thread in long prompts."""
    max_chars: int = 24_000
    """Characters of evidence that a prompt may hold, about four a token; half an hour of audio yields more."""


class Sampling(Value):
    """How an LLM draws its replies; it belongs to the opened model, and each prompt draws by itself."""

    temperature: float = Field(default=0.0, ge=0.0)
    """0: always the likeliest token."""
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the probability that the drawn tokens come from, the likeliest first."""
    max_tokens: int = Field(default=256, gt=0)
    """Of one reply."""
    seed: int = 0


class Draft(Value):
    """An answer before it was refined: what would have been said with a smaller budget."""

    actions: int
    """Spent up to here."""
    choice: Choice | None


class Opinion(Value):
    """What one way answered by itself."""

    path: PathName
    choice: Choice | None
    probabilities: dict[str, float]
    """Calibrated, where the model has a calibration."""
    raw_probabilities: dict[str, float] = {}


class AppliedCalibration(Value):
    """The scale of an answer's probabilities."""

    temperature: float
    """That made the raw probabilities into calibrated ones, for this number of options."""
    ece: float
    """Expected calibration error at such temperatures; `fitted_on` of the calibration says how it was measured."""
    num_questions: int
    """That the error was measured on."""
    findings_temperature: float | None = None
    """That the answer was brought to after listening again; None where nothing was found."""


class ToolPlan(Value):
    """What a planner chose: a tool to call, or an end; with a fault, what it chose in vain."""

    planner: PlannerName
    missing: str = ""
    """What the planner says is not known yet."""
    tool: str | None = None
    arguments: dict[str, JsonValue] = {}
    """Those that the planner gave; the tool takes the others from the question."""
    why: str = ""
    """In the planner's words; of a fault, what is wrong."""
    fault: PlanFault | None = None
    end: PlanEnd | None = None


class TraceStep(Value):
    """One step of an answer and what came of it."""

    step: StepName
    text: str
    plan: ToolPlan | None = None
    seconds: float | None = None
    """How long the step took; None where it waits for no model. Steps that run at the same time overlap."""

    def __str__(self) -> str:
        """Return the step as one line, such as `read: phi-4`."""
        return f"{self.step}: {self.text}"


class Citation(Value):
    """What a claim cites: a statement, and a span of time within it."""

    id: str
    """`S1` is the first statement of the answer's `evidence`, `S2` the second; any other is as the LLM wrote it."""
    start_s: float = 0.0
    end_s: float | None = None
    """Seconds: as cited, or where no time was, those of the statement; None: to the end of the clip."""


class Claim(Value):
    """One claim of the reasons, and what came of checking it, by code, against the statements that it cites."""

    text: str
    cites: tuple[Citation, ...] = ()
    verdict: ClaimVerdict
    """supported: each statement cited exists and shares a word with the claim, the times lie within it, numbers and
    quotations stand in it, and neither denies the other. Whether the claim follows from it is not checked."""
    faults: tuple[str, ...] = ()
    """Times, numbers and quotations that the statements do not hold, or ids of statements that should not be cited."""


class Reasons(Value):
    """Reasons for an answer: claims that cite evidence."""

    status: ReasonsStatus
    claims: tuple[Claim, ...] = ()
    author: str | None = None
    """The LLM that wrote the claims; None: they are the statements that speak for the chosen option and no other."""
    unread: str = ""
    """What the LLM wrote that could not be read as claims."""


class Answer(Value):
    """The answer to a question, with everything it rests on."""

    schema_version: Literal[2] = SCHEMA_VERSION
    """2: traces and labels are records; in version 1, which had no such field, they were texts."""
    question_id: str
    reply: str
    choice: Choice | None
    """None: an open question, or no choice could be read from the reply. Never a guess."""
    probabilities: dict[str, float] = {}
    """Option letter -> probability that it is right: calibrated, where the model has a calibration."""
    raw_probabilities: dict[str, float] = {}
    """Option letter -> probability as the model gave it, before temperature and findings; empty of a joint answer."""
    calibration: AppliedCalibration | None = None
    """None: the model has no calibration, and the probabilities are only as good as the model's own."""
    is_unsure: bool = False
    """Whether the best two options are no further apart than the error of the probabilities."""
    path: PathName
    route: Route | None = None
    """What the router chose; None where nothing was routed."""
    trace: tuple[TraceStep, ...] = ()
    """The steps taken, in order."""
    evidence: tuple[Evidence, ...] = ()
    reasons: Reasons | None = None
    """Claims that cite the evidence; None: they were not asked for."""
    degraded: tuple[str, ...] = ()
    """What was missing when the answer was given; empty when every part worked."""
    warnings: tuple[str, ...] = ()
    """What of the question was not read as it may have been meant."""
    timings_s: dict[str, float] = {}
    usage: Usage = Usage()
    """Of all the prompts that the answer took."""
    drafts: tuple[Draft, ...] = ()
    """The answer before the first follow-up and after each one; empty where none was allowed."""
    arms: tuple[Opinion, ...] = ()
    """What each arm answered, where one answer was made of two."""
