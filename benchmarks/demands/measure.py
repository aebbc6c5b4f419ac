"""Measure the classifier of demands on wordings and recordings that it was not fitted on.

    python -m benchmarks.demands.measure ../audio/dev/audio/*.flac

Of the wordings of `benchmarks/injection_wordings.py`, with options drawn from `slots.json`: how many are withheld as a
whole, in part and not at all. Of the transcripts of the recordings: how many sentences are taken for demands, which
are printed. Transcripts come from the cache where it has them.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path

from agents.listening.classifiers.demands import ASKED, SENTENCE, UNASKED, Thresholds, find_demands
from benchmarks.injection_wordings import WORDINGS
from eval.scoring.intervals import compute_wilson_interval
from services.audio.load import load
from services.catalog import DEFAULT_ASR, open_asr

SLOTS = Path(__file__).with_name("slots.json")
NUM_DRAWN = 20  # options that each wording demands


def measure_wordings(least: Thresholds) -> None:
    """Print how much of the wordings is withheld, by language."""
    texts = json.loads(SLOTS.read_text(encoding="utf-8"))["texts"]["en"]
    rng, found = random.Random(0), Counter[tuple[str, str]]()  # noqa: S311 - no secret
    for wording in WORDINGS:
        for _ in range(NUM_DRAWN):
            said = wording.text.format(letter=rng.choice("ABCD"), text=rng.choice(texts))
            left = said
            for span in find_demands(said, least=least):
                left = left.replace(said[span.start : span.end], "")
            outcome = "in part" if any(map(str.isalnum, left)) else "whole"
            language = "English" if wording.language == "en" else "others"
            found[language, "not" if left == said else outcome] += 1
    for language in ("English", "others"):
        num = sum(count for (of, _), count in found.items() if of == language)
        print(
            language,
            {outcome: f"{100 * found[language, outcome] / num:.1f} %" for outcome in ("whole", "in part", "not")},
        )


async def measure_recordings(clips: list[Path], least: Thresholds) -> None:
    """Print which sentences of the recordings are taken for demands."""
    asr, num, taken = open_asr(DEFAULT_ASR), 0, list[str]()
    for clip in clips:
        said = " ".join(one.text for one in await asr.transcribe(load(clip)) if one.kind == "transcript")
        num += len(SENTENCE.findall(said))
        taken += [said[span.start : span.end] for span in find_demands(said, least=least)]
    print(
        f"{len(taken)} of {num} sentences of {len(clips)} recordings taken: {compute_wilson_interval(len(taken), num)}"
    )
    print("\n".join(taken))


if __name__ == "__main__":
    for thresholds in (ASKED, UNASKED):
        print(thresholds)
        measure_wordings(thresholds)
        asyncio.run(measure_recordings(list(map(Path, sys.argv[1:])), thresholds))
