"""Genre and mood classification of music by the classes that YAMNet has for them."""

import numpy as np
from scipy.special import expit

from services.captioners.sounds.yamnet import ClassScores

GENRES = slice(211, 271)  # YAMNet classes
MOODS = {
    271: "happy (cheerful, playful, joyful)",
    272: "sad (melancholic, mournful)",
    273: "tender (calm, gentle, romantic)",
    274: "exciting (energetic, triumphant)",
    275: "angry (aggressive, intense, battle-like)",
    276: "scary (dark, tense, frightening)",
}
USUAL = {271: -7.5, 272: -6.3, 273: -5.0, 274: -6.6, 275: -11.9, 276: -7.8}
"""Mean log-probability over instrumental music: YAMNet calls little music angry, and much of it tender."""
ACCOMPANYING = (262, 263, 264, 265, 267)  # background, theme, jingle, soundtrack, video game
SOUNDTRACK = "film or game soundtrack (orchestral, cinematic)"
VAGUE = (213, 249, 260, 261, 269)  # beatboxing, vocal, independent, song, dance: no genres
NUM_GENRES = 3
NEAR = 1.6  # nepers below the best that a second guess may lie
LEAST_GENRE = -5.5  # log-probability
LEAST_MOOD = 0.5  # above the usual, nepers


def rank_genres(scores: ClassScores, names: tuple[str, ...]) -> list[str]:
    """Return up to three genres, most likely first."""
    logs = _average_logs(scores)
    found: dict[str, float] = {}
    for index in range(GENRES.start, GENRES.stop):
        if index not in VAGUE:
            name = SOUNDTRACK if index in ACCOMPANYING else names[index].lower().removesuffix(" music")
            found[name] = max(found.get(name, -99.0), float(logs[index]))
    ranked = sorted(found, key=lambda name: -found[name])[:NUM_GENRES]
    best = found[ranked[0]]
    return [name for name in ranked if found[name] > max(best - NEAR, LEAST_GENRE)]


def rank_moods(scores: ClassScores) -> list[str]:
    """Return up to two moods, most likely first."""
    logs = _average_logs(scores)
    above = {index: float(logs[index]) - USUAL[index] for index in MOODS}
    ranked = sorted(above, key=lambda index: -above[index])[:2]
    return [MOODS[index] for index in ranked if above[index] > max(LEAST_MOOD, above[ranked[0]] - NEAR)]


def _average_logs(scores: ClassScores) -> np.ndarray:
    """Return the logarithm of the mean probability per class: a silent patch has no say."""
    return np.asarray(np.log(expit(scores.logits).mean(axis=0) + 1e-6))
