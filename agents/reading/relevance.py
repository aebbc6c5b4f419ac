"""Relevance ranking of statements for a question: a small LLM reads four good lines better than twenty.

Plain lexical overlap, as in BM25 without weights: it needs no model and no training, and knows no question by heart.
"""

import re

from services.types import Evidence, Question, ReadingStyle

NUM_STEM_LETTERS = 5  # "dripping" and "dripped" meet at "dripp": close enough without a stemmer
COMMON_WORDS = """
a an the is are was were of in on at to and or what which how many much does do did this that it its
be by with for from as who whom whose where when why you hear heard recording audio clip sound sounds
most likely probably about s second seconds one not no there their they he she following best
describes option
"""
COMMON = frozenset(COMMON_WORDS.split())


def selected(question: Question, evidence: tuple[Evidence, ...], style: ReadingStyle) -> tuple[Evidence, ...]:
    """Return the statements to show to an LLM of this style.

    A multiple-choice question gets the `num_statements` most relevant, the best one last; an open one, or an LLM
    without such a limit, as many of the most relevant as `max_chars` hold, in their order.
    """
    joined = _joined(evidence, style.max_chars // 2)
    ranked = sorted(joined, key=lambda statement: overlap(statement, question))
    if style.num_statements is not None and question.choices:
        joined = tuple(ranked[-style.num_statements :])
    fitting = _fitting(ranked, style.max_chars)
    return tuple(fitting[id(statement)] for statement in joined if id(statement) in fitting)


def _fitting(ranked: list[Evidence], max_chars: int) -> dict[int, Evidence]:
    """Return the last statements that fit, by their ids; the very last is shortened rather than left out."""
    best = ranked[-1:]
    fitting = {id(one): one.model_copy(update={"text": one.text[:max_chars]}) for one in best}
    room = max_chars - sum(len(one.text) for one in best)
    for statement in reversed(ranked[:-1]):
        if len(statement.text) <= room:
            fitting[id(statement)] = statement
            room -= len(statement.text)
    return fitting


def _joined(evidence: tuple[Evidence, ...], max_chars: int) -> tuple[Evidence, ...]:
    """Return the evidence with what is said in one piece at the end: neither half of a split sentence finds it."""
    said = [statement for statement in evidence if statement.kind == "transcript"]
    rest = tuple(statement for statement in evidence if statement.kind != "transcript")
    if not said or sum(len(statement.text) for statement in said) > max_chars:
        return evidence
    text = " ".join(statement.text for statement in said)
    return (*rest, said[0].model_copy(update={"text": text, "end_s": said[-1].end_s}))


def overlap(statement: Evidence, question: Question) -> int:
    """Return how many stems the statement shares with the question, and with its options."""
    words = stems(f"{statement.kind} {statement.text}")
    options = frozenset[str]().union(*(stems(choice.text) for choice in question.choices))
    return len(words & stems(question.text)) + len(words & options)


def stems(text: str) -> frozenset[str]:
    """Return the beginnings of the words that matter in a text."""
    return frozenset(word[:NUM_STEM_LETTERS] for word in re.findall(r"\w+", text.lower()) if word not in COMMON)
