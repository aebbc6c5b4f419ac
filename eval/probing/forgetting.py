"""Forgetting: what a LALM still knows of text while a recording stands in the prompt, against its bare backbone.

The rate is Speech-IFEval's (arXiv:2505.19037): the accuracy with the recording less that of the bare backbone, over
the latter; below zero is forgotten. They compare replies with a cascade around the backbone; here both read the very
same question, and the options are compared by their likelihood, so that nothing but the recording and the adapters
makes the difference. Two more ways tell these two apart.
"""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from eval.benchmarks.benchmark import Benchmark, Item
from eval.scoring.intervals import Interval, compute_wilson_interval
from eval.scoring.statistics import compute_mcnemar_p, compute_paired_difference
from services.audio.load import load
from services.errors import BadConfig
from services.journal import JournalFormat, append_row
from services.progress import report_stage
from services.types import SAMPLE_RATE, AudioClip, Value

if TYPE_CHECKING:
    from lalm.probing.text_scores import Condition, TextScorer

MIN_ITEMS = 10
SILENCE_S = 2


class ConditionScore(Value):
    """Accuracy on questions in text, asked in one way."""

    has_recording: bool
    has_adapters: bool
    correct: int
    accuracy: float
    wilson_95: Interval
    difference: float
    """To the bare backbone, item by item."""
    ci_95: Interval
    p: float
    """McNemar's, exact."""
    forgetting_rate: float | None
    """Difference over the bare backbone's accuracy; None where that is 0."""
    same_choice: float
    """Share of items with the option that the bare backbone chose."""


class ForgettingReport(Value):
    """What a LALM forgot."""

    lalm: str
    revision: str
    backbone: str
    benchmark: str
    benchmark_sha256: str
    n: int
    chance: float
    recordings: tuple[str, ...]
    conditions: tuple[ConditionScore, ...]
    """The bare backbone first, then as the LALM hears."""

    @property
    def is_at_chance(self) -> bool:
        """Whether the bare backbone knows nothing that it could forget, as far as so many items can tell."""
        return self.conditions[0].wilson_95.low <= self.chance


class Carrier(NamedTuple):
    """A recording that a question in text has nothing to do with."""

    name: str
    clip: AudioClip


class ScoredRow(Value):
    """Scores of the options of one item in every way, as they are kept for a command that goes on."""

    key: str
    id: str
    scores: tuple[tuple[float, ...], ...]


SCORED_ROWS = JournalFormat(ScoredRow, "a row of scores", "delete that line, or name another --out")


def read_carriers(recordings: Sequence[Path]) -> tuple[Carrier, ...]:
    """Read recordings; without any, two seconds of silence."""
    if not recordings:
        return (Carrier("silence", AudioClip(np.zeros(SILENCE_S * SAMPLE_RATE, np.float32))),)
    return tuple(Carrier(file.name, load(file)) for file in recordings)


def measure_forgetting(
    scorer: "TextScorer", benchmark: Benchmark, carriers: Sequence[Carrier], kept: Path
) -> ForgettingReport:
    """Ask questions in text in every way.

    Args:
        scorer: of the model.
        benchmark: questions with options, about no recording.
        carriers: recordings; the items take them in turn.
        kept: file of what is scored; a command that was interrupted goes on with it.

    Raises:
        BadConfig: the benchmark's questions are not of that kind, or too few.
    """
    items = _require_text(benchmark)
    scored = dict(_score_items(scorer, items, carriers, kept, benchmark.sha256))
    chosen = [[_find_likeliest(scored[item.id][number]) for item in items] for number in range(len(scorer.conditions))]
    right = [item.choices.index(str(item.answer)) for item in items]
    return ForgettingReport(
        lalm=scorer.name,
        revision=scorer.revision,
        backbone=scorer.backbone,
        benchmark=benchmark.name,
        benchmark_sha256=benchmark.sha256,
        n=len(items),
        chance=sum(1 / len(item.choices) for item in items) / len(items),
        recordings=tuple(carrier.name for carrier in carriers),
        conditions=tuple(
            _score_condition(condition, places, chosen[0], right)
            for condition, places in zip(scorer.conditions, chosen, strict=True)
        ),
    )


def _find_likeliest(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


def _require_text(benchmark: Benchmark) -> Sequence[Item]:
    """Return the items; raise `BadConfig` unless they are multiple-choice questions in text, with their answers."""
    heard = next((item for item in benchmark.items if item.audio), None)
    if heard is not None:
        raise BadConfig(
            f"{benchmark.name} asks about recordings ({heard.id!r} does); forgetting is measured on questions in text, "
            "such as akb-open."
        )
    items = [item for item in benchmark.items if item.answer in item.choices]
    if len(items) < MIN_ITEMS:
        raise BadConfig(
            f"{benchmark.name} has {len(items)} questions with options and a known answer; forgetting needs at least "
            f"{MIN_ITEMS}."
        )
    return items


def _score_items(
    scorer: "TextScorer", items: Sequence[Item], carriers: Sequence[Carrier], kept: Path, bench_sha256: str
) -> Iterator[tuple[str, tuple[tuple[float, ...], ...]]]:
    heard = [carrier.clip.sha256 for carrier in carriers]
    key = sha256(json.dumps([scorer.name, scorer.revision, scorer.backbone, bench_sha256, heard]).encode()).hexdigest()
    rows = SCORED_ROWS.recover(kept)
    known = {row.id: row.scores for row in rows if row.key == key}
    with report_stage("score questions", total=len(items), unit="replies") as running, kept.open("ab") as file:
        for number, item in enumerate(items):
            if item.id not in known:
                clip = carriers[number % len(carriers)].clip
                asked = item.to_question()
                scores = tuple(scorer.score(asked, clip, condition) for condition in scorer.conditions)
                append_row(file, ScoredRow(key=key, id=item.id, scores=scores))
                known[item.id] = scores
            yield item.id, known[item.id]
            running.advance()


def _score_condition(
    condition: "Condition", chosen: Sequence[int], bare: Sequence[int], right: Sequence[int]
) -> ConditionScore:
    is_right = [a == b for a, b in zip(chosen, right, strict=True)]
    was_right = [a == b for a, b in zip(bare, right, strict=True)]
    found = compute_paired_difference([float(a) - float(b) for a, b in zip(is_right, was_right, strict=True)])
    only = sum(a and not b for a, b in zip(is_right, was_right, strict=True))
    lost = sum(b and not a for a, b in zip(is_right, was_right, strict=True))
    known = sum(was_right) / len(right)
    return ConditionScore(
        has_recording=condition.has_recording,
        has_adapters=condition.has_adapters,
        correct=sum(is_right),
        accuracy=sum(is_right) / len(right),
        wilson_95=compute_wilson_interval(sum(is_right), len(right)),
        difference=found.value,
        ci_95=found.ci_95,
        p=compute_mcnemar_p(only, lost),
        forgetting_rate=found.value / known if known else None,
        same_choice=sum(a == b for a, b in zip(chosen, bare, strict=True)) / len(right),
    )
