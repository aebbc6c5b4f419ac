"""musicnn, a music tagger: logits of 50 tags by Last.fm listeners and of 50 tags by annotators of MagnaTagATune.

Two networks of one architecture, trained on the Million Song Dataset (Last.fm tags) and on MagnaTagATune. Source:
Pons & Serra, arXiv:1909.06654, https://github.com/jordipons/musicnn (ISC); the weights are converted by
`services/weights/onnx_export.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats, cut_frames
from services.captioners.mel import make_mel_filters
from services.captioners.onnx_session import open_session

PATCH_FRAMES, FRAME_SAMPLES, FRAME_HOP, NUM_MELS = 187, 512, 256, 96
MAX_PATCHES = 6  # spread over the clip; each takes a network 0.04 s of processor time
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
    """The two opened networks."""

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
    frames = cut_frames(padded, FRAME_SAMPLES, FRAME_HOP)
    power = np.abs(np.fft.rfft(frames * _WINDOW)) ** 2
    return np.asarray(np.log10(1 + LOUDNESS * (power @ _MEL_FILTERS)), np.float32)


def cut_patches(mels: Floats) -> Floats:
    """Cut a spectrogram into patches that are spread evenly over it, shape (num_patches, PATCH_FRAMES, NUM_MELS)."""
    if len(mels) < PATCH_FRAMES:
        return np.resize(mels, (1, PATCH_FRAMES, NUM_MELS))
    last = len(mels) - PATCH_FRAMES
    starts = np.linspace(0, last, min(MAX_PATCHES, 1 + round(last / PATCH_FRAMES))).round().astype(int)
    return np.stack([mels[start : start + PATCH_FRAMES] for start in dict.fromkeys(starts.tolist())])


_MEL_FILTERS = make_mel_filters(FRAME_SAMPLES, NUM_MELS)
_WINDOW = np.hanning(FRAME_SAMPLES + 1)[:-1].astype(np.float32)
