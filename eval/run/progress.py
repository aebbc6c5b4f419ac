"""Progress of a run: what a pass tells whoever watches it, such as a bar on a terminal; where nobody does, nothing."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeAlias

from eval.scoring.scoring import Verdict
from eval.store.records import Prediction


class PassWatcher(Protocol):
    """Watches a pass over a benchmark."""

    def add(self, prediction: Prediction) -> None:
        """Take note of a finished item."""

    def say(self, line: str) -> None:
        """Take note of what a user should know."""


WatchPass: TypeAlias = Callable[[int, Collection[Verdict], str], AbstractContextManager[PassWatcher]]
"""Number of items, what is finished of them, and the name of the pass -> its watcher, while it lasts."""


class _Nobody:
    def add(self, prediction: Prediction) -> None:
        """Nothing."""

    def say(self, line: str) -> None:
        """Nothing."""


_watch: ContextVar[WatchPass | None] = ContextVar("earwitness_watch_pass", default=None)


@contextmanager
def watch_passes(watch: WatchPass) -> Iterator[None]:
    """Have all passes of the block watched."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


@contextmanager
def open_watcher(num_items: int, finished: Collection[Verdict], title: str) -> Iterator[PassWatcher]:
    """Give whoever watches the pass of the block."""
    watch = _watch.get()
    if watch is None:
        yield _Nobody()
        return
    with watch(num_items, finished, title) as watcher:
        yield watcher
