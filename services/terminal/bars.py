"""Progress bars: a line for each stage, with its seconds, and where its end is known a bar and the time left."""

import os
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.filesize import decimal
from rich.progress import Progress, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Column, Table

from services.progress import ProgressEvent, StageAdvanced, StageEnded, StageStarted, Unit

NARROW = 60  # characters; below it words need the room of the bar
BAR_WIDTH = 20
REFRESH_PER_S = 8
SHOW_CURSOR = b"\x1b[?25h\n"  # DECTCEM
RUNNING, MARKS = "·", {"done": "✓", "failed": "✗", "cancelled": "-"}


class StageBars:
    """The lines of stages on stderr, redrawn in place; events may come from any thread.

    Args:
        transient: take the lines away at the end.
    """

    def __init__(self, *, transient: bool) -> None:
        self._progress = _Lines(Console(stderr=True, markup=False, highlight=False), transient=transient)
        self._tasks: dict[int, TaskID] = {}

    def start(self) -> None:
        """Draw the lines from now on."""
        self._progress.start()

    def stop(self) -> None:
        """Draw the lines a last time, or take them away."""
        self._progress.stop()

    def leave(self) -> None:
        """Leave the lines as they are, and give the cursor back: after the ^C of a terminal none can be redrawn."""
        os.write(2, SHOW_CURSOR)  # Rich would draw the lines again

    def show(self, event: ProgressEvent) -> None:
        """Show what happened."""
        match event:
            case StageStarted():
                task = self._progress.add_task(event.name, total=event.total, unit=event.unit, mark=RUNNING)
                self._tasks[event.stage] = task
            case StageAdvanced():
                task = self._tasks[event.stage]
                self._progress.update(task, completed=event.done, total=event.total, unit=event.unit)
            case StageEnded():
                task = self._tasks.pop(event.stage)
                self._progress.update(task, mark=MARKS[event.outcome])
                self._progress.stop_task(task)


class _Lines(Progress):
    """Rich's progress, one line a task."""

    def __init__(self, console: Console, *, transient: bool) -> None:
        self._screen = console
        super().__init__(console=console, transient=transient, redirect_stdout=False, refresh_per_second=REFRESH_PER_S)

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        """Lay the tasks out as lines: mark and name, seconds, bar, amount; text is folded, never cut off."""
        has_bars = self._screen.width >= NARROW
        columns = [Column(overflow="fold"), Column(justify="right", no_wrap=True), Column(), Column(overflow="fold")]
        table = Table.grid(*columns, padding=(0, 1))
        for task in tasks:
            bar = _draw_bar(task) if has_bars else ""
            seconds = f"{task.elapsed or 0:.1f} s"
            table.add_row(f"{task.fields['mark']} {task.description}", seconds, bar, _format_amount(task))
        return table


def _is_measured(task: Task) -> bool:
    """Say whether it is known how far a running task is; one that is soon done never says."""
    return task.fields["mark"] == RUNNING and bool(task.total) and task.completed > 0


def _draw_bar(task: Task) -> RenderableType:
    if not _is_measured(task):
        return ""
    return ProgressBar(total=task.total, completed=task.completed, width=BAR_WIDTH)


def _format_amount(task: Task) -> str:
    """Format how much of how much is done, the rate of bytes and the time left."""
    if not _is_measured(task) or task.total is None:
        return ""
    parts = [_format_share(task.completed, task.total, task.fields["unit"])]
    if task.fields["unit"] == "bytes" and task.speed:
        parts.append(f"{decimal(int(task.speed))}/s")
    if task.time_remaining:
        parts.append(f"{_format_clock(task.time_remaining)} left")
    return ", ".join(parts)


def _format_share(done: float, total: float, unit: Unit) -> str:
    if unit == "bytes":
        return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
    if unit == "seconds of audio":
        return f"{_format_clock(done)} of {_format_clock(total)} of audio"
    return f"{done:.0f} of {total:.0f} {unit}"


def _format_clock(seconds: float) -> str:
    hours, minutes = divmod(round(seconds) // 60, 60)
    return (f"{hours}:{minutes:02d}" if hours else f"{minutes}") + f":{round(seconds) % 60:02d}"
