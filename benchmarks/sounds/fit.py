"""Fit `services/captioners/sounds/sound_head.safetensors` on the ten sounds of ESC-10, alone and under speech.

    python benchmarks/sounds/fit.py TRAIN_FOLDER

TRAIN_FOLDER holds `train.jsonl` and the clips it names; used of them: ESC-10 (CC BY 3.0) as examples, LibriSpeech
(CC BY 4.0) to speak over them, LibriSpeech, Sonic Pi (CC0), FreePats (CC0), vocadito (CC BY 4.0) and FluidR3 (MIT) as
counterexamples. Prints how often each sound is among the first tags on recordings that were held out (five folds),
then writes the layer that was fitted on all of them. About 9 minutes of CPU.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch.nn.functional import binary_cross_entropy_with_logits

from services.captioners.frames import Floats
from services.captioners.sounds.sound_head import FILE, MAX_LOGIT, extract_features
from services.captioners.sounds.tags import map_phrases, pool_logits, rank_sounds, score_sounds
from services.captioners.sounds.yamnet import ClassScores, YamNet
from services.weights import store as weights

TARGET = Path(__file__).parents[2] / "services" / "captioners" / "sounds" / FILE
LABELS = {
    "Sea waves": "sea waves",
    "A rooster crowing": "rooster crowing",
    "Rain falling": "rain falling",
    "A dog barking": "dog barking",
    "A chainsaw": "chainsaw",
    "A helicopter": "helicopter",
    "A crackling fire": "crackling fire",
    "A person sneezing": "person sneezing",
    "A clock ticking": "clock ticking",
    "A baby crying": "baby crying",
}
BRIEF = ("person sneezing", "dog barking", "rooster crowing")  # only the patches that hold the event teach it
LIBRISPEECH = "LibriSpeech (test-other, train-clean-100 excerpts)"
OTHERS = (LIBRISPEECH, "Sonic Pi samples", "FreePats world percussion", "vocadito excerpts")
RENDERED = "Rendered with FluidR3 GM SoundFont (sampled instruments)"
SILENCE, SILENT_LOGIT = 494, 3.0
NUM_OTHERS, NUM_FOLDS, NUM_EPOCHS, DECAY = 250, 5, 60, 3e-3
SHARPNESS, OFFSET = 1.3, 0.5  # make the layer's logits comparable to YAMNet's


Classes: TypeAlias = tuple[tuple[int, ...], ...]


class SoundExample(NamedTuple):
    """A clip as YAMNet hears it; `label` is "" for a counterexample."""

    label: str
    recording: str
    kind: str
    scores: ClassScores


class FittedLayer(NamedTuple):
    """A fitted layer, as it is written."""

    mean: Floats
    scale: Floats
    weight: Floats
    bias: Floats


def load_examples(folder: Path, model: YamNet) -> list[SoundExample]:
    """Read the clips and mix speech over them."""
    rng = np.random.default_rng(0)
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    alone = [row for row in rows if len(row["sources"]) == 1 and len(row["recordings"]) == 1]
    voices = [row for row in alone if row["sources"] == [LIBRISPEECH] and row["duration"] > 2]
    found = []
    for row in alone:
        if row["sources"] == ["ESC-10"] and row.get("labels", [""])[0] in LABELS and len(row["labels"]) == 1:
            sound, label = _read_clip(folder, row), LABELS[row["labels"][0]]
            heard: dict[str, Floats] = {
                "alone": sound,
                "quieter": sound * np.float32(0.25),
                "louder": np.clip(sound * 4, -1, 1).astype(np.float32),
            }
            for number in range(2):
                voice = _read_clip(folder, voices[rng.integers(len(voices))])
                heard[f"under speech {number}"] = _mix(sound, voice, rng.uniform(0, 12))
            found += [SoundExample(label, row["recordings"][0], kind, model(x)) for kind, x in heard.items()]
    others = [row for row in rows if len(row["sources"]) == 1 and row["sources"][0] in (*OTHERS, RENDERED)]
    picked = rng.permutation(len(others))[:NUM_OTHERS]
    return found + [SoundExample("", "", "other", model(_read_clip(folder, others[index]))) for index in picked]


def _read_clip(folder: Path, row: dict[str, str]) -> Floats:
    return np.asarray(soundfile.read(folder / row["audio"], dtype="float32")[0], np.float32)


def _mix(sound: Floats, voice: Floats, voice_db: float) -> Floats:
    voice = np.resize(voice, len(sound))
    gain = np.sqrt((sound**2).mean() / (voice**2).mean()) * 10 ** (voice_db / 20)
    mixed = sound + gain * voice
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


def fit(chosen: list[SoundExample], classes: Classes) -> FittedLayer:
    """Fit one logistic regression per sound to the patches of the examples; each example weighs the same."""
    torch.manual_seed(0)
    labels = list(LABELS.values())
    inputs, targets, shares = [], [], []
    for example in chosen:
        seen = extract_features(example.scores, classes)[_select_patches(example, classes)]
        inputs.append(seen)
        targets.append(np.tile([float(label == example.label) for label in labels], (len(seen), 1)))
        shares.append(np.full(len(seen), 1 / max(1, len(seen))))
    x, y, w = np.concatenate(inputs), np.concatenate(targets), np.concatenate(shares)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 0.05
    x_, y_, w_ = (torch.tensor(array, dtype=torch.float32) for array in ((x - mean) / scale, y, w[:, None]))
    layer = torch.nn.Linear(x.shape[1], len(labels))
    optimiser = torch.optim.AdamW(layer.parameters(), 3e-3, weight_decay=0)
    for _ in range(NUM_EPOCHS):
        for batch in torch.split(torch.randperm(len(x_)), 512):
            losses = binary_cross_entropy_with_logits(layer(x_[batch]), y_[batch] * 0.9 + 0.01, reduction="none")
            loss = (losses * w_[batch]).sum() / w_[batch].sum() + DECAY * layer.weight.pow(2).sum()
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    weight, bias = (tensor.detach().numpy() * SHARPNESS for tensor in (layer.weight, layer.bias))
    return FittedLayer(*(np.asarray(array, np.float32) for array in (mean, scale, weight, bias + OFFSET)))


def _select_patches(example: SoundExample, classes: Classes) -> NDArray[np.bool_]:
    audible = example.scores.logits[:, SILENCE] < SILENT_LOGIT
    if example.label in BRIEF and audible.any():
        indices = classes[list(LABELS.values()).index(example.label)]
        own = example.scores.logits[:, list(indices)].max(axis=1)
        audible &= own >= np.percentile(own[audible], 60)
    return audible


def evaluate(layer: FittedLayer, held_out: list[SoundExample], names: tuple[str, ...], classes: Classes) -> None:
    """Print how often the right sound is first, and among the first three, without and with the layer."""
    for kind in ("alone", "under speech"):
        chosen = [example for example in held_out if example.kind.startswith(kind)]
        for name, is_used in (("YAMNet", False), ("with the layer", True)):
            ranks = [_rank(layer, example, names, classes, is_used=is_used) for example in chosen]
            first, three = np.mean([rank == 0 for rank in ranks]), np.mean([rank < 3 for rank in ranks])
            print(f"{kind}, {name}: first {first:.2f}, first three {three:.2f}, n={len(ranks)}")


def _rank(
    layer: FittedLayer,
    example: SoundExample,
    names: tuple[str, ...],
    classes: Classes,
    *,
    is_used: bool,
) -> int:
    inputs = (extract_features(example.scores, classes) - layer.mean) / layer.scale
    logits = np.minimum(pool_logits((inputs @ layer.weight.T + layer.bias).astype(np.float32)), MAX_LOGIT)
    second = dict(zip(LABELS.values(), logits.tolist(), strict=True)) if is_used else {}
    ranked = rank_sounds(score_sounds(example.scores.logits, names, second))
    return [tag.sound for tag in ranked if tag.sound != "speech"].index(example.label)


def main() -> None:
    """Evaluate on held-out recordings, fit on all, write."""
    model = YamNet(weights.ensure_folder("yamnet"))
    classes = tuple(map_phrases(model.names)[label] for label in LABELS.values())
    found = load_examples(Path(sys.argv[1]), model)
    recordings = sorted({example.recording for example in found if example.label})
    folds = {recording: number % NUM_FOLDS for number, recording in enumerate(recordings)}
    for fold in range(NUM_FOLDS):
        layer = fit([example for example in found if folds.get(example.recording) != fold], classes)
        print(f"fold {fold + 1} of {NUM_FOLDS}")
        evaluate(layer, [e for e in found if folds.get(e.recording) == fold], model.names, classes)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in fit(found, classes)._asdict().items()}
    save_file(tensors, TARGET, metadata={"labels": json.dumps(list(LABELS.values()))})


if __name__ == "__main__":
    main()
