"""On whose behalf work is done: goes with every call of a model, into the process that does the work too."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

LookupResult: TypeAlias = Literal["hit", "joined", "miss"]


class Lookup(NamedTuple):
    """What came of one look into the perception cache."""

    kind: str
    """captions or transcripts."""
    result: LookupResult


@dataclass(frozen=True, slots=True)
class Call:
    """Whom work is for."""

    request_id: str = ""
    tenant: str = ""
    """Name of the API key; empty where none is asked for."""
    traceparent: str = ""
    """Span that the work belongs to, as W3C Trace Context; empty where nothing is traced."""
    lookups: list[Lookup] = field(default_factory=list)
    """What the perception cache was asked for, added to as it is."""


_current: ContextVar[Call | None] = ContextVar("earwitness_call", default=None)


def current_call() -> Call:
    """Return on whose behalf this task works; nobody's outside of requests."""
    return _current.get() or Call()


@contextmanager
def calling(call: Call) -> Iterator[Call]:
    """Work on somebody's behalf."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
