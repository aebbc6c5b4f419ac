"""Repeats of a run: the same questions asked several times, so that one lucky pass is not taken for the model.

An LLM at a temperature draws with another seed each time. Any other model always says the same to the same prompt: it
gets the options in another order each time, and what has no options, or a model that compares their texts in no order,
cannot differ. Each repeat is a run folder of its own below `repeats`.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from statistics import stdev

from eval.benchmarks.benchmark import Benchmark, Item
from eval.scoring.intervals import TINY, Z_95, Interval, compute_clustered_interval, compute_clustered_se, widen_equal
from eval.scoring.scoring import RepeatScore
from eval.store.records import Prediction
from eval.store.run_folder import is_finished
from eval.store.stored import read_predictions

REPEATS_FOLDER = "repeats"


def shuffle_all(benchmark: Benchmark, seed: int) -> Benchmark:
    """Return the benchmark with the options of each item in a random order."""
    items = tuple(shuffle_options(item, seed) for item in benchmark.items)
    return benchmark.model_copy(update={"items": items})


def shuffle_options(item: Item, seed: int) -> Item:
    """Return the item with its options in an order drawn for it: what else is asked does not change it."""
    choices = random.Random(f"{seed} {item.id}").sample(item.choices, len(item.choices))  # noqa: S311
    return item.model_copy(update={"choices": tuple(choices)})


def list_repeats(out: Path) -> list[Path]:
    """Return the folders of a run's finished repeats in their order, the run itself first."""
    numbered = [place for place in (out / REPEATS_FOLDER).glob("*") if place.name.isdecimal() and is_finished(place)]
    return [out, *sorted(numbered, key=lambda place: int(place.name))]


def score_repeats(out: Path, *, draws: bool, reads_order: bool) -> RepeatScore | None:
    """Score a finished run and its finished repeats, those of earlier commands too.

    None where there is no repeat, or where answers are withheld.

    Args:
        out: The run's folder.
        draws: Whether the model draws its replies.
        reads_order: Whether the order of the options can matter to it.
    """
    folders = list_repeats(out)
    if len(folders) < 2:
        return None
    passes = [{one.id: one for one in read_predictions(folder)} for folder in folders]
    shared = [name for name in passes[0] if all(name in one for one in passes)]
    items = [[one[name] for one in passes] for name in shared if passes[0][name].answer is not None]
    if not items:
        return None
    accuracies = [sum(same[place].correct_strict for same in items) / len(items) for place in range(len(passes))]
    shares = [sum(one.correct_strict for one in same) / len(same) for same in items]
    return RepeatScore(
        num=len(passes),
        varies="sampling" if draws else "option order",
        reads_order=reads_order,
        accuracies=tuple(accuracies),
        mean=sum(shares) / len(shares),
        sd=stdev(accuracies),
        mean_official=sum(one.correct_official for same in items for one in same) / len(items) / len(passes),
        ci_95=_measure_interval(shares, [same[0].source for same in items]),
        n=len(items),
        differing=sum(len({one.reading for one in same}) > 1 for same in items),
        fixed=0 if draws else sum(_is_fixed(same) for same in items),
        always_right=sum(all(one.correct_strict for one in same) for same in items),
        ever_right=sum(any(one.correct_strict for one in same) for same in items),
    )


def _measure_interval(shares: Sequence[float], clusters: Sequence[str]) -> Interval:
    num, mean = len(set(clusters)), sum(shares) / len(shares)
    if num < 2:
        return Interval(0.0, 1.0)
    if num < len(shares):
        return compute_clustered_interval(shares, clusters)
    half = Z_95 * compute_clustered_se(shares, clusters)
    if half < TINY:
        return widen_equal(mean, num, Interval(0.0, 1.0))
    return Interval(max(0.0, mean - half), min(1.0, mean + half))


def _is_fixed(same: Sequence[Prediction]) -> bool:
    """Whether every repeat lists the options in one order."""
    return len({one.choices for one in same}) == 1
