"""Weight of a name beside a likelihood: fitted on questions with options about clips that are held back."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from lalm.naming.clips import LocatedRow
from lalm.prompting import build_messages
from services.audio import load as audio
from services.progress import report_stage
from services.protocols import LALM
from services.types import AudioClip, Evidence, Question, Value

Compare = Callable[[AudioClip, Sequence[str]], Sequence[float]]
"""Cosine between a clip and each of some names."""


class ScoredQuestion(NamedTuple):
    """A question as the likelihoods and the names answer it."""

    likelihoods: NDArray[np.float64]
    """Score of each option, up to a constant."""
    cosines: NDArray[np.float64]
    right: int


class WeightFit(Value):
    """What a weight of names brings on the questions that it was fitted on."""

    weight: float
    num_questions: int
    accuracy_before: float
    accuracy: float


def score_questions(
    lalm: LALM, compare: Compare, rows: Sequence[LocatedRow], *, limit: int, seed: int
) -> list[ScoredQuestion]:
    """Ask a LALM some of the questions with options, each with the transcript of its row."""
    asked = [one for one in rows if one.row.response in one.row.choices]
    drawn = random.Random(seed).sample(asked, min(limit, len(asked)))  # noqa: S311 - no secret
    return asyncio.run(_ask(lalm, compare, drawn))


async def _ask(lalm: LALM, compare: Compare, rows: Sequence[LocatedRow]) -> list[ScoredQuestion]:
    scored = []
    with report_stage("weigh names", len(rows), "replies") as running:
        for row, path in rows:
            clip, question = audio.load(path), Question.ask(row.question, row.choices)
            words = row.audios[0].text.strip()
            given = (Evidence(kind="transcript", text=words, source="rows", revision=""),) if words else ()
            reading = await lalm.choose(build_messages(question, lists_options=False), clip, question.choices, given)
            shares = np.array([reading.probabilities[one.letter] for one in question.choices])
            cosines = np.array(compare(clip, row.choices))
            scored.append(ScoredQuestion(np.log(shares.clip(min=1e-9)), cosines, row.choices.index(row.response)))
            running.advance()
    return scored


def fit_weight(scored: Sequence[ScoredQuestion]) -> WeightFit:
    """Fit one weight, and a temperature over both, by maximum likelihood; a weight below 0 counts as 0."""

    def compute_loss(scales: NDArray[np.float64]) -> float:
        total = 0.0
        for one in scored:
            logits = scales[0] * one.likelihoods + scales[1] * one.cosines
            total += float(logsumexp(logits) - logits[one.right])
        return total / len(scored)

    found = minimize(compute_loss, np.array([1.0, 5.0]), method="L-BFGS-B", bounds=[(0.05, 20.0), (0.0, 200.0)]).x
    weight = float(found[1] / found[0])
    before, after = (np.mean([_is_right(one, each) for one in scored]) for each in (0.0, weight))
    return WeightFit(weight=weight, num_questions=len(scored), accuracy_before=float(before), accuracy=float(after))


def _is_right(one: ScoredQuestion, weight: float) -> bool:
    return int(np.argmax(one.likelihoods + weight * one.cosines)) == one.right
