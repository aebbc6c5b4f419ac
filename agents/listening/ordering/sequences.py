"""Sequence options: options that list the same events in different orders, such as "rain, then thunder".

Nothing but the options' structure tells them: what separates events is known, and whether a text lists events shows in
that other options list the same ones.
"""

import re
from collections.abc import Sequence
from typing import TypeAlias

Steps: TypeAlias = tuple[str, ...]

SEPARATOR = re.compile(
    r"\s*(?:→|⇒|->|=>|>|/|;|,|\s[-–—]\s|\band\b|\bthen\b|\bnext\b|\bfinally\b|\blastly\b|\bfollowed by\b|\bbefore\b)"
    r"(?:\s*(?:,|\band\b|\bthen\b|\bfinally\b|\blastly\b|\bfollowed by\b))*\s*",
    re.IGNORECASE,
)
BEGINNING = re.compile(r"^(?:first(?:ly)?|initially)\b[,:]?\s*", re.IGNORECASE)
ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)


def read_sequences(options: Sequence[str]) -> tuple[Steps, ...]:
    """Return the steps of each option; empty where the options are not orders of the same events."""
    listed = tuple(tuple(_read_steps(option)) for option in options)
    orders = {steps for steps in listed if len(steps) > 1}
    events = {frozenset(steps) for steps in orders}
    has_orders = len(orders) == len(listed) and len(events) < len(orders)
    return listed if has_orders else ()


def _read_steps(option: str) -> list[str]:
    parts = (ARTICLE.sub("", BEGINNING.sub("", part.strip(" ."))) for part in SEPARATOR.split(option.strip(" .")))
    return [part.lower() for part in parts if part]
