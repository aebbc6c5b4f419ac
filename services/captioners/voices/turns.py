"""Speaker diarisation, who speaks when: windows of speech are clustered by their speaker embeddings.

Agglomerative clustering: the two most similar clusters are merged until none are similar enough. Only windows of at
least 1.2 s start a cluster, because embeddings of shorter ones separate voices badly; these join the nearest cluster,
unless one of at least 0.8 s is unlike all of them: then it starts another.
"""

from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.sounds.activity import ActiveSpan, ActiveSpans
from services.captioners.voices.voiceprint import WINDOW_S, VoiceEncoder

STEP_S = 0.4
SEED_S = 1.2  # a shorter window starts no cluster
ALIKE = 0.73  # cosine similarity; tuned on joined clips of LibriSpeech (CC BY 4.0), 2026
SHORT_SEED_S = 0.8  # a window shorter than SEED_S starts a cluster if it is this long
UNLIKE = 0.45  # and less similar than this to all others; of one voice in pieces of 0.8 to 1.2 s 1 % are (docs/log)
MAX_WINDOWS = 300  # a long clip is sampled more sparsely


class SpeakerTurn(NamedTuple):
    """A speaker turn: spans of one voice; voices are numbered from 0 in the order in which they are first heard."""

    voice: int
    spans: ActiveSpans

    @property
    def start_s(self) -> float:
        """Seconds."""
        return self.spans[0].start_s

    @property
    def end_s(self) -> float:
        """Seconds."""
        return self.spans[-1].end_s


def diarise(encoder: VoiceEncoder, samples: Floats, speech: ActiveSpans) -> tuple[SpeakerTurn, ...]:
    """Return the speaker turns in order, for the spans of speech in samples at 16 kHz."""
    step_s = max(STEP_S, sum(span.duration_s for span in speech) / MAX_WINDOWS)
    windows = [window for span in speech for window in _cut_windows(span, step_s)]
    if not windows:
        return ()
    embeddings = encoder([window.cut(samples) for window in windows])
    voices = _cluster(embeddings, np.array([window.duration_s for window in windows]))
    return _join_windows(windows, _number_by_first_turn(voices))


def _cut_windows(span: ActiveSpan, step_s: float) -> list[ActiveSpan]:
    if span.duration_s <= WINDOW_S:
        return [span]
    starts = np.arange(span.start_s, span.end_s - WINDOW_S + 1e-6, step_s)
    return [ActiveSpan(float(start), float(start) + WINDOW_S) for start in starts]


def _cluster(embeddings: Floats, durations_s: Floats) -> list[int]:
    """Return the number of the cluster (voice) of each window, by cosine similarity."""
    seeds = np.flatnonzero(durations_s >= min(SEED_S, float(durations_s.max())))
    sums = [embeddings[index] * durations_s[index] for index in seeds]
    while len(sums) > 1:
        normal = np.stack([total / np.linalg.norm(total) for total in sums])
        alike = np.tril(normal @ normal.T, -1)
        later, earlier = np.unravel_index(alike.argmax(), alike.shape)
        if alike[later, earlier] < ALIKE:
            break
        sums[earlier] = sums[earlier] + sums.pop(later)
    centres = [total / np.linalg.norm(total) for total in sums]
    for index in sorted(set(range(len(embeddings))) - set(seeds.tolist()), key=lambda one: -durations_s[one]):
        if durations_s[index] >= SHORT_SEED_S and (np.stack(centres) @ embeddings[index]).max() < UNLIKE:
            centres.append(embeddings[index])
    return [int(voice) for voice in (embeddings @ np.stack(centres).T).argmax(axis=1)]


def _number_by_first_turn(voices: list[int]) -> list[int]:
    order = list(dict.fromkeys(voices))
    return [order.index(voice) for voice in voices]


def _join_windows(windows: list[ActiveSpan], voices: list[int]) -> tuple[SpeakerTurn, ...]:
    """Join consecutive windows of one voice; overlapping windows of two voices are split in the middle."""
    found: list[SpeakerTurn] = []
    for window, voice in zip(windows, voices, strict=True):
        last = found[-1] if found else None
        if last is None or last.voice != voice:
            found.append(SpeakerTurn(voice, (_start_after(last, window),)))
        elif window.start_s <= last.end_s + 1e-6:
            found[-1] = SpeakerTurn(voice, (*last.spans[:-1], ActiveSpan(last.spans[-1].start_s, window.end_s)))
        else:
            found[-1] = SpeakerTurn(voice, (*last.spans, window))
    return tuple(
        SpeakerTurn(turn.voice, (*turn.spans[:-1], ActiveSpan(turn.spans[-1].start_s, _find_end_s(turn, following))))
        for turn, following in zip(found, [*found[1:], None], strict=True)
    )


def _start_after(last: SpeakerTurn | None, window: ActiveSpan) -> ActiveSpan:
    if last is None or window.start_s >= last.end_s:
        return window
    return ActiveSpan((window.start_s + last.end_s) / 2, window.end_s)


def _find_end_s(turn: SpeakerTurn, following: SpeakerTurn | None) -> float:
    return turn.end_s if following is None else min(turn.end_s, max(following.start_s, turn.spans[-1].start_s))
