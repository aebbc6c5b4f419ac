"""Fit what scores the taggers usually give to music: `usual` in `services/captioners/music/styles.json`.

    python benchmarks/ears/fit_styles.py FOLDER…

Listens to ten seconds in the middle of each recording of music below the folders, and writes mean and standard
deviation of each class over them. No labels are needed, but the music should be of many kinds. About 1 s of processor
a recording. Prints how often musicnn alone chooses, among four genres, the one that YAMNet is sure of, and the
temperature that fits this best: the two were trained apart, so they agree where both are right.
"""

import json
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from services.audio.load import load
from services.captioners.music.musicnn import MusicTagger
from services.captioners.music.style import (
    YAMNET,
    ClassTable,
    StyleTable,
    UsualScore,
    average_classes,
    score_style,
)
from services.captioners.sounds.yamnet import YamNet
from services.errors import BadAudio
from services.weights import store as weights

TABLE = Path(__file__).parents[2] / "services" / "captioners" / "music" / "styles.json"
ENDINGS = (".ogg", ".opus", ".mp3", ".flac", ".wav")
LENGTH_S = 10.0
LEAST_DEVIATION = 0.5  # of the logarithm of odds
SURE = 1.5  # standard deviations above the usual, from which YAMNet counts as sure
NUM_DRAWS = 5  # of three other genres, for each recording

Scores: TypeAlias = ClassTable[float]
"""Of a recording."""


def listen(folders: Sequence[str]) -> list[Scores]:
    """Score the middle of each recording that lasts at least ten seconds."""
    yamnet, tagger = YamNet(weights.ensure_folder("yamnet")), MusicTagger(weights.ensure_folder("musicnn"))
    found: list[Scores] = []
    for file in sorted({one.resolve() for folder in folders for one in Path(folder).rglob("*")}):
        if file.suffix.lower() not in ENDINGS:
            continue
        try:
            clip = load(file)
        except BadAudio as error:
            print(error)
            continue
        if clip.duration_s < LENGTH_S:
            continue
        middle_s = (clip.duration_s - LENGTH_S) / 2
        samples = clip.cut(middle_s, middle_s + LENGTH_S).samples
        tagged = {one.network: one.logits for one in tagger(samples)}
        found.append({YAMNET: average_classes(yamnet(samples), yamnet.names), **tagged})
    return found


def measure_usual(table: StyleTable, heard: Sequence[Scores]) -> ClassTable[UsualScore]:
    """Return the usual scores of the classes that the table names."""
    usual: dict[str, dict[str, UsualScore]] = {}
    for source, name in (
        (source, name) for style in table.styles for source, all_ in style.list_sources() for name in all_
    ):
        values = np.array([one[source][name] for one in heard])
        deviation = max(float(values.std()), LEAST_DEVIATION)
        usual.setdefault(source, {})[name] = UsualScore(round(float(values.mean()), 2), round(deviation, 2))
    return usual


def compare_models(table: StyleTable, heard: Sequence[Scores]) -> None:
    """Print how often musicnn chooses the genre that YAMNet is sure of among four, and the best temperature."""
    genres = [one for one in table.styles if one.kind == "genre" and one.yamnet and (one.msd or one.mtt)]
    halves = (
        [one.model_copy(update={"msd": (), "mtt": ()}) for one in genres],
        [one.model_copy(update={"yamnet": ()}) for one in genres],
    )
    rng = random.Random(0)  # noqa: S311 - no secret
    drawn = []
    for one in heard:
        by_model = [[score_style(style, one, table.usual) for style in half] for half in halves]
        best = int(np.argmax(by_model[0]))
        others = [number for number in range(len(genres)) if number != best]
        if by_model[0][best] >= SURE:
            drawn += [[by_model[1][i] for i in (best, *rng.sample(others, 3))] for _ in range(NUM_DRAWS)]
    scores = np.array(drawn)
    fitted = minimize_scalar(
        lambda t: float(np.mean(logsumexp(scores / t, axis=1) - scores[:, 0] / t)), bounds=(0.1, 5)
    )
    agreed = np.mean(scores.argmax(axis=1) == 0)
    print(f"{len(heard)} recordings; {len(drawn) // NUM_DRAWS} of a sure genre: {agreed:.1%} agree, {fitted.x:.2f}")


def write_usual(usual: ClassTable[UsualScore]) -> None:
    """Replace the usual scores in the table; its styles stay as they are written."""
    lines = [
        f'  "{source}": {{\n'
        + ",\n".join(f"   {json.dumps(name)}: {json.dumps(score)}" for name, score in found.items())
        + "\n  }"
        for source, found in usual.items()
    ]
    text = re.sub(r' "usual": \{.*', "", TABLE.read_text(encoding="utf-8"), flags=re.DOTALL)
    TABLE.write_text(text + ' "usual": {\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8")


def main() -> None:
    """Fit on the folders of the command line."""
    table = StyleTable.model_validate_json(TABLE.read_text(encoding="utf-8"))
    heard = listen(sys.argv[1:])
    fitted = table.model_copy(update={"usual": measure_usual(table, heard)})
    write_usual(fitted.usual)
    compare_models(fitted, heard)


if __name__ == "__main__":
    main()
