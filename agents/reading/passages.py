"""Hybrid passage retrieval: of a long transcript, the passages that a question concerns, within the room of a prompt.

The spans that the question names come first (`agents.reading.named_times`). Else passages are ranked by the rarity of
the words they share with the question and its options, BM25 (Robertson & Zaragoza, 2009) with binary term frequencies,
as all passages are about equally long; and by the cosine of sentence embeddings, which finds what is said in other
words. The two rankings are joined by reciprocal rank fusion (Cormack et al., 2009). Where none shares a word, passages
from all over the recording stand for it, after the nearest.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from agents.reading.named_times import NamedSpan, remove_times
from agents.reading.stems import extract_stems
from services.sentences.encoder import open_sentence_encoder
from services.types import Evidence, Question

PASSAGE_CHARS = 400  # about half a minute of speech
PAUSE_S = 10.0  # a longer one ends a passage
RELEVANT = 0.5  # of the best score by words, from which a passage is shown
NUM_NEAREST = 3  # passages that are shown for their meaning
RANK_OFFSET = 60  # of reciprocal rank fusion, as published


def select_passages(
    question: Question, transcripts: Sequence[Evidence], spans: Sequence[NamedSpan], max_chars: int
) -> tuple[Evidence, ...]:
    """Return passages of at most `max_chars` characters together, in order; neighbours are joined to one."""
    inside = [one for one in transcripts if not spans or any(span.overlaps(one.start_s, one.end_s) for span in spans)]
    passages = _join_segments(inside)
    if sum(len(one.text) for one in passages) <= max_chars:
        return _join_neighbours(passages, range(len(passages)))
    order = _rank(question, passages, max_chars // PASSAGE_CHARS)
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


def _rank(question: Question, passages: list[Evidence], num_fitting: int) -> list[int]:
    """Return the numbers of the passages to show, best first, then those beside them or from all over the talk."""
    texts = [one.text for one in passages]
    by_words = _score_words(question, texts)
    by_meaning = _score_meaning(question, texts)
    nearest = np.argsort(-by_meaning, kind="stable")[:NUM_NEAREST].tolist()
    shares_words = by_words.max() > 0
    relevant = {*nearest, *(np.flatnonzero(by_words >= RELEVANT * by_words.max()).tolist() if shares_words else ())}
    fused = 1 / (RANK_OFFSET + _count_better(by_words)) + 1 / (RANK_OFFSET + _count_better(by_meaning))
    ranked = sorted(relevant, key=lambda number: -fused[number])
    if not shares_words:
        return [*ranked, *_spread(len(passages), num_fitting - len(ranked))]
    return [*ranked, *(n for near in ranked for n in (near + 1, near - 1) if 0 <= n < len(passages))]


def _score_words(question: Question, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the information of the words that each text shares with the question and its options."""
    options = " ".join(choice.text for choice in question.choices)
    wanted = extract_stems(f"{remove_times(question.text)} {options}")
    stems = [extract_stems(one) for one in texts]
    counts = Counter(stem for one in stems for stem in one & wanted)
    rarity = {stem: math.log(1 + (len(stems) - count + 0.5) / (count + 0.5)) for stem, count in counts.items()}
    return np.array([sum(rarity[stem] for stem in one & wanted) for one in stems])


def _score_meaning(question: Question, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the cosine of each text with the question, or with an option after it if that is nearer."""
    asked = remove_times(question.text)
    encode = open_sentence_encoder()
    wanted = encode([asked, *(f"{asked} {choice.text}" for choice in question.choices)])
    return np.asarray((encode(texts) @ wanted.T).max(axis=1), np.float64)


def _count_better(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many scores are above each, and of equal ones all but itself."""
    ordered = np.sort(scores)
    return np.asarray(len(scores) - np.searchsorted(ordered, scores, side="left") - 1, np.int64)


def _spread(num_passages: int, num_chosen: int) -> list[int]:
    """Return numbers evenly over the whole, the first and the last among them."""
    last = max(num_chosen - 1, 1)
    return [round(number * (num_passages - 1) / last) for number in range(max(num_chosen, 2))]


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
