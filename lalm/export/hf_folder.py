"""Export of a run folder as a Hugging Face folder.

Plain `transformers` loads it after `import lalm.export.hf`, and vLLM as it is.

    python -m lalm.export runs/tiny exported/tiny

It holds config.json, model.safetensors (encoder, connector, backbone, adapters, in float32), the tokenizer with its
chat template, the feature extractor's settings and generation_config.json. The tokenizer knows two tokens more: where
a clip stands, and where its transcript ends. The chat template takes OpenAI's content parts.
"""

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import GenerationConfig, PreTrainedTokenizerBase, WhisperFeatureExtractor

from lalm.export.hf import Lalm
from lalm.export.hf_config import LalmConfig
from lalm.model import parts
from lalm.model.build import build
from lalm.model.config import ModelConfig
from lalm.prompting import AUDIO, TRANSCRIPT_END
from lalm.train import checkpoint
from services.command import run
from services.errors import BadConfig

PARTS_TEMPLATE = Path(__file__).with_name("audio_parts.j2")


def export(trained: Path, folder: Path) -> None:
    """Write the model of a run; `folder` appears whole, or not at all."""
    config = checkpoint.read_config(trained).model
    if not (trained / checkpoint.WEIGHTS).is_file():
        raise BadConfig(
            f"'{trained}' holds no {checkpoint.WEIGHTS}: train it first (`python -m lalm.train CONFIG {trained}`)."
        )
    with _write_whole_folder(folder) as partial:
        _write_model(trained, config, partial)


@contextmanager
def _write_whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes its name once all is written; `BadConfig` where nothing can be."""
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        if folder.exists():
            raise BadConfig(f"'{folder}' exists: name a folder that does not, or remove this one.")
        partial.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.rename(folder)
    except (OSError, SafetensorError) as error:  # safetensors words what the disk refuses
        raise BadConfig(f"'{folder}' cannot be written: {str(error).splitlines()[0]}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_model(trained: Path, config: ModelConfig, partial: Path) -> None:
    built = build(config.model_copy(update={"dtype": "float32"}), torch.device("cpu"))
    checkpoint.load_weights(built.model, trained)
    described = LalmConfig(
        encoder=built.encoder.whisper.config.to_dict(),
        backbone=built.model.backbone.config.to_dict(),
        connector=config.connector.model_dump(),
        lora=config.lora.model_dump() if config.lora else None,
        window=config.window,
        dtype="float32",
    )
    model = Lalm(described)
    model.encoder, model.language = built.encoder, built.model
    model.save_pretrained(partial)
    add_audio_tokens(parts.open_tokenizer(config.backbone)).save_pretrained(partial)
    WhisperFeatureExtractor(feature_size=built.encoder.whisper.config.num_mel_bins).save_pretrained(partial)
    end = built.template.turn_end[-1]
    GenerationConfig(do_sample=False, eos_token_id=end, pad_token_id=end).save_pretrained(partial)


def add_audio_tokens(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Add what a server needs that is sent clips: the two tokens, and a chat template that takes them as parts."""
    tokenizer.add_tokens([AUDIO, TRANSCRIPT_END], special_tokens=True)
    tokenizer.chat_template = PARTS_TEMPLATE.read_text(encoding="utf-8") + str(tokenizer.chat_template)
    return tokenizer


def main(argv: list[str] | None = None) -> int:
    """Parse and export; 2 and one line on stderr where the user can mend it."""
    parser = argparse.ArgumentParser(prog="python -m lalm.export", description="Export a LALM for transformers.")
    parser.add_argument("run", type=Path, help="run folder of lalm.train")
    parser.add_argument("folder", type=Path, help="Hugging Face folder to write; must not exist")
    options = parser.parse_args(argv)
    return run("lalm.export", lambda: export(options.run, options.folder))
