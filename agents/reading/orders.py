"""Orders of the options: which rotations a small LLM reads, so that its preference for some letters cancels out."""

from services.types import ReadingStyle


def plan_orders(style: ReadingStyle, num_options: int) -> tuple[int, ...]:
    """Return the rotations to read, by how many options each, spread evenly.

    Within a few neighbouring rotations an option among many would keep nearly the same letter. A model that scores
    the texts of the options reads them once.
    """
    if style.scores == "texts":
        return (0,)
    grown = -(-num_options // style.options_per_order) if style.options_per_order else 0
    count = min(num_options, max(style.num_rotations, grown))
    return tuple(place * num_options // count for place in range(count))
