"""The tool for order: which option is first, last, next to another sound, longest, or the order that was heard.

The captioner tells how likely each event is in each section; code reasons over that, as small LLMs cannot (docs/log,
2026-11-30). Where the options are not events that the captioner tells apart, it tells the order in its own words.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.listening.classifiers.relation import Relation, estimate_relations
from agents.listening.hearing_tools import FocusArguments, caption_with, cut_part
from agents.listening.ordering.sequences import Steps, read_sequences
from agents.listening.ordering.solver import TimedSection, merge_sections, weigh_events, weigh_orders
from agents.listening.tool import ListenedClip, Listeners, ToolResult
from services.captioners.sounds.mentions import find_mention
from services.digest import hash_modules
from services.longform.hearing import shift_statement
from services.types import Evidence, Focus, Label, Question

CODE = (
    "agents.listening.ordering",
    "agents.listening.classifiers.relation",
    "agents.listening.classifiers.text_classifier",
    "services.sentences",
)
"""What decides which order of sounds is told, beside the captioner."""
LEAST_ASKED = 0.3  # probability that a relation is asked for, and that something stands in it, to weigh the options
LEAST_BESIDE = 0.1  # probability that it asks what is next to another sound, from which that is looked for
MOST_TOLD = 8  # sections that the text lists

_tell_order = caption_with("order")


def estimate_asks_order(question: Question) -> float:
    """Estimate the probability that a question asks how sounds lie in time.

    Of several recordings one is the first and one the last: it is 0.
    """
    return 0.0 if question.num_clips > 1 else sum(estimate_relations(question.text).values())


def has_orders(question: Question) -> bool:
    """Tell whether the options are orders of the same events."""
    return bool(read_sequences([choice.text for choice in question.choices]))


async def find_order(listeners: Listeners, heard: ListenedClip, arguments: FocusArguments) -> ToolResult:
    """Weigh the options by a timeline; where that says nothing of them, have the captioner tell the order."""
    part = cut_part(heard.clip, arguments)
    if (asked := _read_asked(arguments)) is not None:
        focus = Focus(topic="timeline", question=arguments.question, options=asked.names)
        told = await listeners.captioner.caption(part.clip, focus)
        sections = merge_sections(_read_sections(told, asked.names))
        weights = asked.weigh(sections) if len(sections) > 1 else ()
        if sum(weights) >= LEAST_ASKED:
            finding = _state(arguments.options, weights, sections, told[0])
            return ToolResult((finding if part.clip is heard.clip else shift_statement(finding, part),))
    return await _tell_order(listeners, heard, arguments)


class _Asked(NamedTuple):
    """What a question asks of a timeline."""

    events: tuple[str, ...]
    """The options, or the steps of those that are orders."""
    orders: tuple[Steps, ...]
    """Of each option; empty where the options are single events."""
    relations: Mapping[Relation, float]
    """How likely each is, if it asks for one; empty for orders."""
    anchor: str | None
    """The event that the question names, beside which another one is asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """All events that have to be heard."""
        return (*self.events, self.anchor) if self.anchor and self.anchor not in self.events else self.events

    def weigh(self, sections: Sequence[TimedSection]) -> tuple[float, ...]:
        """Weigh the options by what is heard; they sum to 1 at most."""
        if self.orders:
            return weigh_orders(self.orders, sections)
        return weigh_events(self.events, sections, self.relations, self.anchor)


def _read_asked(arguments: FocusArguments) -> _Asked | None:
    """Read what a question asks of a timeline; None where it asks for nothing that lies in time."""
    if orders := read_sequences(arguments.options):
        return _Asked(tuple(dict.fromkeys(step for steps in orders for step in steps)), orders, {}, None)
    events = tuple(option.strip().lower() for option in arguments.options)
    estimates = estimate_relations(arguments.question)
    total = sum(estimates.values())
    if len(set(events)) < 2 or total < LEAST_ASKED:
        return None
    relations = {relation: share / total for relation, share in estimates.items()}  # the tool was called for one
    is_beside = relations["next"] + relations["previous"] >= LEAST_BESIDE
    anchor = find_mention(arguments.question, with_voices=True) if is_beside else None
    return _Asked(events, (), relations, anchor.lower() if anchor else None)


def _read_sections(told: Sequence[Evidence], events: Sequence[str]) -> list[TimedSection]:
    """Read the sections of a timeline; none where a captioner says something else."""
    if any({label.text for label in one.labels} != set(events) for one in told):
        return []
    return [
        TimedSection(
            one.start_s, one.end_s or one.start_s, {label.text: label.probability or 0.0 for label in one.labels}
        )
        for one in told
    ]


def _state(
    options: Sequence[str], weights: Sequence[float], sections: Sequence[TimedSection], told: Evidence
) -> Evidence:
    """State the timeline and what it says of the options, the likeliest first; what it leaves open is theirs alike."""
    left = (1 - sum(weights)) / len(options)
    labels = [Label.round_to_label(option, weight + left) for option, weight in zip(options, weights, strict=True)]
    labels.sort(key=lambda label: -(label.probability or 0.0))
    listed = ", ".join(
        f"{section.likeliest or 'something else'} ({section.start_s:.1f}-{section.end_s:.1f} s)"
        for section in sections[:MOST_TOLD]
    )
    text = f"Heard in order: {listed}. Of the options, most like: {', else '.join(map(str, labels[:2]))}."
    return told.model_copy(
        update={
            "text": text,
            "labels": tuple(labels),
            "revision": f"{told.revision}-{hash_modules(*CODE)[:8]}",
            "start_s": sections[0].start_s,
            "end_s": sections[-1].end_s,
            "confidence": labels[0].probability,
        }
    )
