"""Hearing long-form audio: a captioner or an ASR takes one part after the other, and what it says is put together.

Each part is heard by itself, so memory and the loss of an interruption are bounded by a part: in the perception cache
every part that is done stays. Where time is short or a part fails, the others are kept, and what is left out is named.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, TypeAlias

from services.captioners.absence import join_absences
from services.deadline import TimeBudget, limit_time
from services.errors import EarwitnessError, TookTooLong
from services.longform.clock import format_clock
from services.longform.overview import sum_up
from services.longform.split import ClipPart
from services.progress import get_stage
from services.types import AudioClip, Evidence, Value

Statements: TypeAlias = tuple[Evidence, ...]
Listen: TypeAlias = Callable[[AudioClip], Awaitable[Statements]]

MOST_FAILURES = 2  # parts that fail one after the other, after which the model is taken for down
UNDATED = frozenset({"absence", "language", "transcript"})
"""Kinds whose words name no times of their part."""


class LeftOut(Value):
    """A span of a recording that was not heard."""

    recording: int | None = None
    """Number of the recording; None: there is but one."""
    start_s: float
    end_s: float
    why: str

    def __str__(self) -> str:
        """Return the span with the reason, as `Answer.degraded` has it behind what is missing there."""
        of = "" if self.recording is None else f"of recording {self.recording} "
        return f"{of}from {format_clock(self.start_s)} to {format_clock(self.end_s)}: {self.why}"


class HeardParts(NamedTuple):
    """What was heard of a recording, or of several."""

    statements: Statements
    """In order of the recordings and of their start, times in the whole recording."""
    num_heard: int
    """Parts that were heard."""
    left_out: tuple[LeftOut, ...] = ()
    """Spans that were not, in order; neighbours with one reason are joined."""


class _Part(NamedTuple):
    place: ClipPart
    heard: Statements | None
    error: EarwitnessError | None = None


async def hear_parts(
    parts: Sequence[ClipPart],
    listen: Listen,
    *,
    budget: TimeBudget | None = None,
    tolerates: tuple[type[EarwitnessError], ...] = (),
) -> HeardParts:
    """Hear the parts in the order given.

    Args:
        parts: of one recording, or of several.
        listen: hears a part.
        budget: time for all of them; None: all that it takes.
        tolerates: errors that leave a part out, `TookTooLong` also those after it. Any other error is raised, and so is
            a tolerated one where nothing could be heard at all.
    """
    done: list[_Part] = []
    now = asyncio.get_running_loop().time
    end = None if budget is None else now() + budget.seconds
    for part in parts:
        error = _find_lasting(done)
        if error is None:
            left = None if budget is None or end is None else budget._replace(seconds=max(0.0, end - now()))
            done.append(await _hear(part, listen, left, tolerates))
            get_stage().advance_to(sum(one.place.end_s - one.place.start_s for one in done))
        else:
            done.append(_Part(part, None, error))
    errors = [one.error for one in done if one.error]
    if len(errors) == len(done):
        raise errors[0]
    in_order = sorted(done, key=lambda one: (one.place.recording or 0, one.place.start_s))
    return HeardParts(tuple(_join_each(in_order)), len(done) - len(errors), tuple(_list_left_out(in_order)))


async def _hear(
    part: ClipPart, listen: Listen, left: TimeBudget | None, tolerates: tuple[type[EarwitnessError], ...]
) -> _Part:
    try:
        if left is None:
            return _Part(part, await listen(part.clip))
        async with limit_time(*left):
            return _Part(part, await listen(part.clip))
    except tolerates as error:
        return _Part(part, None, error)


def _find_lasting(done: list[_Part]) -> EarwitnessError | None:
    """Return the error that the parts to come would meet too: the time is over, or the model is down."""
    last = done[-MOST_FAILURES:]
    if last and isinstance(last[-1].error, TookTooLong):
        return last[-1].error
    return last[-1].error if len(last) == MOST_FAILURES and all(one.error for one in last) else None


def _list_left_out(done: list[_Part]) -> Iterator[LeftOut]:
    for (recording, why), same in groupby(
        done, key=lambda one: (one.place.recording, str(one.error) if one.error else "")
    ):
        spans = [one.place for one in same]
        if why:
            yield LeftOut(recording=recording, start_s=spans[0].start_s, end_s=spans[-1].end_s, why=why)


def _join_each(done: list[_Part]) -> Iterator[Evidence]:
    """Yield the statements on each recording, which name it where there are several."""
    for recording, of_one in groupby(done, key=lambda one: one.place.recording):
        yield from name_recording(_join(list(of_one)), recording)


def name_recording(statements: Statements, recording: int | None) -> Statements:
    """Return statements that name the recording they are about; None: there is but one."""
    if recording is None:
        return statements
    return tuple(one.model_copy(update={"recording": recording}) for one in statements)


def _join(done: list[_Part]) -> Statements:
    if len(done) == 1:
        return done[0].heard or ()
    shifted = [
        tuple(shift_statement(statement, one.place) for statement in one.heard) for one in done if one.heard is not None
    ]
    each = (statement for part in shifted for statement in part)
    told = (*sum_up(shifted), *join_absences(_join_languages(each)))
    return tuple(sorted(told, key=lambda statement: statement.start_s))


def shift_statement(statement: Evidence, part: ClipPart) -> Evidence:
    """Return a statement about a part as one about the whole; where its words may name times, they say from where."""
    if statement.kind in UNDATED:
        return shift_times(statement, part)
    dated = f"{part} (0 s is {format_clock(part.start_s)}): {statement.text}"
    return shift_times(statement, part).model_copy(update={"text": dated})


def shift_times(statement: Evidence, part: ClipPart) -> Evidence:
    """Return a statement about a part with its times in the whole."""
    start_s = round(statement.start_s + part.start_s, 2)
    end_s = round(part.end_s if statement.end_s is None else statement.end_s + part.start_s, 2)
    return statement.model_copy(update={"start_s": start_s, "end_s": end_s})


def _join_languages(statements: Iterable[Evidence]) -> Iterator[Evidence]:
    """Join the statements on the language of neighbouring parts to one where it stays the same: the surest."""
    languages: list[Evidence] = []
    for one in statements:
        if one.kind == "language":
            languages.append(one)
        else:
            yield one
    for _, same in groupby(languages, key=lambda one: one.language or one.text):
        spans = list(same)
        surest = max(spans, key=lambda one: one.confidence or 0.0)
        yield surest.model_copy(update={"start_s": spans[0].start_s, "end_s": spans[-1].end_s})
