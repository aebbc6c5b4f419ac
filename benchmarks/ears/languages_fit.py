"""Fit the temperature by which a recogniser's languages become probabilities of those that a question names.

    python -m benchmarks.ears.languages_fit FOLDER    # train.jsonl and the recordings that it names

Each recording is asked about ten times: its own language and three others of the recordings. The temperature is fitted
on one half of the recordings, and what is printed is measured on the other half, both ways round. Of no language are
more recordings taken than of French: English ones are many, and easy.
"""

import asyncio
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from agents.listening.options import languages
from services.audio.load import load
from services.catalog import DEFAULT_ASR, open_asr
from services.types import Evidence

NUM_DRAWS, NUM_OPTIONS = 10, 4
MOST_OF_ONE = 28  # recordings of one language
TEMPERATURES = (0.5, 6.0)


class AskedRecording(NamedTuple):
    """What the recogniser states of a recording, and a question about its language."""

    statement: Evidence
    options: tuple[str, ...]
    """The right one first."""


def main() -> None:
    """Print how often the likeliest of four languages is right, and how sure that is stated."""
    folder = Path(sys.argv[1])
    heard = asyncio.run(_hear(folder))
    report(heard)


def report(heard: Sequence[tuple[str, Evidence]]) -> None:
    """Fit on either half and report on the other; `heard` is the language of each recording and what is stated."""
    top = [statement.candidates[0].text == language for language, statement in heard]
    print(f"{len(heard)} recordings; first of all languages: {np.mean(top):.1%}")
    languages, rng = sorted({language for language, _ in heard}), random.Random(0)  # noqa: S311 - a choice of options, not a secret
    mixed = rng.sample(list(heard), len(heard))
    halves = [list(_ask(mixed[first::2], languages, rng)) for first in (0, 1)]
    told = [one for fitted, other in (halves, halves[::-1]) for one in _measure(other, _fit(fitted))]
    right, sure = (np.array(column) for column in zip(*told, strict=True))
    print(f"first of {NUM_OPTIONS}: {right.mean():.1%} of {len(right)}, {sure.mean():.2f} stated")
    for low, high in ((0.25, 0.5), (0.5, 0.75), (0.75, 0.9), (0.9, 1.01)):
        some = (sure >= low) & (sure < high)
        print(f"  stated {low:.2f} to {min(high, 1):.2f}: {right[some].mean():.1%} of {some.sum()} right")
    print(f"temperature on all: {_fit([one for half in halves for one in half]):.2f}")


async def _hear(folder: Path) -> list[tuple[str, Evidence]]:
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    asr, found, counts = open_asr(DEFAULT_ASR), list[tuple[str, Evidence]](), dict[str, int]()
    for row in rows:
        language = row.get("language")
        if row["task"] != "speech" or language is None or counts.get(language, 0) >= MOST_OF_ONE:
            continue
        said = await asr.transcribe(load(folder / row["audio"]))
        found += [(language, one) for one in said if one.kind == "language" and one.candidates]
        counts[language] = counts.get(language, 0) + 1
    return found


def _ask(
    heard: Sequence[tuple[str, Evidence]], languages: Sequence[str], rng: random.Random
) -> Iterator[AskedRecording]:
    for language, statement in heard:
        others = [one for one in languages if one != language]
        for _ in range(NUM_DRAWS):
            yield AskedRecording(statement, (language, *rng.sample(others, NUM_OPTIONS - 1)))


def _fit(asked: Sequence[AskedRecording]) -> float:
    def loss(temperature: float) -> float:
        """Return the mean negative log-likelihood of the right options."""
        weighed = [languages.weigh_languages(*one, temperature=temperature) for one in asked]
        shares = [dict(found)[one.options[0]] for one, found in zip(asked, weighed, strict=True) if found]
        return -float(np.mean(np.log(shares)))

    return float(minimize_scalar(loss, bounds=TEMPERATURES, method="bounded").x)


def _measure(asked: Sequence[AskedRecording], temperature: float) -> Iterator[tuple[bool, float]]:
    for one in asked:
        if found := languages.weigh_languages(*one, temperature=temperature):
            yield found[0].text == one.options[0], found[0].probability


if __name__ == "__main__":
    main()
