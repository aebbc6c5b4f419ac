"""Fit the instrument classifier of services/captioners/music/instrument.py.

    python -m benchmarks.instruments.render FluidR3_GM.sf2 renders/fluid
    python -m benchmarks.instruments.render MuseScore_General.sf3 renders/muse --clips 40 --seed 2
    python -m benchmarks.instruments.render TimGM6mb.sf2 renders/timgm --clips 12
    python -m benchmarks.instruments.fit --train renders/fluid renders/muse --test renders/timgm --others others.json

`others.json` lists [label, path] of further recordings for training: label "" for what is not an instrument.
Leaves services/captioners/music/instrument.safetensors and prints the accuracy per clip on the test soundfont, which
the classifier never heard.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
import soxr
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from benchmarks.instruments.effects import augment
from benchmarks.instruments.render import find_slices
from services.captioners.music.instrument import HEAD, extract_features
from services.captioners.sounds.yamnet import YamNet
from services.types import SAMPLE_RATE
from services.weights import store as weights

HIDDEN = 256
EPOCHS = 14
NO_INSTRUMENT = "no instrument"
AUDIBLE_DB = 35.0  # patches this far below the loudest of their clip are left out
LICENCES = "FluidR3 GM (MIT), MuseScore General (MIT); ESC-10 (CC BY), LibriSpeech (CC BY 4.0), FreePats (CC0)"

Floats = NDArray[np.float32]


class LabelledPatches(NamedTuple):
    """Features of patches, with their labels and clips."""

    inputs: Floats
    labels: list[str]
    clip_ids: NDArray[np.int64]


def load_rendered(folder: Path, yamnet: YamNet, rng: np.random.Generator | None) -> LabelledPatches:
    """Return the patches of all rendered clips; with a generator, each as some recording would hold it."""
    inputs, labels, ids = [], [], []
    for path in sorted(folder.glob("*.flac")):
        samples, _ = sf.read(path, dtype="float32")
        for start, end in find_slices(path):
            clip = samples[start:end]
            if np.abs(clip).max(initial=0) < 1e-3:
                continue
            patches = extract_patches(augment(clip, rng) if rng else clip, yamnet)
            inputs.append(patches)
            labels += [path.stem.rsplit("_", 1)[0]] * len(patches)
            ids.append(np.full(len(patches), len(inputs)))
    return LabelledPatches(np.concatenate(inputs), labels, np.concatenate(ids))


def extract_patches(samples: Floats, yamnet: YamNet) -> Floats:
    """Return the features of every other patch that is not silent beside the rest."""
    found = extract_features(samples, yamnet(samples).embeddings)[::2]
    loud = np.array([np.abs(samples[i * 7680 : i * 7680 + 15360]).max(initial=1e-9) for i in range(len(found))])
    audible: Floats = found[20 * np.log10(loud / loud.max()) > -AUDIBLE_DB]
    return audible


def load_others(listing: Path, yamnet: YamNet) -> LabelledPatches:
    """Return the patches of the listed recordings."""
    inputs, labels, ids = [], [], []
    for label, path in json.loads(listing.read_text()):
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
        patches = extract_patches(soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE), yamnet)
        inputs.append(patches)
        labels += [label or NO_INSTRUMENT] * len(patches)
        ids.append(np.full(len(patches), len(inputs)))
    return LabelledPatches(np.concatenate(inputs), labels, np.concatenate(ids))


def fit(clips: list[LabelledPatches], labels: list[str]) -> dict[str, torch.Tensor]:
    """Fit one hidden layer; return its tensors."""
    torch.manual_seed(0)
    x = torch.from_numpy(np.concatenate([part.inputs for part in clips]).astype(np.float32))
    y = torch.tensor([labels.index(label) for part in clips for label in part.labels])
    mean, scale = x.mean(0), x.std(0) + 0.05
    x = (x - mean) / scale
    balance = 1 / torch.bincount(y, minlength=len(labels)).clamp(min=40).float().sqrt()
    hidden, out = torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.Linear(HIDDEN, len(labels))
    model = torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Dropout(0.5), out)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    loss_of = torch.nn.CrossEntropyLoss(weight=balance / balance.mean(), label_smoothing=0.1)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(x)), 512):
            inputs = torch.nn.functional.dropout(x[batch], 0.2) + 0.1 * torch.randn(len(batch), x.shape[1])
            optimiser.zero_grad()
            loss_of(model(inputs), y[batch]).backward()
            optimiser.step()
        schedule.step()
    tensors = {"mean": mean, "scale": scale, "hidden.weight": hidden.weight, "hidden.bias": hidden.bias}
    tensors |= {"out.weight": out.weight, "out.bias": out.bias}
    return {name: tensor.detach().half().contiguous() for name, tensor in tensors.items()}


def compute_log_probabilities(tensors: dict[str, torch.Tensor], inputs: Floats) -> Floats:
    """Return log-probabilities, shape (num_patches, num_labels)."""
    w = {name: tensor.float() for name, tensor in tensors.items()}
    hidden = torch.relu(
        (torch.from_numpy(inputs.astype(np.float32)) - w["mean"]) / w["scale"] @ w["hidden.weight"].T + w["hidden.bias"]
    )
    return torch.log_softmax(hidden @ w["out.weight"].T + w["out.bias"], 1).numpy()


def report(tensors: dict[str, torch.Tensor], clips: LabelledPatches, labels: list[str]) -> None:
    """Print the accuracy per clip, and per label what it is taken for."""
    scores = compute_log_probabilities(tensors, clips.inputs)
    rows: dict[str, list[tuple[bool, bool, str]]] = {}
    for clip in np.unique(clips.clip_ids):
        mine = np.flatnonzero(clips.clip_ids == clip)
        best = scores[mine].mean(axis=0).argsort()[::-1]
        truth = clips.labels[mine[0]]
        rows.setdefault(truth, []).append(
            (labels[best[0]] == truth, truth in (labels[best[0]], labels[best[1]]), labels[best[0]])
        )
    for truth, row in rows.items():
        wrong = [guess for right, _, guess in row if not right]
        shares = f"top1 {np.mean([r[0] for r in row]):.2f} top2 {np.mean([r[1] for r in row]):.2f}"
        print(f"{truth:32s} {shares} {sorted(set(wrong), key=wrong.count)[-3:]}")
    every = [r for row in rows.values() for r in row]
    print(
        f"all {len(every)} clips: top1 {np.mean([r[0] for r in every]):.3f}, top2 {np.mean([r[1] for r in every]):.3f}"
    )


def main() -> None:
    """Fit, report and write the classifier."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--others", type=Path)
    args = parser.parse_args()
    yamnet = YamNet(weights.ensure_folder("yamnet"))
    clips = [load_rendered(folder, yamnet, np.random.default_rng(seed)) for seed, folder in enumerate(args.train)]
    if args.others:
        clips.append(load_others(args.others, yamnet))
    labels = sorted({label for part in clips for label in part.labels})
    tensors = fit(clips, labels)
    report(tensors, load_rendered(args.test, yamnet, None), labels)
    target = Path("services/captioners/music") / HEAD
    save_file(
        tensors, target, {"labels": json.dumps(labels), "data": LICENCES, "script": "benchmarks/instruments/fit.py"}
    )


if __name__ == "__main__":
    main()
