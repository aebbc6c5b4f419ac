"""Statements on what is not heard: that nobody speaks, or that there is no music.

Of what is missing no other statement says anything, and a question may ask for just that.
"""

from collections.abc import Iterable, Iterator, Sequence

from services.captioners.statement import UNDATED
from services.types import Evidence, Label

SOURCE = "absence"
NO_SPEECH, NO_MUSIC = "no speech", "no music"


def state_absence(absent: Sequence[str], confidence: float) -> Evidence:
    """State in one sentence that there is no speech, no music or neither in a whole clip."""
    labels = tuple(Label.round_to_label(one, confidence) for one in absent)
    told = ", ".join(map(str, labels))
    return Evidence(
        kind="absence",
        source=SOURCE,
        revision=UNDATED,
        text=f"Nobody speaks: {told}." if NO_SPEECH in absent else f"There is {told}.",
        labels=labels,
        confidence=round(confidence, 2),
    )


def join_absences(statements: Iterable[Evidence]) -> Iterator[Evidence]:
    """Join statements on parts that follow one another and lack the same; other statements go through."""
    open_: Evidence | None = None
    for one in statements:
        if one.kind != "absence":
            yield one
        elif open_ is not None and (one.text, one.start_s) == (open_.text, open_.end_s):
            open_ = open_.model_copy(update={"end_s": one.end_s})
        else:
            yield from (open_,) if open_ else ()
            open_ = one
    yield from (open_,) if open_ else ()
