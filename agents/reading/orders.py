"""Orders of the options: which rotations a small LLM reads, so that its preference for some letters cancels out."""

from services.types import ReadingStyle


def plan_orders(style: ReadingStyle, num_options: int) -> tuple[int, ...]:
    """Return the rotations to read, by how many options each, spread evenly.

    In neighbouring rotations an option among many would keep nearly the same letter. A model that scores the texts of
    the options reads them once.
    """
    count = 1 if style.scores == "texts" else min(style.num_rotations, num_options)
    return tuple(place * num_options // count for place in range(count))
