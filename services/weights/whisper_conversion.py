"""Convert the encoder of a Whisper model from CTranslate2 to safetensors, in the layout of transformers.

Nothing is lost: CTranslate2 keeps the published float16 values, and fuses only the projections of query, key and value.
"""

import re
import struct
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from services.files import share_files

DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}  # type ids of CTranslate2's model.bin
HEAD_SIZE = 64  # channels of an attention head, the same in every Whisper model
RENAMED = {
    "self_attention/linear_1": "self_attn.out_proj",
    "self_attention/layer_norm": "self_attn_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
    "ffn/layer_norm": "final_layer_norm",
    "weight": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
}


def convert_encoder(source: Path, target: Path) -> None:
    """Write the encoder of `source`/model.bin to `target`, with the configurations that transformers asks for."""
    from transformers import WhisperConfig, WhisperFeatureExtractor

    tensors = _rename(_read_variables(source / "model.bin"))
    width, num_mels, _ = tensors["conv1.weight"].shape
    num_layers = 1 + max(int(found[1]) for name in tensors if (found := re.match(r"layers\.(\d+)\.", name)))
    config = WhisperConfig(
        num_mel_bins=num_mels,
        d_model=width,
        encoder_layers=num_layers,
        encoder_attention_heads=width // HEAD_SIZE,
        encoder_ffn_dim=len(tensors["layers.0.fc1.bias"]),
        max_source_positions=len(tensors["embed_positions.weight"]),
        architectures=["WhisperEncoder"],
    )
    config.save_pretrained(target)
    WhisperFeatureExtractor(feature_size=num_mels).save_pretrained(target)
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    share_files(target)


def _rename(variables: dict[str, NDArray[np.generic]]) -> dict[str, torch.Tensor]:
    """Return the encoder's variables under the names that transformers uses, query, key and value apart."""
    tensors: dict[str, torch.Tensor] = {}
    for name, value in variables.items():
        if not name.startswith("encoder/") or value.ndim == 0:
            continue
        tensor = torch.from_numpy(value.copy())
        layer, _, part = name.removeprefix("encoder/").rpartition("/")
        if layer == "position_encodings":
            tensors["embed_positions.weight"] = tensor
        elif layer.endswith("self_attention/linear_0"):
            _split_projections(
                tensors, _translate_layer(layer.removesuffix("/linear_0")) + "self_attn.", RENAMED[part], tensor
            )
        else:
            tensors[f"{_translate_name(layer)}.{RENAMED[part]}"] = tensor
    return tensors


def _split_projections(tensors: dict[str, torch.Tensor], prefix: str, kind: str, fused: torch.Tensor) -> None:
    for name, part in zip(("q_proj", "k_proj", "v_proj"), fused.chunk(3), strict=True):
        if name == "k_proj" and kind == "bias":
            assert not part.any(), "Whisper's keys have no bias"
        else:
            tensors[f"{prefix}{name}.{kind}"] = part.clone()


def _translate_name(path: str) -> str:
    found = re.match(r"layer_\d+/(.+)", path)
    return _translate_layer(path) + RENAMED[found[1]] if found else path


def _translate_layer(path: str) -> str:
    return re.sub(r"^layer_(\d+)/.*", r"layers.\1.", path)


def _read_variables(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the variables of a CTranslate2 model.bin (format: `ctranslate2/specs/model_spec.py`, versions 5 and 6)."""
    data, offset = path.read_bytes(), 0

    def read_number(code: str) -> int:
        """Read one integer of a `struct` format at the offset, and move on."""
        nonlocal offset
        (value,) = struct.unpack_from(f"<{code}", data, offset)
        offset += struct.calcsize(f"<{code}")
        return int(value)

    def read_text() -> str:
        """Read one string that its 16-bit length precedes, and move on."""
        nonlocal offset
        length = read_number("H")
        offset += length
        return data[offset - length : offset].rstrip(b"\0").decode()

    version = read_number("I")
    assert version >= 5, version
    read_text(), read_number("I")  # the specification's name and revision
    variables: dict[str, NDArray[np.generic]] = {}
    for _ in range(read_number("I")):
        name = read_text()
        shape = [read_number("I") for _ in range(read_number("B"))]
        dtype, num_bytes = DTYPES[read_number("B")], read_number("I")
        variables[name] = np.frombuffer(data[offset : offset + num_bytes], dtype=dtype).reshape(shape)
        offset += num_bytes
    for _ in range(read_number("I")):
        alias, name = read_text(), read_text()
        variables[alias] = variables[name]
    assert offset == len(data), (offset, len(data))
    return variables
