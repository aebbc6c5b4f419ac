"""musicnn, a music tagger: logits of 50 tags of listeners of songs and of 50 of annotators of clips.

Two networks of one shape, trained on the Million Song Dataset with tags of Last.fm, and on MagnaTagATune. Source:
Pons & Serra, arXiv:1909.06654, https://github.com/jordipons/musicnn (ISC); the weights are converted by
`services/weights/onnx_export.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from services.captioners.mel import make_mel_filters
from services.captioners.onnx_session import open_session
from services.captioners.sounds.activity import Floats

PATCH_FRAMES, FRAME_SAMPLES, FRAME_HOP, NUM_MELS = 187, 512, 256, 96
MOST_PATCHES = 6  # spread over the clip; a network takes 0.04 s of processor for each
LOUDNESS = 10_000.0  # the spectrogram is log10(1 + LOUDNESS * power)
SOURCES: Mapping[str, tuple[str, ...]] = {
    "msd": (
        "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock",
        "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "mellow",
        "electronica", "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient",
        "acoustic", "experimental", "female vocalist", "guitar", "hip hop", "70s", "party", "country", "easy listening",
        "sexy", "catchy", "funk", "electro", "heavy metal", "progressive rock", "60s", "rnb", "indie pop", "sad",
        "house", "happy",
    ),
    "mtt": (
        "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano", "ambient",
        "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing", "vocals", "no vocals",
        "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal", "pop", "soft", "sitar", "solo",
        "man", "classic", "choir", "voice", "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello",
        "no voice", "weird", "country", "metal", "female voice", "choral",
    ),
}  # fmt: skip
"""Network -> its tags, in the order of its outputs."""


class TagLogits(NamedTuple):
    """Logits of the tags of one network, averaged over the patches of a clip."""

    network: str
    logits: Mapping[str, float]
    """Tag -> logit of its mean probability."""


class MusicTagger:
    """The opened networks."""

    def __init__(self, folder: Path) -> None:
        self._sessions = {name: open_session(folder / f"{name}.onnx") for name in SOURCES}

    def __call__(self, samples: Floats) -> tuple[TagLogits, ...]:
        """Tag samples at 16 kHz, shape (num_samples,); a clip shorter than a patch is looped to fill one."""
        patches = cut_patches(compute_log_mel(samples))
        found = []
        for name, session in self._sessions.items():
            logits = np.concatenate([session.run(None, {"patches": patch[None]})[0] for patch in patches])
            mean = np.clip((1 / (1 + np.exp(-logits.astype(np.float64)))).mean(axis=0), 1e-7, 1 - 1e-7)
            found.append(TagLogits(name, dict(zip(SOURCES[name], np.log(mean / (1 - mean)).tolist(), strict=True))))
        return tuple(found)


def compute_log_mel(samples: Floats) -> Floats:
    """Return the log-mel spectrogram that the networks were trained on, shape (num_frames, 96), 16 ms a frame."""
    padded = np.pad(samples, FRAME_SAMPLES // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::FRAME_HOP]
    power = np.abs(np.fft.rfft(frames * _WINDOW)) ** 2
    return np.asarray(np.log10(1 + LOUDNESS * (power @ _MEL_FILTERS)), np.float32)


def cut_patches(mels: Floats) -> Floats:
    """Cut a spectrogram into patches that are spread evenly over it, shape (num_patches, PATCH_FRAMES, NUM_MELS)."""
    if len(mels) < PATCH_FRAMES:
        return np.resize(mels, (1, PATCH_FRAMES, NUM_MELS))
    last = len(mels) - PATCH_FRAMES
    starts = np.linspace(0, last, min(MOST_PATCHES, 1 + round(last / PATCH_FRAMES))).round().astype(int)
    return np.stack([mels[start : start + PATCH_FRAMES] for start in dict.fromkeys(starts.tolist())])


_MEL_FILTERS = make_mel_filters(FRAME_SAMPLES, NUM_MELS)
_WINDOW = np.hanning(FRAME_SAMPLES + 1)[:-1].astype(np.float32)
