"""Fit the curves by which `services.measurement.comparison` tells the same speaker, and the same sound.

    python -m benchmarks.ears.likeness_fit FOLDER    # train.jsonl and the recordings that it names

Pairs of recordings: of one reader of LibriSpeech, or of two; of one class of ESC-10, or of two. Pairs that are alike
and pairs that are not count as much as each other. The actors of RAVDESS, whose licence forbids commercial use, show
how well emotional sentences of two seconds are told apart; nothing is fitted on them.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from services.audio.load import load
from services.captioners.sounds.activity import detect_activity
from services.captioners.sounds.yamnet import YamNet
from services.captioners.voices.segments import detect_speech
from services.captioners.voices.voiceprint import VoiceEncoder
from services.measurement.comparison import LEAST_SPEECH_S, Embedding, Likeness, embed_sound, embed_voice
from services.types import AudioClip
from services.weights import store

MOST = 6  # recordings of one speaker or class


class Pairs(NamedTuple):
    """Similarities of pairs."""

    same: Sequence[float]
    different: Sequence[float]


def main() -> None:
    """Print a curve for speakers and one for sounds, with how many pairs are told rightly."""
    folder = Path(sys.argv[1])
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    voices, yamnet = VoiceEncoder(store.ensure_folder("resemblyzer")), YamNet(store.ensure_folder("yamnet"))

    def hear_voice(clip: AudioClip) -> Embedding | None:
        speech = detect_speech(clip.samples)
        return embed_voice(voices, clip, speech) if sum(one.duration_s for one in speech) >= LEAST_SPEECH_S else None

    def hear_sound(clip: AudioClip) -> Embedding | None:
        spans = detect_activity(clip.samples)
        return embed_sound(yamnet, clip, spans) if spans else None

    readers = _compare(folder, list(_find_speakers(rows, "LibriSpeech")), hear_voice)
    fitted = _fit("speakers of LibriSpeech", readers)
    _report("speakers of RAVDESS", _compare(folder, list(_find_speakers(rows, "RAVDESS")), hear_voice), fitted)
    sounds = [(str(row["labels"]), row["audio"]) for row in rows if row["sources"] == ["ESC-10"] and row.get("labels")]
    _fit("sounds of ESC-10", _compare(folder, sounds, hear_sound))


def _find_speakers(rows: Sequence[Mapping[str, Any]], source: str) -> Iterator[tuple[str, str]]:
    """Yield speaker and recording of those with one speaker."""
    for row in rows:
        if row["task"] == "speech" and len(row["recordings"]) == 1 and row["sources"][0].startswith(source):
            name = str(row["recordings"][0]).split(":")[-1]
            yield name.rsplit("-", 1)[-1] if source == "RAVDESS" else name.split("-")[0], row["audio"]


def _compare(folder: Path, named: Sequence[tuple[str, str]], hear: Callable[[AudioClip], Embedding | None]) -> Pairs:
    found: defaultdict[str, list[Embedding]] = defaultdict(list)
    for name, audio in named:
        if len(found[name]) < MOST and (embedding := hear(load(folder / audio))) is not None:
            found[name].append(embedding)
    same = [float(a @ b) for some in found.values() for a, b in combinations(some, 2)]
    different = [float(a @ b) for one, other in combinations(found.values(), 2) for a in one for b in other]
    return Pairs(same, different)


def _fit(what: str, pairs: Pairs) -> Likeness:
    similarities = np.array([*pairs.same, *pairs.different])[:, None]
    is_same = np.repeat([1, 0], [len(pairs.same), len(pairs.different)])
    fitted = LogisticRegression(C=1e4, class_weight="balanced").fit(similarities, is_same)
    slope = float(fitted.coef_[0, 0])
    curve = Likeness(-float(fitted.intercept_[0]) / slope, slope)
    print(f"{what}: middle {curve.middle:.3f}, slope {curve.slope:.1f}")
    _report(what, pairs, curve)
    return curve


def _report(what: str, pairs: Pairs, curve: Likeness) -> None:
    same, different = (np.array([one >= curve.middle for one in side]) for side in pairs)
    print(
        f"{what}: {len(same)} pairs alike, {same.mean():.1%} told so; {len(different)} not, {(~different).mean():.1%}"
    )


if __name__ == "__main__":
    main()
