"""Measure whether a LALM answers better from the span that a question names than from the whole recording.

    python -m benchmarks.named_spans dev.json --lalm earwitness-tiny --items 100

Recordings of a benchmark are chained, three at a time and in a drawn order, and the question of one of them is asked
with its span ("Between 4.0 and 9.5 seconds: …"), once of the whole chain and once so that the LALM hears the span
alone. Beside them stands the recording by itself with the question as it is.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from agents.direct import Direct
from agents.models import LocalModels, ModelNames
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark, Item
from eval.scoring.statistics import compute_mcnemar_p
from services.audio.load import load
from services.protocols import LALM
from services.types import SAMPLE_RATE, AudioClip, Question

LONGEST_S = 12.0  # of a recording that is chained
NUM_CHAINED = 3


class ChainedQuestion(NamedTuple):
    """A question about a part of a chain of recordings."""

    question: Question
    right: str | None
    clip: AudioClip
    start_s: float
    end_s: float


class Styled:
    """A LALM that hears the spans that questions name, or not."""

    def __init__(self, lalm: LALM, *, hears_spans: bool) -> None:
        self.name, self.revision = lalm.name, lalm.revision
        self.style = lalm.style.model_copy(update={"hears_spans": hears_spans})
        self.listen, self.choose = lalm.listen, lalm.choose


def chain(item: Item, clip: AudioClip, others: Sequence[AudioClip], place: int) -> ChainedQuestion:
    """Put a recording among others, and ask its question about its span."""
    clips = [*others[:place], clip, *others[place:]]
    start_s = round(sum(len(one.samples) for one in clips[:place]) / SAMPLE_RATE, 1)
    end_s = round(start_s + clip.duration_s, 1)
    question = item.to_question()
    asked = question.model_copy(update={"text": f"Between {start_s} and {end_s} seconds: {question.text}"})
    samples = np.concatenate([one.samples for one in clips])
    return ChainedQuestion(asked, item.answer, AudioClip(samples), start_s, end_s)


async def is_right(direct: Direct, question: Question, clip: AudioClip, right: str | None) -> bool:
    """Say whether a LALM answers a question rightly."""
    answer = await direct.answer(question, clip)
    return answer.choice is not None and answer.choice.text == right


async def compare(benchmark: Benchmark, lalm: str, num: int, seed: int) -> None:
    """Print how many answers are right from the whole, from the span, and of the recording by itself."""
    draw = Random(seed)  # noqa: S311 - an order, not a secret
    opened = LocalModels(ModelNames(lalm=lalm)).open_lalm()
    whole, span = (Direct(Styled(opened, hears_spans=hears)) for hears in (False, True))
    items = [one for one in benchmark.items if one.choices and one.answer and len(one.audio) == 1]
    draw.shuffle(items)
    loaded = [(one, load(benchmark.find_clips(one)[0])) for one in items]
    short = [(one, clip) for one, clip in loaded if 1.0 <= clip.duration_s <= LONGEST_S]
    rows: list[tuple[bool, bool, bool]] = []
    for item, clip in short[:num]:
        others = [other for _, other in draw.sample(short, NUM_CHAINED - 1)]
        asked = chain(item, clip, others, draw.randrange(NUM_CHAINED))
        rows.append(
            (
                await is_right(whole, asked.question, asked.clip, asked.right),
                await is_right(span, asked.question, asked.clip, asked.right),
                await is_right(whole, item.to_question(), clip, item.answer),
            )
        )
        if len(rows) % 20 == 0:
            print(len(rows), [sum(column) for column in zip(*rows, strict=True)], flush=True)
    for place, name in enumerate(("the whole chain", "the span alone", "the recording by itself")):
        print(f"{name}: {sum(row[place] for row in rows)} of {len(rows)}")
    won, lost = (sum(b > a for a, b, _ in rows), sum(a > b for a, b, _ in rows))
    print(f"from the span {won} won, {lost} lost, p = {compute_mcnemar_p(won, lost):.2g}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--lalm", default="earwitness-tiny")
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    asyncio.run(compare(find(str(chosen.benchmark)), chosen.lalm, chosen.items, chosen.seed))


if __name__ == "__main__":
    main()
