"""Scores of several voices, rendered with FluidSynth: many clips in one run, cut apart again.

    apt-get install fluidsynth fluid-soundfont-gm musescore-general-soundfont-small

A clip is a list of voices, each a General MIDI programme (or the drum channel) with its notes.
"""

import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from benchmarks.instruments.render import render
from benchmarks.instruments.score import DRUM_CHANNEL, TICKS_PER_S, NoteEvent, encode_varint

TAIL_S = 1.5  # between two clips, so that the release of one dies before the next
BATCH = 40  # clips in one run of the synthesiser
CONTROL, PROGRAM, NOTE_ON, NOTE_OFF = 0xB0, 0xC0, 0x90, 0x80
ALL_SOUND_OFF = 120

Floats = NDArray[np.float32]


class Voice(NamedTuple):
    """What one player plays."""

    notes: tuple[NoteEvent, ...]
    program: int | None
    """General MIDI programme, counted from 0; None: the drum channel."""


class Score(NamedTuple):
    """One clip to be rendered."""

    voices: tuple[Voice, ...]
    length_s: float


def render_scores(font: Path, scores: Sequence[Score]) -> Iterator[Floats]:
    """Yield the samples of each score, at `SAMPLE_RATE`."""
    for first in range(0, len(scores), BATCH):
        some = scores[first : first + BATCH]
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "all.wav")
            render(font, _write_midi(some), target)
            samples, rate = sf.read(target, dtype="float32")
        start_s = 0.0
        for score in some:
            start, end = round(start_s * rate), round((start_s + score.length_s) * rate)
            yield np.resize(samples[start:end], end - start) if end > len(samples) else samples[start:end]
            start_s += score.length_s + TAIL_S


def _write_midi(scores: Sequence[Score]) -> bytes:
    """Return a MIDI file of one track that plays the scores, each in its own slot."""
    timed: list[tuple[int, int, bytes]] = []
    origin_s = 0.0
    for score in scores:
        timed += _place_score(score, origin_s)
        origin_s += score.length_s + TAIL_S
    timed.sort()
    body, last = b"", 0
    for tick, _, message in timed:
        body += encode_varint(tick - last) + message
        last = tick
    body += encode_varint(max(0, round(origin_s * TICKS_PER_S) - last)) + b"\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_S // 2) + b"MTrk" + struct.pack(">I", len(body)) + body


def _place_score(score: Score, origin_s: float) -> Iterator[tuple[int, int, bytes]]:
    """Yield tick, rank within the tick and message: releases come before controllers, and both before notes."""
    channels = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    for voice in score.voices:
        channel = DRUM_CHANNEL if voice.program is None else channels.pop(0)
        first = round(origin_s * TICKS_PER_S)
        if voice.program is not None:
            yield first, 1, bytes((PROGRAM | channel, voice.program))
        for note in voice.notes:
            end_s = min(note.start_s + note.length_s, score.length_s)
            start, end = (round((origin_s + at_s) * TICKS_PER_S) for at_s in (note.start_s, end_s))
            yield start, 2, bytes((NOTE_ON | channel, note.pitch, note.velocity))
            yield max(end, start + 1), 0, bytes((NOTE_OFF | channel, note.pitch, 0))
        yield round((origin_s + score.length_s) * TICKS_PER_S), 1, bytes((CONTROL | channel, ALL_SOUND_OFF, 0))
