"""Passage retrieval: of a long transcript, the passages that a question concerns, within the room that a prompt has.

The spans that the question names come first (`agents.reading.named_times`). Else passages are ranked by the rarity of
the words they share with the question and its options: BM25 (Robertson & Zaragoza, 2009) with binary term frequencies,
as all passages are about equally long. Where none shares a word, passages from all over the recording stand for it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from agents.reading.named_times import NamedSpan, remove_times
from agents.reading.stems import extract_stems
from services.types import Evidence, Question

PASSAGE_CHARS = 400  # about half a minute of speech
PAUSE_S = 10.0  # a longer one ends a passage
RELEVANT = 0.5  # of the best score, from which a passage is shown


def select_passages(
    question: Question, transcripts: Sequence[Evidence], spans: Sequence[NamedSpan], max_chars: int
) -> tuple[Evidence, ...]:
    """Return passages of at most `max_chars` characters together, in order; neighbours are joined to one."""
    inside = [one for one in transcripts if not spans or any(span.overlaps(one.start_s, one.end_s) for span in spans)]
    passages = _join_segments(inside)
    if sum(len(one.text) for one in passages) <= max_chars:
        return _join_neighbours(passages, range(len(passages)))
    order = _rank(question, passages) or _spread(len(passages), max_chars // PASSAGE_CHARS)
    chosen: list[int] = []
    room = max_chars
    for number in order:
        if number not in chosen and len(passages[number].text) < room:
            chosen.append(number)
            room -= len(passages[number].text) + 1
    return _join_neighbours(passages, sorted(chosen))


def _join_segments(segments: Sequence[Evidence]) -> list[Evidence]:
    passages: list[Evidence] = []
    for one in segments:
        last = passages[-1] if passages else None
        is_near = last is not None and one.start_s - (last.end_s or one.start_s) <= PAUSE_S
        if last is not None and is_near and len(last.text) + len(one.text) < PASSAGE_CHARS:
            passages[-1] = _join(last, one)
        else:
            passages.append(one)
    return passages


def _join(first: Evidence, second: Evidence) -> Evidence:
    return first.model_copy(update={"text": f"{first.text} {second.text}", "end_s": second.end_s})


def _rank(question: Question, passages: list[Evidence]) -> list[int]:
    """Return the numbers of the passages that are relevant, best first, then those beside them; empty where none is."""
    options = " ".join(choice.text for choice in question.choices)
    wanted = extract_stems(f"{remove_times(question.text)} {options}")
    stems = [extract_stems(one.text) for one in passages]
    counts = Counter(stem for one in stems for stem in one & wanted)
    rarity = {stem: math.log(1 + (len(stems) - count + 0.5) / (count + 0.5)) for stem, count in counts.items()}
    scores = [sum(rarity[stem] for stem in one & wanted) for one in stems]
    best = max(scores)
    if best == 0:
        return []
    relevant = sorted((n for n, score in enumerate(scores) if score >= RELEVANT * best), key=lambda n: -scores[n])
    beside = [n for near in relevant for n in (near + 1, near - 1) if 0 <= n < len(passages)]
    return [*relevant, *beside]


def _spread(num_passages: int, num_chosen: int) -> list[int]:
    """Return numbers evenly over the whole, the first and the last among them."""
    last = max(num_chosen - 1, 1)
    return [round(number * (num_passages - 1) / last) for number in range(max(num_chosen, 1))]


def _join_neighbours(passages: list[Evidence], chosen: Sequence[int]) -> tuple[Evidence, ...]:
    if not chosen:
        return ()
    joined = [passages[chosen[0]]]
    for before, number in pairwise(chosen):
        if number == before + 1:
            joined[-1] = _join(joined[-1], passages[number])
        else:
            joined.append(passages[number])
    return tuple(joined)
