"""Path `lalm`, end to end: a LALM hears the clip itself, or as many as it takes."""

from collections.abc import Sequence
from time import perf_counter
from typing import TypeAlias

from agents.reading.calibration import ModelCalibration, apply_calibration, is_within_chance
from agents.reading.named_times import choose_span
from agents.reading.reply import read_choice
from lalm.prompting import build_messages
from services.audio.remarks import describe_each
from services.errors import TooManyClips
from services.longform.hearing import shift_statement
from services.longform.split import ClipPart
from services.progress import report_stage
from services.protocols import LALM, MultiClipLALM
from services.questions import drop_own_letters
from services.terminal.counts import format_count
from services.types import Answer, AudioClip, Choice, Evidence, Message, Question, Reading, TraceStep

Statements: TypeAlias = tuple[Evidence, ...]
SEVERAL = "the style of a LALM says that it hears several recordings"


class Direct:
    """Answers with a LALM, from the waveform."""

    def __init__(self, lalm: LALM, calibration: ModelCalibration | None = None) -> None:
        self.lalm, self.calibration = lalm, calibration

    @property
    def max_clips(self) -> int:
        """Recordings that the LALM hears in one question."""
        return self.lalm.style.max_clips

    async def answer(self, question: Question, *clips: AudioClip, given: Statements | None = None) -> Answer:
        """Ask the LALM once: it chooses an option, or replies where there are none.

        `given` is the evidence that it reads beside the clip, for a LALM that takes any; None: none.
        """
        assert clips, "a LALM needs a clip"
        require_room(self.lalm, clips)
        started, part = perf_counter(), _choose_part(self.lalm, question, clips)
        with report_stage("listen"):
            reading = await self._read(question.with_clips(clips), (part.clip,) if part else clips, given)
        seconds, choice = perf_counter() - started, _choose(question, reading)
        probabilities = apply_calibration(self.calibration, reading.probabilities)
        heard = Evidence(
            kind="reply",
            source=self.lalm.name,
            revision=self.lalm.revision,
            text=choice.text if choice else reading.reply,
            step="listen",
            start_s=part.start_s if part else 0.0,
            end_s=round(part.end_s if part else clips[0].duration_s, 2) if len(clips) == 1 else None,
            confidence=probabilities[choice.letter] if choice and probabilities else None,
        )
        remarks = () if given else describe_each(clips)  # among what is given they are already
        return Answer(
            question_id=question.id,
            reply=reading.reply,
            choice=choice,
            probabilities=probabilities,
            raw_probabilities=reading.probabilities,
            calibration=self.calibration.describe(len(probabilities)) if self.calibration and probabilities else None,
            is_unsure=is_within_chance(probabilities, self.calibration),
            path="lalm",
            trace=(TraceStep(step="listen", text=_format_note(self.lalm, reading, part), seconds=seconds),),
            evidence=((heard,) if heard.text else ()) + _list_given(reading, None if given else part) + remarks,
            timings_s={"listen": seconds},
            usage=reading.usage,
        )

    async def _read(self, question: Question, clips: tuple[AudioClip, ...], given: Statements | None) -> Reading:
        lalm, choices = self.lalm, drop_own_letters(question.choices)
        messages = build_messages(question, lists_options=lalm.style.scores == "letters")
        beside = () if given is None else (given,)  # a LALM that takes no evidence may not know the argument
        if not choices:
            return await listen(lalm, messages, clips, *beside)
        if len(clips) == 1:
            return await lalm.choose(messages, clips[0], choices, *beside)
        assert isinstance(lalm, MultiClipLALM), SEVERAL
        return await lalm.choose_of_several(messages, clips, choices, *beside)


def _choose_part(lalm: LALM, question: Question, clips: Sequence[AudioClip]) -> ClipPart | None:
    """Choose the part of a recording that a LALM hears, where it cannot find the span that the question names."""
    if not lalm.style.hears_spans or len(clips) > 1:
        return None
    span = choose_span(question.text, clips[0].duration_s)
    return ClipPart(span.start_s, span.end_s, clips[0].cut(span.start_s, span.end_s)) if span else None


def require_room(lalm: LALM, clips: Sequence[AudioClip]) -> None:
    """Raise `TooManyClips` where a LALM does not hear so many recordings in one question."""
    if len(clips) > (num := lalm.style.max_clips):
        most = "one recording" if num == 1 else f"at most {num} recordings"
        raise TooManyClips(
            f"The question is about {len(clips)} recordings; the LALM {lalm.name!r} hears {most} in a question. Ask on "
            "path cascade, or name a LALM that hears more."
        )


async def listen(
    lalm: LALM, messages: tuple[Message, ...], clips: tuple[AudioClip, ...], *beside: Statements
) -> Reading:
    """Have a LALM reply in words to a prompt about one recording or several, for all of which it has room."""
    if len(clips) == 1:
        return await lalm.listen(messages, clips[0], *beside)
    assert isinstance(lalm, MultiClipLALM), SEVERAL
    return await lalm.listen_to_several(messages, clips, *beside)


def _format_note(lalm: LALM, reading: Reading, part: ClipPart | None) -> str:
    """Name the LALM, what it heard of the recording, and who wrote what it was given."""
    name = f"{lalm.name}, hears {part.start_s:.1f}-{part.end_s:.1f} s" if part else lalm.name
    sources = ", ".join(dict.fromkeys(one.source for one in reading.given))
    if all(one.kind == "transcript" for one in reading.given):
        return f"{name}, given a transcript by {sources}" if sources else name
    return f"{name}, given {format_count(len(reading.given), 'statement')} by {sources}"


def _list_given(reading: Reading, part: ClipPart | None) -> tuple[Evidence, ...]:
    """List what the LALM was given beside the sound, as evidence that it read; of what it heard in a part, when."""
    timed = reading.given if part is None else tuple(shift_statement(one, part) for one in reading.given)
    return tuple(one.model_copy(update={"step": one.step or "listen", "use": "read"}) for one in timed)


def _choose(question: Question, reading: Reading) -> Choice | None:
    """Choose the likeliest option; without probabilities, the one that the reply names."""
    if reading.probabilities:
        return max(question.choices, key=lambda choice: reading.probabilities[choice.letter])
    return read_choice(reading.reply, question.choices) if question.choices else None
