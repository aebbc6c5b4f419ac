"""Common reason of a total failure: one line for what did nothing at all, such as a run whose every item failed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eval.store.stored import read_predictions

LONGEST_REASON = 300  # characters of a reason in the line; the run folder has all of it


def describe_total_failure(what: str, reasons: Sequence[str]) -> str:
    """Return one line with the reason that most failures share; `what` says what failed."""
    [(reason, num)] = Counter(map(_take_last_line, reasons)).most_common(1)
    shared = "" if num == len(reasons) else f" {num} time{'s' if num > 1 else ''} of {len(reasons)}"
    return f"{what}; the reason{shared}: {reason}"


def find_failures(folder: Path, num_items: int) -> tuple[str, ...]:
    """Return why each item of a run failed; nothing where one of them did not."""
    reasons = tuple(one.failed for one in read_predictions(folder) if one.failed is not None)
    return reasons if len(reasons) == num_items else ()


def _take_last_line(reason: str) -> str:
    line = (reason.strip().splitlines() or ["none was given"])[-1].strip()
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]} …"
