"""A service without models, which tests put behind the gateway: it answers by rule and records cancellations."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, get_args

from services.catalog import pick
from services.errors import ModelError
from services.protocols import ASR, Answerer, Captioner, DecodingDetails, SpokenSegment, SpokenWord, TranscriptionGuide
from services.scripted.ears import ScriptedEars
from services.scripted.rules import follow
from services.types import Answer, AudioClip, Evidence, Label, PathName, Question, TraceStep, Usage

NAMES = ("cascade/tiny", "text/tiny", "lalm/ear", "auto", "both")
DETAILS = DecodingDetails(
    seek=25, tokens=(4, 8, 15), temperature=0.0, avg_logprob=-0.7, compression_ratio=0.9, no_speech_prob=0.01
)
AnswerRule: TypeAlias = Callable[[Question, AudioClip | None], Answer | Awaitable[Answer]]


class ScriptedAnswerer:
    """Answers by rule; see `services.scripted.rules` for what a rule may do.

    Args:
        rule: question, clip -> answer; of several clips the first.
        latency_s: how long every answer takes.
    """

    def __init__(self, rule: AnswerRule, *, latency_s: float = 0.0) -> None:
        self.questions: list[Question] = []
        """The questions that it was asked, in order."""
        self.clips: list[AudioClip | None] = []
        """The clips of each question, one after the other; None for one without."""
        self.num_running = self.most_running = 0
        """Questions that are being answered now, and the most at once so far."""
        self._rule, self._latency_s = rule, latency_s

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Answer as the script says, and note the question, the clips and how many were answered at once."""
        self.questions.append(question)
        self.clips += clips or (None,)
        self.num_running += 1
        self.most_running = max(self.most_running, self.num_running)
        await asyncio.sleep(self._latency_s)
        self.num_running -= 1
        return await follow(self._rule, question, clips[0] if clips else None)


