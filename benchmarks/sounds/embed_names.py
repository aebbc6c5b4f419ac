"""Embed the names of all sounds: writes `services/captioners/sounds/name_vectors.safetensors`.

    python -m benchmarks.sounds.embed_names

To run again whenever a name in `sounds.json` changes; a test says so. About 5 s of CPU.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from services.captioners.sounds.meanings import FILE, list_sound_names, list_voice_names
from services.captioners.sounds.yamnet import read_class_names
from services.sentences.encoder import FOLDER, open_sentence_encoder
from services.weights import store as weights

TARGET = Path(__file__).parents[2] / "services" / "captioners" / "sounds" / FILE


def main() -> None:
    """Embed and write."""
    phrases = {**list_sound_names(read_class_names(weights.ensure_folder("yamnet"))), **list_voice_names()}
    names = sorted({name for also in phrases.values() for name in also})
    vectors = open_sentence_encoder()(names)
    save_file({"vectors": vectors.astype(np.float16)}, TARGET, {"labels": json.dumps(names), "encoder": FOLDER.name})
    print(f"{len(names)} names of {len(phrases)} sounds, {TARGET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
