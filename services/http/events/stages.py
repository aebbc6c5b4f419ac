"""Events of a streamed answer: stages of the work as they begin, come further and end, then the answer."""

from typing import Literal

from services.http.answering import Answered
from services.http.events.stream import EventSink
from services.progress import ProgressEvent, StageAdvanced, StageOutcome, StageStarted, Unit
from services.types import Value


class StageStartedEvent(Value):
    """A stage began."""

    type: Literal["stage.started"] = "stage.started"
    stage: int
    """Number of the stage in this answer, from 1; several may run at once."""
    name: str
    """Such as `caption`, `transcribe`, `read`, `listen again` or `listen`."""
    total: float | None
    """None: how much there is to do is not known."""
    unit: Unit


class StageAdvancedEvent(Value):
    """A stage came further."""

    type: Literal["stage.advanced"] = "stage.advanced"
    stage: int
    done: float
    total: float | None
    unit: Unit


class StageEndedEvent(Value):
    """A stage ended."""

    type: Literal["stage.ended"] = "stage.ended"
    stage: int
    name: str
    seconds: float
    outcome: StageOutcome


class AnswerEvent(Value):
    """The answer, as it comes without a stream."""

    type: Literal["answer"] = "answer"
    answer: Answered


class StageEvents:
    """Sends the progress of one request as events."""

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._numbers: dict[int, int] = {}
        """Number of a stage in this process, which would tell how much others ask -> its number in this answer."""

    def __call__(self, event: ProgressEvent) -> None:
        """Send an event of a stage."""
        number = self._numbers.setdefault(event.stage, len(self._numbers) + 1)
        if isinstance(event, StageStarted):
            self._sink.send(StageStartedEvent(stage=number, name=event.name, total=event.total, unit=event.unit))
        elif isinstance(event, StageAdvanced):
            self._sink.send(StageAdvancedEvent(stage=number, done=event.done, total=event.total, unit=event.unit))
        else:
            ended = StageEndedEvent(stage=number, name=event.name, seconds=event.seconds, outcome=event.outcome)
            self._sink.send(ended)
