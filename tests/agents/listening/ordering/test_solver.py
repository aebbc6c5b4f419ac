import pytest

from agents.listening.classifiers.relation import Relation
from agents.listening.ordering.solver import TimedSection, merge_sections, weigh_events, weigh_orders

EVENTS = ("dog", "rain", "bell")


def section(start_s: float, end_s: float, **shares: float) -> TimedSection:
    return TimedSection(start_s, end_s, dict.fromkeys(EVENTS, 0.0) | shares)


HEARD = (section(0, 2, dog=0.9), section(2, 3, rain=0.8, bell=0.1), section(3, 8, bell=0.9))


@pytest.mark.parametrize(
    ("relation", "anchor", "event"),
    [
        ("first", None, "dog"),
        ("second", None, "rain"),
        ("third", None, "bell"),
        ("last", None, "bell"),
        ("next", "dog", "rain"),
        ("previous", "bell", "rain"),
        ("longest", None, "bell"),
        ("shortest", None, "rain"),
    ],
)
def test_a_relation_places_an_event(relation: Relation, anchor: str | None, event: str) -> None:
    weights = weigh_events(EVENTS, HEARD, {relation: 1.0}, anchor)
    assert EVENTS[weights.index(max(weights))] == event
    assert sum(weights) == pytest.approx(1)


@pytest.mark.parametrize(
    ("relation", "anchor"),
    [("next", None), ("next", "bell"), ("previous", "dog"), ("third", None)],
)
def test_nothing_is_weighed_where_nothing_stands_in_the_relation(relation: Relation, anchor: str | None) -> None:
    sections = HEARD[:2] if relation == "third" else HEARD
    assert weigh_events(EVENTS, sections, {relation: 1.0}, anchor) == (0, 0, 0)


def test_an_anchor_that_is_not_heard_places_nothing() -> None:
    assert weigh_events(EVENTS, (section(0, 1), section(1, 2, dog=0.9)), {"next": 1.0}, "bell") == (0, 0, 0)


def test_relations_count_as_likely_as_they_are_asked_for() -> None:
    weights = weigh_events(EVENTS, HEARD, {"first": 0.6, "last": 0.3}, None)
    assert sum(weights) == pytest.approx(0.9)
    assert weights[0] > weights[2] > weights[1]


def test_a_short_event_is_no_longest_one_because_it_was_not_heard() -> None:
    assert weigh_events(EVENTS, HEARD[:1], {"shortest": 1.0}, None) == (0, 0, 0)


def test_neighbours_that_are_one_event_become_one_and_short_unknown_ones_go() -> None:
    merged = merge_sections((section(0, 1, dog=0.9), section(1, 1.2), section(1.2, 3, dog=0.7), section(3, 4)))
    assert [(one.start_s, one.end_s, one.likeliest) for one in merged] == [(0, 3, "dog"), (3, 4, None)]


def test_an_order_is_weighed_by_its_best_alignment() -> None:
    orders = (("rain", "dog", "bell"), ("dog", "rain", "bell"), ("dog", "bell", "rain"))
    weights = weigh_orders(orders, HEARD)
    assert weights[1] == max(weights) > 0.8
    assert sum(weights) == pytest.approx(1)


def test_an_order_may_repeat_an_event_and_skip_what_it_does_not_name() -> None:
    heard = (HEARD[0], section(2, 3), HEARD[2], HEARD[0])
    weights = weigh_orders((("dog", "bell", "dog"), ("dog", "bell"), ("bell", "dog")), heard)
    assert weights[0] == max(weights)


def test_a_section_that_goes_on_is_the_same_step_of_an_order() -> None:
    heard = (HEARD[0], section(2, 2.5, dog=0.999), HEARD[2])
    weights = weigh_orders((("dog", "bell"), ("dog", "rain", "bell"), ("bell", "dog")), heard)
    assert weights[0] > 0.9


def test_an_event_that_no_order_names_is_passed_over_at_no_more_than_its_cost() -> None:
    heard = (HEARD[0], section(2, 3), HEARD[2])
    assert weigh_orders((("dog", "bell"), ("dog", "rain", "bell"), ("bell", "dog")), heard)[0] > 0.9


def test_an_order_with_a_step_that_is_not_heard_is_less_likely() -> None:
    weights = weigh_orders((("dog", "rain"), ("dog", "rain", "bell")), HEARD[:2])
    assert weights[0] > 0.99


def test_merged_sections_keep_what_is_surest_of_each_event() -> None:
    (merged,) = merge_sections((section(0, 1, dog=0.5, rain=0.1), section(1, 2, dog=0.8)))
    assert merged.shares == {"dog": 0.8, "rain": 0.1, "bell": 0.0}


def test_a_section_that_is_none_of_the_options_is_rather_one_that_is_recognised_nowhere_else() -> None:
    unknown = (section(0, 2, dog=0.9), section(2, 3), section(3, 8, bell=0.95))
    weights = dict(zip(EVENTS, weigh_events(EVENTS, unknown, {"next": 1.0}, "dog"), strict=True))
    assert weights["rain"] > 0.8 and weights["bell"] < weights["rain"] / 10
    assert sum(weights.values()) == pytest.approx(1)
