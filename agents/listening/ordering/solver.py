"""Temporal reasoning over a timeline: how likely each option is what a question asks for.

A timeline says of each section how likely it is each event. Single events are weighed where a relation places them,
over the relations that a question may ask for; orders of events by their best alignment with the sections (Viterbi).
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import NamedTuple

from agents.listening.classifiers.relation import Relation
from agents.listening.ordering.sequences import Steps

TINY = 1e-3  # probability that an event is heard where the tagger hears none of it
SHORTEST_S = 0.3  # of a section that no event explains, and that takes a place in the order
NTH: Mapping[Relation, int] = {"first": 0, "second": 1, "third": 2, "last": -1}


class TimedSection(NamedTuple):
    """A section of a recording."""

    start_s: float
    end_s: float
    shares: Mapping[str, float]
    """Event -> probability that it is what is heard; what is left to 1 is for anything else."""

    @property
    def likeliest(self) -> str | None:
        """The likeliest event; None where anything else is."""
        best = max(self.shares, key=self.shares.__getitem__)
        return best if self.shares[best] > self.share_of_others else None

    @property
    def share_of_others(self) -> float:
        """Probability that none of the events is heard."""
        return max(0.0, 1 - sum(self.shares.values()))


def merge_sections(sections: Sequence[TimedSection]) -> tuple[TimedSection, ...]:
    """Merge neighbours that are the same event, and drop short ones that are none."""
    merged: list[TimedSection] = []
    for section in sections:
        if section.likeliest is None and section.end_s - section.start_s < SHORTEST_S:
            continue
        if merged and section.likeliest is not None and merged[-1].likeliest == section.likeliest:
            merged[-1] = _join(merged[-1], section)
        else:
            merged.append(section)
    return tuple(merged)


def _join(one: TimedSection, other: TimedSection) -> TimedSection:
    shares = {event: max(share, other.shares[event]) for event, share in one.shares.items()}
    total = max(1.0, sum(shares.values()))
    return TimedSection(one.start_s, other.end_s, {event: share / total for event, share in shares.items()})


def weigh_events(
    options: Sequence[str],
    sections: Sequence[TimedSection],
    relations: Mapping[Relation, float],
    anchor: str | None,
) -> tuple[float, ...]:
    """Weigh options that are events; they sum to the probability that the question asks for a relation that holds.

    Args:
        options: events of the sections.
        sections: merged.
        relations: how likely the question asks for each.
        anchor: the event that the question names, for the one next to it; None: it names none that is heard.
    """
    weights = [0.0] * len(options)
    for relation, share in relations.items():
        for place, weight in enumerate(_weigh_related(options, sections, relation, anchor)):
            weights[place] += share * weight
    return tuple(weights)


def _weigh_related(
    options: Sequence[str], sections: Sequence[TimedSection], relation: Relation, anchor: str | None
) -> tuple[float, ...]:
    """Weigh the options for one relation: they sum to 1, or are all 0 where nothing stands in it.

    What is recognised as none of the options may be one that is not recognised anywhere else, rather than one that is.
    """
    if relation in ("longest", "shortest"):
        return _weigh_lengths(options, sections, longest=relation == "longest")
    found = _find_related(sections, relation, anchor)
    if found is None:
        return (0.0,) * len(options)
    others = [section for section in sections if section is not found]
    unheard = [1 - max((section.shares[option] for section in others), default=0.0) for option in options]
    shares = [
        max(TINY, found.shares[option] + found.share_of_others * missing / len(options))
        for option, missing in zip(options, unheard, strict=True)
    ]
    return tuple(share / sum(shares) for share in shares)


def _find_related(sections: Sequence[TimedSection], relation: Relation, anchor: str | None) -> TimedSection | None:
    """Return the section that stands in a relation to the others, or to that of the anchor."""
    if relation in NTH:
        place = NTH[relation]
        return sections[place] if place < len(sections) else None
    if anchor is None or not sections:
        return None
    at = max(range(len(sections)), key=lambda place: sections[place].shares[anchor])
    if sections[at].likeliest != anchor:
        return None
    step = 1 if relation == "next" else -1
    return sections[at + step] if 0 <= at + step < len(sections) else None


def _weigh_lengths(options: Sequence[str], sections: Sequence[TimedSection], *, longest: bool) -> tuple[float, ...]:
    """Weigh the options by how long each is heard in all, as a share; an event that is not heard has no length."""
    lengths_s = [
        sum(section.end_s - section.start_s for section in sections if section.likeliest == option)
        for option in options
    ]
    heard_s = [length_s for length_s in lengths_s if length_s > 0]
    if len(heard_s) < 2:
        return (0.0,) * len(options)
    powers = [(length_s if longest else 1 / length_s) ** 4 if length_s > 0 else 0.0 for length_s in lengths_s]
    return tuple(power / sum(powers) for power in powers)


def weigh_orders(orders: Sequence[Steps], sections: Sequence[TimedSection]) -> tuple[float, ...]:
    """Weigh options that are orders of events by how well each aligns with the sections; they sum to 1."""
    scores = [_align(steps, sections) for steps in orders]
    powers = [exp(score - max(scores)) for score in scores]
    return tuple(power / sum(powers) for power in powers)


def _align(steps: Steps, sections: Sequence[TimedSection]) -> float:
    """Return the log-probability of the best alignment: each section is the last step again, the next one, or none."""
    best = [0.0] + [float("-inf")] * len(steps)
    for section in sections:
        others = log(max(TINY, section.share_of_others))
        heard = [log(max(TINY, section.shares[step])) for step in steps]
        best = [
            max(
                best[done] + others,
                best[done] + heard[done - 1] if done else float("-inf"),
                best[done - 1] + heard[done - 1] if done else float("-inf"),
            )
            for done in range(len(steps) + 1)
        ]
    return max(score + (len(steps) - done) * log(TINY) for done, score in enumerate(best))
