"""The tool for order: which option is first, last, next to another sound, longest, or the order that was heard.

The captioner tells how likely each event is in each section; code reasons over that, as small LLMs cannot (docs/log,
2026-11-30). Where the options are not events that the captioner tells apart, it tells the order in its own words.
"""

from collections.abc import Mapping, Sequence

from agents.listening.hearing_tools import FocusArguments, caption_with, cut_part
from agents.listening.ordering.relation import Relation, estimate_relations
from agents.listening.ordering.sequences import read_sequences
from agents.listening.ordering.solver import TimedSection, merge_sections, weigh_events, weigh_orders
from agents.listening.tool import ListenedClip, Listeners, ToolResult
from services.captioners.sounds.mentions import find_mention
from services.digest import hash_modules
from services.longform.hearing import shift_statement
from services.types import Evidence, Focus, Label, Question

CODE = "agents.listening.ordering"
LEAST_ASKED = 0.3  # probability that a question asks for a relation, below which the options are not weighed by one
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
    """Weigh the options by a timeline, or tell the order."""
    part = cut_part(heard.clip, arguments)
    orders = read_sequences(arguments.options)
    events = tuple(dict.fromkeys(step for steps in orders for step in steps)) or tuple(
        option.strip().lower() for option in arguments.options
    )
    estimates = estimate_relations(arguments.question)
    asked_at_all = sum(estimates.values())
    if not orders and (len(set(events)) < 2 or asked_at_all < LEAST_ASKED):
        return await _tell_order(listeners, heard, arguments)
    relations = {relation: share / asked_at_all for relation, share in estimates.items()}  # it was called for one
    named = None if orders or not _needs_anchor(relations) else find_mention(arguments.question, with_voices=True)
    anchor = named.lower() if named else None
    asked = (*events, anchor) if anchor and anchor not in events else events
    told = await listeners.captioner.caption(
        part.clip, Focus(topic="timeline", question=arguments.question, options=asked)
    )
    sections = merge_sections(_read_sections(told, asked))
    if len(sections) < 2:
        return await _tell_order(listeners, heard, arguments)
    weights = weigh_orders(orders, sections) if orders else weigh_events(events, sections, relations, anchor)
    if sum(weights) < LEAST_ASKED:  # nothing stands where the question most likely asks
        return await _tell_order(listeners, heard, arguments)
    finding = _state(arguments.options, weights, sections, told[0])
    return ToolResult((finding if part.clip is heard.clip else shift_statement(finding, part),))


def _needs_anchor(relations: Mapping[Relation, float]) -> bool:
    return relations["next"] + relations["previous"] >= LEAST_BESIDE


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
            "revision": f"{told.revision}-{hash_modules(CODE)[:8]}",
            "start_s": sections[0].start_s,
            "end_s": sections[-1].end_s,
            "confidence": labels[0].probability,
        }
    )
