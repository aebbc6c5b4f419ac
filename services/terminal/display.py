"""Progress display: the progress of a block of work on stderr, if that is a terminal and `--quiet` is not given."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from services.progress import report_progress_to
from services.terminal.interruption import act_on_interrupt


@contextmanager
def show_progress(*, quiet: bool = False, transient: bool = False) -> Iterator[None]:
    """Show a line for each stage of the block.

    Args:
        quiet: show nothing.
        transient: take the lines away at the end; where many blocks follow each other, they would pile up.
    """
    if quiet or not sys.stderr.isatty():
        yield
        return
    from services.terminal.bars import StageBars  # the library behind it takes 60 ms to import

    bars = StageBars(transient=transient)
    with report_progress_to(bars.show), act_on_interrupt(bars.leave):
        bars.start()
        try:
            yield
        finally:
            bars.stop()
