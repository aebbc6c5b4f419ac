"""Fit how sure the captioner is among the sounds that a question names (`TEMPERATURE` in sentences/meaning.py).

    python -m benchmarks.ears.options_fit TRAIN_FOLDER

TRAIN_FOLDER holds `train.jsonl` and the clips it names; used of them: recordings of one sound each, whose licence
allows commercial use. Each is asked about with its own label and three drawn ones, some of which are replaced by words
that name nothing. YAMNet is not fitted on any of them, and the small head over it, which is, is left out. Prints the
likelihood of each temperature, and what it says of sources one by one. About 40 s of CPU.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf

from services.captioners.details import MIN_PROBABILITY
from services.captioners.frames import Floats
from services.captioners.sounds.activity import detect_activity
from services.captioners.sounds.meanings import open_sound_meanings
from services.captioners.sounds.tags import name_sounds, score_sounds
from services.captioners.sounds.yamnet import YamNet
from services.sentences.encoder import open_sentence_encoder
from services.sentences.meaning import MeaningMatcher, OptionScore, WeighedOption, weigh_scores
from services.weights import store as weights

NON_COMMERCIAL = "NC"
NUM_OPTIONS, DRAWS = 4, 4
NAMELESS = "zyx"  # a word that no sound has
SHARE_NAMELESS = 0.2
TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.3, 1.6)


class AskedClip(NamedTuple):
    """What a recording is of, what it is asked about with, and how sure the tagger is of each option."""

    source: str
    right: str
    options: tuple[str, ...]
    scores: tuple[OptionScore, ...]
    """Empty: the options name fewer than two things."""


def ask_clips(folder: Path, model: YamNet, meanings: MeaningMatcher) -> Iterator[AskedClip]:
    """Yield each recording of one sound with options drawn from the labels of all."""
    rng = random.Random(3)  # noqa: S311 - options, not secrets
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    used = [row for row in rows if row["task"] == "sound" and len(row["labels"]) == 1 and _is_free(row["license"])]
    labels = sorted({row["labels"][0].lower() for row in used})
    names = name_sounds(model.names)
    meant = {label: names.match(label) for label in labels}
    for row in used:
        samples: Floats = sf.read(folder / row["audio"], dtype="float32")[0]
        spans = detect_activity(samples)
        heard = np.concatenate([span.cut(samples) for span in spans]) if spans else samples
        scores, right = score_sounds(model(heard).logits, model.names, {}), row["labels"][0].lower()
        others = [label for label in labels if not meant[label] & meant[right]]
        for _ in range(DRAWS):
            options = (right, *rng.sample(others, NUM_OPTIONS - 1))
            told = tuple(f"{NAMELESS} {i}" if rng.random() < SHARE_NAMELESS else one for i, one in enumerate(options))
            yield AskedClip(row["sources"][0], told[0], told, meanings.score_options(told, scores))


def _is_free(licence: str) -> bool:
    return NON_COMMERCIAL not in licence


def find_right(weighed: tuple[WeighedOption, ...], right: str) -> float:
    """Return the probability of the right option."""
    return next(one.probability for one in weighed if one.text == right)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    model = YamNet(weights.ensure_folder("yamnet"))
    meanings = open_sound_meanings(model.names, open_sentence_encoder())
    asked = list(ask_clips(parser.parse_args().folder, model, meanings))
    by_source: dict[str, list[AskedClip]] = defaultdict(list)
    for one in asked:
        by_source[one.source].append(one)
    print("| temperature | " + " | ".join(by_source) + " |")
    for temperature in TEMPERATURES:
        cells = []
        for clips in by_source.values():
            found = [weigh_scores(one.scores, temperature) for one in clips]
            told = [(weighed, one.right) for weighed, one in zip(found, clips, strict=True) if weighed]
            loss = np.mean([-np.log(find_right(*one) + 1e-6) for one in told])
            stated = [(weighed[0], right) for weighed, right in told if weighed[0].probability >= MIN_PROBABILITY]
            hits = np.mean([best.text == right for best, right in stated])
            sure = np.mean([best.probability for best, _ in stated])
            share = len(stated) / len(clips)
            cells.append(f"loss {loss:.2f}, says {share:.0%}, right {hits:.0%}, stated {sure:.2f}, n={len(clips)}")
        print(f"| {temperature} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
