"""Search for a described sound in a recording: where the classes that its words mean stand out, patch by patch."""

from typing import NamedTuple

import numpy as np

from services.captioners.sounds.activity import ActiveSpan, ActiveSpans, detect_activity
from services.captioners.sounds.meanings import open_sound_meanings
from services.captioners.sounds.tags import Tag, map_phrases, name_sounds
from services.captioners.sounds.yamnet import HOP_S, PATCH_S, YamNet
from services.sentences.meaning import TextEncoder
from services.types import AudioClip

LEAST_HEARD = 0.4  # confidence from which a patch counts as the sound
JOINED_S = 0.5  # stretches closer than this are one


class FoundSound(NamedTuple):
    """A stretch in which a sound is heard."""

    span: ActiveSpan
    sound: str
    """The tagger's name of it."""
    confidence: float
    """Of its surest patch."""


class SoundSearch(NamedTuple):
    """What a search for a sound brought."""

    names: tuple[str, ...]
    """The tagger's names for what was described; empty where it knows none, so that nothing could be looked for."""
    found: tuple[FoundSound, ...]
    """In order; empty where the sound is not heard."""


class SoundFinder:
    """Finds sounds by description, among the 521 classes of AudioSet.

    Args:
        yamnet: scores the patches.
        encode: encoder of descriptions whose words no class has.
    """

    def __init__(self, yamnet: YamNet, encode: TextEncoder) -> None:
        self._yamnet, self._matcher = yamnet, name_sounds(yamnet.names)
        self._meanings = open_sound_meanings(yamnet.names, encode)

    def __call__(self, clip: AudioClip, description: str) -> SoundSearch:
        """Find the stretches of a clip in which a sound is heard that these words describe."""
        names = tuple(sorted(self._matcher.match(description))) or self._meanings.find_described(description.lower())
        if not names:
            return SoundSearch((), ())
        scores, phrases = self._yamnet(clip.samples), map_phrases(self._yamnet.names)
        by_name = np.stack([scores.logits[:, list(phrases[name])].max(axis=1) for name in names], axis=1)
        logits = by_name.max(axis=1)
        is_heard = np.array([Tag("", float(logit)).confidence >= LEAST_HEARD for logit in logits])
        edges = np.flatnonzero(np.diff(np.concatenate(([0], is_heard.astype(np.int8), [0]))))
        found: list[FoundSound] = []
        activity = detect_activity(clip.samples)
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            best = first + int(logits[first:end].argmax())
            name = names[int(by_name[best].argmax())]
            one = FoundSound(
                _trim(_place(first, end, len(logits), clip), activity), name, Tag(name, float(logits[best])).confidence
            )
            if found and one.span.start_s - found[-1].span.end_s < JOINED_S:
                one = _join(found.pop(), one)
            found.append(one)
        return SoundSearch(names, tuple(found))


def _place(first: int, end: int, num_patches: int, clip: AudioClip) -> ActiveSpan:
    """Return the time that patches stand for: about their middles, at the edges all that is left."""
    start_s = 0.0 if first == 0 else first * HOP_S + (PATCH_S - HOP_S) / 2
    end_s = clip.duration_s if end == num_patches else (end - 1) * HOP_S + (PATCH_S + HOP_S) / 2
    return ActiveSpan(start_s, min(end_s, clip.duration_s))


def _trim(span: ActiveSpan, activity: ActiveSpans) -> ActiveSpan:
    """Return the part of a span from its first to its last moment with sound: patches reach over its edges."""
    inside = [one for one in activity if one.measure_overlap_s(span)]
    if not inside:
        return span
    return ActiveSpan(max(span.start_s, inside[0].start_s), min(span.end_s, inside[-1].end_s))


def _join(one: FoundSound, following: FoundSound) -> FoundSound:
    surest = max(one, following, key=lambda it: it.confidence)
    return surest._replace(span=ActiveSpan(one.span.start_s, following.span.end_s))
