"""Negative statements: nobody speaks, or there is no music.

The other analyses report only what they hear, and a question may ask about what is missing.
"""

from collections.abc import Iterable, Iterator, Sequence

from services.captioners.statement import UNDATED
from services.types import Evidence, Label

SOURCE = "absence"
NO_SPEECH, NO_MUSIC = "no speech", "no music"


def state_absence(absent: Sequence[str], confidence: float) -> Evidence:
    """State in one sentence that a whole clip has no speech, no music or neither."""
    labels = tuple(Label.round_to_label(one, confidence) for one in absent)
    listed = ", ".join(map(str, labels))
    return Evidence(
        kind="absence",
        source=SOURCE,
        revision=UNDATED,
        text=f"Nobody speaks: {listed}." if NO_SPEECH in absent else f"There is {listed}.",
        labels=labels,
        confidence=round(confidence, 2),
    )


def join_absences(statements: Iterable[Evidence]) -> Iterator[Evidence]:
    """Join negative statements about consecutive parts that lack the same; other statements pass unchanged."""
    open_: Evidence | None = None
    for one in statements:
        if one.kind != "absence":
            yield one
        elif open_ is not None and (one.labels, one.start_s) == (open_.labels, open_.end_s):
            open_ = open_.model_copy(update={"end_s": one.end_s})
        else:
            yield from (open_,) if open_ else ()
            open_ = one
    yield from (open_,) if open_ else ()
