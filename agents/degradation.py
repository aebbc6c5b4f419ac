"""Graceful degradation and timeouts: what answers when a part is down or late, and the share of the time of each step.

missing              the answer rests on
captioner            the transcript, with what the ASR says beside it
ASR                  the captions
captioner and ASR    the LALM
LLM                  the LALM
LALM                 the cascade
listening again      the answer as it was before
all of them          nothing: `ModelError`, or `TookTooLong` where a part was late

A part is missing when it raises `ModelError`, or is late: not done within its share of the time. Any other error is a
bug and keeps its traceback. `STRICT` tolerates no missing part; `earwitness eval run` uses it. Models are opened
before the first question: one that cannot be opened is an error at the start, not a degraded answer.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from services.deadline import TimeBudget, compute_remaining_s, limit_time
from services.errors import EarwitnessError, ModelError, TookTooLong

PartName: TypeAlias = Literal["captioner", "ASR", "LLM", "LALM", "listening again"]
Step: TypeAlias = Literal["caption", "transcribe", "read", "listen again", "listen", "listen first", "inform", "reason"]
AnsweringArm: TypeAlias = Literal["same", "cascade", "lalm", "none"]
Done = TypeVar("Done")

SHARES: Mapping[Step, float] = {
    "caption": 0.5,  # in parallel with the ASR
    "transcribe": 0.5,
    "read": 0.7,
    "listen again": 0.5,
    "listen": 0.9,  # beside the cascade, or in its place
    "listen first": 0.5,  # alone: the cascade may have to stand in
    "inform": 0.9,  # on path informed, after captioner and ASR
    "reason": 0.9,  # after the answer, where its reasons are asked for
}
"""Step -> share of the time left when it starts. What a step does not take is left to those after it; of 10 s captioner
and ASR get 5 s, the LLM is done after 8.5 s at the latest, listening again after 9.25 s, the LALM after 9 s."""


class DegradationRow(NamedTuple):
    """One row of the degradation policy."""

    missing: frozenset[PartName]
    arm: AnsweringArm
    """The arm that answers; same: the one that was routed to, with what is left."""
    rests_on: str


POLICY = (
    DegradationRow(frozenset({"LLM", "LALM"}), "none", "nothing"),
    DegradationRow(frozenset({"captioner", "ASR", "LALM"}), "none", "nothing"),
    DegradationRow(frozenset({"captioner", "ASR"}), "lalm", "the LALM"),
    DegradationRow(frozenset({"LLM"}), "lalm", "the LALM"),
    DegradationRow(frozenset({"LALM"}), "cascade", "the cascade"),
    DegradationRow(frozenset({"captioner"}), "same", "the transcript"),
    DegradationRow(frozenset({"ASR"}), "same", "the captions"),
    DegradationRow(frozenset({"listening again"}), "same", "the answer as it was before"),
)
"""The first row whose parts are all missing decides."""


class MissingPart(NamedTuple):
    """A part that is missing."""

    part: PartName
    why: str
    is_late: bool

    @property
    def text(self) -> str:
        """As `Answer.degraded` has it."""
        return f"no {self.part}: {self.why}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Which errors make a part missing, instead of failing the answer."""

    tolerates: tuple[type[EarwitnessError], ...]


STRICT = Policy(tolerates=())
DEGRADING = Policy(tolerates=(ModelError, TookTooLong))


def make_missing_part(part: PartName, error: EarwitnessError) -> MissingPart:
    """Return the part that an error makes missing."""
    return MissingPart(part, str(error), isinstance(error, TookTooLong))


def find_row(failures: Sequence[MissingPart]) -> DegradationRow | None:
    """Find the row of the policy for these failures; None where nothing is missing."""
    missing = {one.part for one in failures}
    return next((row for row in POLICY if row.missing <= missing), None)


def list_missing(failures: Sequence[MissingPart]) -> tuple[str, ...]:
    """List what was missing, as `Answer.degraded` has it."""
    return tuple(one.text for one in failures)


def make_down_error(failures: Sequence[MissingPart]) -> EarwitnessError:
    """Make the error of a question that no part is left to answer."""
    error = TookTooLong if any(one.is_late for one in failures) else ModelError
    return error(failures[0].why if len(failures) == 1 else "; ".join(list_missing(failures)))


def share_time(step: Step) -> TimeBudget | None:
    """Return a step's share of the time left; None without a deadline."""
    left = compute_remaining_s()
    if left is None:
        return None
    share_s = SHARES[step] * left
    return TimeBudget(share_s, f"The step {step!r} was not done within {share_s:.1f} s, its share of the time.")


async def run_in_time(step: Step, work: Awaitable[Done]) -> Done:
    """Run a step with a timeout, its share of the time left; without a deadline there is none."""
    budget = share_time(step)
    if budget is None:
        return await work
    async with limit_time(*budget):
        return await work