class EchoAnswerer:
    """Answers with the last option (the LALM: the first) and the length of each clip; fails as it is told to."""

    def __init__(self, path: PathName, service: "ScriptedService") -> None:
        self.path, self.service = path, service

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Answer with what arrived; the words `slow`, `fail`, `bug` and `same` as a question do what they say."""
        if question.text == "slow":
            await self._sleep()
        if question.text in {"fail", f"fail {self.path}"}:
            raise ModelError("The server answered 500.")
        if question.text == "bug":
            raise ZeroDivisionError(question.choices)
        place = 0 if self.path == "lalm" and question.text != "same" else -1
        return Answer(
            question_id=question.id,
            reply=", ".join(f"{clip.duration_s:.2f} s" for clip in clips) or "no clip",
            choice=question.choices[place] if question.choices else None,
            probabilities={choice.letter: 1 / len(question.choices) for choice in question.choices},
            path=self.path,
            route="lalm" if self.path == "auto" else None,
            trace=(TraceStep(step="route", text="lalm (sound)"),) if self.path == "auto" else (),
            degraded=("captioner",) if question.text == "degraded" else (),
            timings_s={"read": 0.02},
            usage=Usage(prompt_tokens=7, completion_tokens=2),
        )

    async def _sleep(self) -> None:
        self.service.started.set()
        try:
            await asyncio.wait_for(self.service.release.wait(), 30)
        except asyncio.CancelledError:
            self.service.cancelled.append(self.path)
            raise


class ScriptedASR:
    """Hears two sentences in all that is longer than a second."""

    name, revision = "whisper-tiny", "1"

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """State English and two sentences for a clip above 1 s, and nothing for a shorter one."""
        if clip.duration_s <= 1:
            return ()
        english = Label(text="English", probability=0.98)
        language = Evidence(
            kind="language", source=self.name, revision="1", text=f"Spoken language: {english}.", labels=(english,)
        )
        spoken = language.model_copy(update={"kind": "transcript", "labels": (), "language": "en", "confidence": 0.5})
        first = spoken.model_copy(update={"text": "Good morning.", "start_s": 0.25, "end_s": 1.0})
        return language, first, spoken.model_copy(update={"text": "It rains.", "start_s": 1.0})


class ScriptedGuidedASR(ScriptedASR):
    """Hears the same two sentences, in the language that it is told, and notes its guides."""

    takes_guide = True

    def __init__(self) -> None:
        self.guides: list[TranscriptionGuide] = []
        """What it was told, in order."""

    async def transcribe_guided(self, clip: AudioClip, guide: TranscriptionGuide) -> tuple[SpokenSegment, ...]:
        """State two sentences, with their words where they are asked for."""
        self.guides.append(guide)
        said = [one for one in await self.transcribe(clip) if one.kind == "transcript"]
        return tuple(self._cut(one, one.end_s or clip.duration_s, guide) for one in said)

    def _cut(self, one: Evidence, end_s: float, guide: TranscriptionGuide) -> SpokenSegment:
        texts, step_s = one.text.split(), (end_s - one.start_s) / len(one.text.split())
        words = tuple(
            SpokenWord(
                text=text,
                start_s=round(one.start_s + place * step_s, 3),
                end_s=round(one.start_s + (place + 1) * step_s, 3),
                probability=0.5,
            )
            for place, text in enumerate(texts)
        )
        return SpokenSegment(
            text=one.text,
            start_s=one.start_s,
            end_s=end_s,
            confidence=one.confidence,
            language=guide.language or "en",
            words=words if guide.with_words else (),
            details=DETAILS if guide.with_details else None,
        )


class ScriptedService:
    """Answers under several names; ready when told.

    Args:
        rules: path -> rule of its answers; the other paths answer as `EchoAnswerer` does.
        names: the names that it answers under.
    """

    def __init__(self, rules: dict[PathName, AnswerRule] | None = None, names: tuple[str, ...] = NAMES) -> None:
        self.waiting: tuple[str, ...] = ()
        self.names = names
        self.rules = rules or {}
        self.ears_for_words: ASR = ScriptedGuidedASR()
        self.ears_for_sounds: Captioner = ScriptedEars()
        self.aliases: dict[str, str] = {}
        """Other names -> the names that they stand for."""
        self.told: set[str] = set()
        """Paths whose open replies are written as a request asks."""
        self.cancelled: list[str] = []
        """Paths whose work was stopped."""
        self.started, self.release = asyncio.Event(), asyncio.Event()

    async def list_missing(self) -> tuple[str, ...]:
        """Return the models that are said to be loading."""
        return self.waiting

    async def list_models(self) -> tuple[str, ...]:
        """Return the names that can be asked for, once nothing is loading."""
        return () if self.waiting else self.names

    def resolve(self, name: str | None) -> str | None:
        """Return what an alias stands for."""
        return self.aliases.get(name, name) if name else name

    async def find_answerer(self, name: str | None) -> Answerer:
        """Return the scripted answerer of a path, or one that echoes."""
        path = pick(self._list_paths(), "model", name or self.names[0])
        if self.waiting:
            raise ModelError(f"Still loading: {', '.join(self.waiting)}.")
        return ScriptedAnswerer(self.rules[path]) if path in self.rules else EchoAnswerer(path, self)

    async def list_arms(self) -> tuple[str, str]:
        """Return the names of the two arms, or fail where there is no LALM."""
        if "both" not in self.names:
            raise ModelError("This service has no LALM.")
        return self.names[0], next(name for name in self.names if name.startswith("lalm/"))

    async def find_asr(self) -> ASR:
        """Return the scripted ASR."""
        return self.ears_for_words

    async def find_captioner(self) -> Captioner:
        """Return the scripted captioner."""
        return self.ears_for_sounds

    async def takes_reply_options(self, name: str | None) -> bool:
        """Say whether the path is among those of `told`."""
        return (name or self.names[0]).partition("/")[0] in self.told

    def needs_clip(self, name: str | None) -> bool:
        """Return True for every path but `text`."""
        return (name or "").partition("/")[0] != "text"

    def _list_paths(self) -> dict[str, PathName]:
        paths: tuple[PathName, ...] = get_args(PathName)
        full: dict[str, PathName] = {
            name: path for name in self.names for path in paths if name.partition("/")[0] == path
        }
        return full | {path: path for path in full.values()}
