"""Activations of a LALM at every stage: encoder taps, connector output, backbone layers.

Each stage becomes one vector per clip, so that a linear probe (Alain & Bengio 2016, arXiv:1610.01644) can measure which
classes are separable there. The prompt is the same for every clip and has no text beside the clip, so that all
differences between vectors come from the sound.
"""

# Shape suffixes: S segments of audio, K taps, T encoder frames, E encoder width, Q queries, A = S * Q audio embeddings,
# L tokens of the prompt, H backbone width

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as serialise
from torch import Tensor

from lalm.model import parts
from lalm.model.frames import EncodedSegment, pad_segments
from lalm.model.template import PromptClip
from lalm.probing.opened import OpenedRun
from lalm.prompting import build_messages, insert_audio
from services.digest import hash_modules
from services.errors import TooLarge
from services.files import write_atomic
from services.settings import read_settings
from services.types import AudioClip, Message, Question

Part: TypeAlias = Literal["encoder", "connector", "backbone"]
StageReading: TypeAlias = Literal["mean", "all", "last"]
"""How a stage becomes one vector: mean over frames or audio tokens; all audio tokens side by side (of the encoder: the
means of all taps); or the last token of the prompt, from which the reply begins."""
Vector: TypeAlias = NDArray[np.float32]

CODE = (
    "lalm.model",
    "lalm.probing.activations",
    "lalm.prompting",
    "lalm.train.checkpoint",
    "lalm.train.desta",
    "services.captioners.frames",
    "services.captioners.mel",
    "services.captioners.onnx_session",
    "services.captioners.sounds.yamnet",
)
"""Code that the activations depend on besides the weights."""


class ProbedStage(NamedTuple):
    """A stage of the model, and how its activations become one vector."""

    part: Part
    reading: StageReading
    layer: int = 0
    """Of the encoder: number of the tap, over all encoders, from 0; of the backbone: layer, from 1."""

    @property
    def key(self) -> str:
        """Name in a file of activations."""
        return f"{self.part}/{self.layer:03d}/{self.reading}"


Activations: TypeAlias = Mapping[ProbedStage, Vector]
"""ProbedStage -> vector of one clip, shape (width,)."""


class ActivationReader:
    """Reads the activations of a LALM, and caches them on disk for probes of other labels.

    Args:
        opened: the model.
        question: asked about every clip.
    """

    def __init__(self, opened: OpenedRun, question: str) -> None:
        self._opened, self._built = opened, opened.built
        self.name, self.revision, self.question = opened.name, opened.revision, question
        system, asked = build_messages(Question.ask(question))
        self._messages = (system, Message(role=asked.role, content=insert_audio(asked.content)))
        frozen = [parts.compute_revision(one.source) for one in opened.config.list_encoders()]
        backbone = parts.compute_revision(opened.config.backbone)
        key = f"{opened.revision} {frozen} {backbone} {question} {opened.device.type} {hash_modules(*CODE)}"
        self._shelf = read_settings().home / "activations" / sha256(key.encode()).hexdigest()[:12]

    @property
    def stages(self) -> tuple[ProbedStage, ...]:
        """All stages, from the encoder to the last layer."""
        layers = range(1, self._built.model.backbone.config.num_hidden_layers + 1)
        return (
            *(ProbedStage("encoder", "mean", number) for number in range(len(self.taps))),
            ProbedStage("encoder", "all"),
            ProbedStage("connector", "mean"),
            ProbedStage("connector", "all"),
            *(ProbedStage("backbone", "mean", number) for number in layers),
            *(ProbedStage("backbone", "last", number) for number in layers),
        )

    def describe(self, stage: ProbedStage) -> str:
        """Return the display name of a stage."""
        if stage.part == "encoder":
            return "encoder, all taps" if stage.reading == "all" else self.taps[stage.layer]
        if stage.part == "connector":
            return f"connector, {'all tokens' if stage.reading == 'all' else 'mean of tokens'}"
        return f"layer {stage.layer}, {'last token' if stage.reading == 'last' else 'mean of audio tokens'}"

    @property
    def taps(self) -> tuple[str, ...]:
        """Name of each tap of the encoders, in order."""
        return tuple(
            f"{Path(one.source).name} tap {number}"
            for one, encoder in zip(self._opened.config.list_encoders(), self._built.encoders.each, strict=True)
            for number in range(1, encoder.shape.num_taps + 1)
        )

    def read(self, clip: AudioClip) -> Activations:
        """Return the activations of a clip, from disk where they are cached.

        Raises:
            TooLarge: the prompt with the clip exceeds the context of the backbone.
        """
        path = self._shelf / f"{clip.sha256}.safetensors"
        try:
            stored = load_file(path)
        except (OSError, SafetensorError):  # not there, or truncated by a full disk
            stored = {stage.key: vector for stage, vector in self._run(clip)}
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, serialise(stored))
        return {stage: stored[stage.key] for stage in self.stages}

    @torch.inference_mode()
    def _run(self, clip: AudioClip) -> Iterator[tuple[ProbedStage, Vector]]:
        segments = self._built.encoders(clip)
        taps = list(average_taps(segments))
        for number, tap_E in enumerate(taps):
            yield ProbedStage("encoder", "mean", number), to_vector(tap_E)
        yield ProbedStage("encoder", "all"), to_vector(torch.cat(taps))
        audio_SQH = self._built.model.connector(pad_segments(segments))
        yield ProbedStage("connector", "mean"), to_vector(audio_SQH.mean((0, 1)))
        yield ProbedStage("connector", "all"), to_vector(audio_SQH.mean(0).flatten())
        ids_L = self._encode_prompt(clip, len(segments))
        for number, states_LH in enumerate(self._run_backbone(ids_L, audio_SQH.flatten(0, 1))):
            if number:  # 0: the embeddings, which are the connector's output
                yield ProbedStage("backbone", "mean", number), to_vector(states_LH[ids_L < 0].mean(0))
                yield ProbedStage("backbone", "last", number), to_vector(states_LH[-1])

    def _encode_prompt(self, clip: AudioClip, num_segments: int) -> Tensor:
        ids = self._built.template.encode_prompt(self._messages, [PromptClip(num_segments)])
        room = int(self._built.model.backbone.config.max_position_embeddings)
        if len(ids) > room:
            raise TooLarge(
                f"A clip of {clip.duration_s:.1f} s takes {len(ids)} tokens, and the backbone of "
                f"{self._opened.name!r} reads at most {room}: cut it."
            )
        return torch.tensor(ids, device=self._opened.device)

    def _run_backbone(self, ids_L: Tensor, audio_AH: Tensor) -> Sequence[Tensor]:
        """Return the embeddings and the output of each layer, shape (L, H); the last one is normed."""
        model = self._built.model
        with model.use_adapters(active=True):
            states = model.backbone(
                inputs_embeds=model.embed_prompt(ids_L, audio_AH)[None],
                output_hidden_states=True,
                use_cache=False,
                logits_to_keep=1,
            ).hidden_states
        return [state_1LH[0] for state_1LH in states]


def average_taps(segments: Sequence[EncodedSegment]) -> Iterator[Tensor]:
    """Yield the mean over all frames of a clip for each tap of each encoder, shape (E,)."""
    for heard in zip(*segments, strict=True):  # one encoder
        yield from torch.cat([taps_KTE.float() for taps_KTE in heard], dim=1).mean(1)


def to_vector(values: Tensor) -> Vector:
    """Return values as a float32 array in main memory."""
    vector: Vector = values.float().cpu().contiguous().numpy()
    return vector
