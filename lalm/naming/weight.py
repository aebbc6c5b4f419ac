"""Weight of a name beside a likelihood, fitted on held-back questions with options."""

import asyncio
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from lalm.naming.clips import LocatedRow
from lalm.prompting import build_messages
from lalm.runtimes.option_namer import OptionNamer
from services.audio import load as audio
from services.errors import BadConfig
from services.progress import report_stage
from services.protocols import LALM
from services.types import Evidence, Question, Value

# Shape suffixes: Q questions, C options


class ScoredQuestion(NamedTuple):
    """Scores of the options of a question, by likelihood and by name."""

    likelihoods: NDArray[np.float64]
    """Score of each option, up to a constant."""
    cosines: NDArray[np.float64]
    right: int
    """Index of the right option."""


class WeightFit(Value):
    """A fitted weight, and the accuracy without and with it on the questions that it was fitted on."""

    weight: float
    num_questions: int
    accuracy_before: float
    accuracy: float


def score_questions(
    lalm: LALM, namer: OptionNamer, rows: Sequence[LocatedRow], *, limit: int, seed: int
) -> list[ScoredQuestion]:
    """Ask a LALM some of the questions with options, each with the transcript of its row.

    Raises:
        BadConfig: there are none.
        BadAudio: a clip cannot be read.
    """
    asked = [one for one in rows if one.row.response in one.row.choices]
    if not asked:
        raise BadConfig(
            "No row that is held back has `choices`, on which the weight of a name is fitted: write the rows again "
            "(`python -m lalm.synthesise`, `python -m lalm.distill`)."
        )
    drawn = random.Random(seed).sample(asked, min(limit, len(asked)))  # noqa: S311 - no secret
    return asyncio.run(_ask(lalm, namer, drawn))


async def _ask(lalm: LALM, namer: OptionNamer, rows: Sequence[LocatedRow]) -> list[ScoredQuestion]:
    scored = []
    with report_stage("weigh names", len(rows), "replies") as running:
        for row, path in rows:
            clip, question = audio.load(path), Question.ask(row.question, row.choices)
            words = row.audios[0].text.strip()
            given = (Evidence(kind="transcript", text=words, source="rows", revision=""),) if words else ()
            reading = await lalm.choose(build_messages(question, lists_options=False), clip, question.choices, given)
            shares = np.array([reading.probabilities[one.letter] for one in question.choices])
            cosines = namer.compare(clip, row.choices).double().cpu().numpy()
            scored.append(ScoredQuestion(np.log(shares.clip(min=1e-9)), cosines, row.choices.index(row.response)))
            running.advance()
    return scored


def fit_weight(scored: Sequence[ScoredQuestion]) -> WeightFit:
    """Fit one weight, and a temperature over both, by maximum likelihood; a weight below 0 counts as 0."""
    widest = max(len(one.cosines) for one in scored)
    likelihoods_QC = np.array([_fill(one.likelihoods, -np.inf, widest) for one in scored])
    cosines_QC = np.array([_fill(one.cosines, 0.0, widest) for one in scored])
    right_Q1 = np.array([[one.right] for one in scored])

    def compute_loss(scales: NDArray[np.float64]) -> float:
        logits_QC = scales[0] * likelihoods_QC + scales[1] * cosines_QC
        return float(np.mean(logsumexp(logits_QC, axis=1) - np.take_along_axis(logits_QC, right_Q1, axis=1)[:, 0]))

    found = minimize(compute_loss, np.array([1.0, 5.0]), method="L-BFGS-B", bounds=[(0.05, 20.0), (0.0, 200.0)]).x
    weight = float(found[1] / found[0])
    before, after = (np.mean([_is_right(one, each) for one in scored]) for each in (0.0, weight))
    return WeightFit(weight=weight, num_questions=len(scored), accuracy_before=float(before), accuracy=float(after))


def _fill(values: NDArray[np.float64], value: float, width: int) -> NDArray[np.float64]:
    """Pad the scores of a question to the largest number of options."""
    return np.append(values, [value] * (width - len(values)))


def _is_right(one: ScoredQuestion, weight: float) -> bool:
    return int(np.argmax(one.likelihoods + weight * one.cosines)) == one.right
