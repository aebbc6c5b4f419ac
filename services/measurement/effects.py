"""Audio effects of FFmpeg: noise reduction, gain and time stretching, for a recording that is to be heard again."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.types import SAMPLE_RATE, AudioClip

Samples = NDArray[np.float32]

NOISE_REDUCTION_DB = 24
LOWEST_FLOOR_DB, HIGHEST_FLOOR_DB = -80.0, -20.0  # what FFmpeg's afftdn takes for the level of noise
TARGET_PEAK = 0.9  # of full scale
BLOCK = 1 << 16  # samples given to FFmpeg at once


class Effect(NamedTuple):
    """A filter of FFmpeg with its options, as `ffmpeg -af` has them."""

    name: str
    options: str


def reduce_noise(clip: AudioClip, floor_db: float) -> AudioClip:
    """Return the clip with its steady noise reduced by up to 24 dB (spectral subtraction, FFmpeg's afftdn).

    Args:
        clip: with noise in it.
        floor_db: level of the noise, dBFS.
    """
    floor_db = float(np.clip(floor_db, LOWEST_FLOOR_DB, HIGHEST_FLOOR_DB))
    return apply_effects(clip, [Effect("afftdn", f"nr={NOISE_REDUCTION_DB}:nf={floor_db:.1f}")])


def raise_level(clip: AudioClip) -> AudioClip:
    """Return the clip with its peak at 0.9 of full scale; silence stays silence."""
    peak = float(np.abs(clip.samples).max())
    return _replace_samples(clip, clip.samples * np.float32(TARGET_PEAK / peak)) if peak else clip


def stretch(clip: AudioClip, speed: float) -> AudioClip:
    """Return the clip slower or faster at the same pitch (FFmpeg's atempo).

    Args:
        clip: of any length.
        speed: from 0.5 (half as fast) to 2.
    """
    return apply_effects(clip, [Effect("atempo", f"{speed:g}")])


def apply_effects(clip: AudioClip, effects: Sequence[Effect]) -> AudioClip:
    """Return what FFmpeg's filters make of a clip, one after the other."""
    from av import AudioFrame, error  # loads FFmpeg, which plain WAV does not need
    from av.filter import Graph

    graph = Graph()
    source = graph.add(
        "abuffer", sample_rate=str(SAMPLE_RATE), sample_fmt="flt", channel_layout="mono", time_base=f"1/{SAMPLE_RATE}"
    )
    chain = [*effects, Effect("aformat", f"sample_fmts=flt:sample_rates={SAMPLE_RATE}:channel_layouts=mono")]
    filters = [source, *(graph.add(one.name, one.options) for one in chain), graph.add("abuffersink")]
    for one, following in pairwise(filters):
        one.link_to(following)
    graph.configure()
    heard: list[Samples] = []

    def drain() -> None:
        while True:
            try:
                heard.append(graph.pull().to_ndarray()[0])
            except (error.BlockingIOError, error.EOFError):
                return

    for start in range(0, len(clip.samples), BLOCK):
        frame = AudioFrame.from_ndarray(clip.samples[None, start : start + BLOCK], format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        graph.push(frame)
        drain()
    graph.push(None)
    drain()
    return _replace_samples(clip, np.clip(np.concatenate(heard), -1, 1))


def _replace_samples(clip: AudioClip, samples: Samples) -> AudioClip:
    return AudioClip(np.ascontiguousarray(samples, np.float32), clip.source_rate, clip.num_channels, clip.remarks)
