"""Judging of replies: an LLM says whether a reply means what the reference says.

What it is asked is the item's protocol (`eval.scoring.judge_protocols`), which has a version that stands in every
judgement. A reply without words is wrong and is not shown to a judge; a refusal to answer, by the judge's own word, is
never right; what a judge says that was not asked for is a failed judgement, and so is an error: the item then has
failed, and the same command judges it again.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import BinaryIO

from eval.run.progress import PassWatcher, open_watcher
from eval.scoring.judge_protocols import PROTOCOLS, JudgeCase
from eval.scoring.scoring import JudgeScore
from eval.scoring.statistics import compute_cohen_kappa
from eval.store.judgements import (
    FILE_NAME,
    JUDGEMENTS,
    NAMES_FILE,
    JudgeNames,
    ReplyJudgement,
    apply_judgement,
    read_judgements,
)
from eval.store.records import Prediction
from services.errors import EarwitnessError
from services.files import write_atomic
from services.journal import append_row
from services.protocols import LLM
from services.types import Usage

LONGEST_SHOWN = 200  # characters of a judge's reply in a message


async def judge_replies(
    folder: Path, predictions: Sequence[Prediction], judges: Sequence[LLM], concurrency: int
) -> None:
    """Have every judge score the replies that it has not scored yet, and write each judgement at once.

    Each judge's pass is watched as one over a benchmark is: what it fails at is told while it goes on.
    """
    file = folder / FILE_NAME
    asked = [prediction for prediction in predictions if prediction.is_judged and prediction.failed is None]
    JUDGEMENTS.recover(file)
    with file.open("ab") as out:
        for judge in judges:
            known = read_judgements(folder, judge.name)
            waiting = [one for one in asked if not _is_judged(one, known)]
            done = [apply_judgement(one, known).verdict for one in asked if _is_judged(one, known)]
            with open_watcher(len(asked), done, f"judge {judge.name}") as watcher:
                queue = iter(waiting)
                await asyncio.gather(
                    *(_work(queue, judge, out, watcher) for _ in range(min(concurrency, len(waiting))))
                )
    write_atomic(folder / NAMES_FILE, JudgeNames(judges=tuple(judge.name for judge in judges)).model_dump_json())


async def _work(waiting: Iterator[Prediction], judge: LLM, out: BinaryIO, watcher: PassWatcher) -> None:
    """Judge the replies that wait, one after the other."""
    for prediction in waiting:
        judgement = await _judge(prediction, judge)
        append_row(out, judgement)
        watcher.add(apply_judgement(prediction, {prediction.id: judgement}))


def _is_judged(prediction: Prediction, known: Mapping[str, ReplyJudgement]) -> bool:
    """Whether this very reply has been judged by today's prompt, with a verdict."""
    judgement = known.get(prediction.id)
    return (
        judgement is not None
        and judgement.is_right is not None
        and (judgement.answer, judgement.protocol) == (prediction.model_output, prediction.judged_by)
        and judgement.prompt_version == PROTOCOLS[prediction.judged_by].version
    )


async def _judge(prediction: Prediction, judge: LLM) -> ReplyJudgement:
    protocol = PROTOCOLS[prediction.judged_by]
    judgement = ReplyJudgement(
        id=prediction.id,
        judge=judge.name,
        protocol=prediction.judged_by,
        prompt_version=protocol.version,
        answer=prediction.model_output,
        is_right=None,
        reply="",
    )
    if not prediction.model_output.strip():
        return judgement.model_copy(update={"is_right": False})
    case = JudgeCase(
        question=prediction.question,
        reference=prediction.answer or "",
        reply=prediction.model_output,
        described=prediction.described,
        options=prediction.choices,
    )
    try:
        readings = [await judge.complete(prompt) for prompt in protocol.build(case)]
    except EarwitnessError as error:
        return judgement.model_copy(update={"failed": str(error)})
    replies = [reading.reply for reading in readings]
    ruling, words = protocol.read(replies), "\n".join(replies)
    said = {"reply": words, "usage": sum((reading.usage for reading in readings), Usage())}
    if ruling is None:
        return judgement.model_copy(update={**said, "failed": f"{protocol.wanted}: {words[:LONGEST_SHOWN]!r}"})
    return judgement.model_copy(update=said | ruling._asdict())


def score_judges(folder: Path, names: Sequence[str]) -> tuple[tuple[JudgeScore, ...], float | None]:
    """Return what each judge said and cost, and Cohen's kappa of the first two over the replies that both scored."""
    found = [read_judgements(folder, name) for name in names]
    scores = tuple(_score(name, list(judgements.values())) for name, judgements in zip(names, found, strict=True))
    if len(found) < 2:
        return scores, None
    first, second = found[:2]
    pairs = [(first[name].is_right, second[name].is_right) for name in first if name in second]
    return scores, compute_cohen_kappa([pair for pair in pairs if None not in pair])


def _score(name: str, judgements: Sequence[ReplyJudgement]) -> JudgeScore:
    pairs = [pair for judgement in judgements for pair in judgement.scores]
    rated = [judgement.overall for judgement in judgements if judgement.overall is not None]
    return JudgeScore(
        judge=name,
        n=len(judgements),
        right=sum(one.is_right is True for one in judgements),
        refused=sum(one.is_refusal for one in judgements),
        failed=sum(one.is_right is None for one in judgements),
        mean_score=fmean(pair.reply for pair in pairs) if pairs else None,
        mean_reference_score=fmean(pair.reference for pair in pairs) if pairs else None,
        mean_overall=fmean(rated) if rated else None,
        prompt_tokens=sum(one.usage.prompt_tokens for one in judgements),
        completion_tokens=sum(one.usage.completion_tokens for one in judgements),
    )
