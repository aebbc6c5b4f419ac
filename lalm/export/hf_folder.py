"""Export of a run folder in Hugging Face format.

`transformers` loads the result after `import lalm.export.hf`, and vLLM loads it directly.

    python -m lalm.export runs/tiny exported/tiny
    python -m lalm.export runs/tiny exported/desta --desta  # only the weights, under the names of DeSTA2.5-Audio

It holds config.json, model.safetensors (encoder, connector, backbone, adapters, in float32), the tokenizer with its
chat template, the settings of the processor and of Whisper's feature extractor, generation_config.json and a model
card. The tokenizer has two extra tokens: the placeholder of a clip, and the end of its transcript. The chat template
accepts OpenAI's content parts.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

import torch
from safetensors import SafetensorError
from transformers import GenerationConfig, PreTrainedTokenizerBase, WhisperFeatureExtractor

from lalm.export.hf import Lalm
from lalm.export.hf_config import LalmConfig
from lalm.export.hf_processor import LalmProcessor
from lalm.model import parts
from lalm.model.build import build
from lalm.model.config import ModelConfig
from lalm.model.encoder import Encoder
from lalm.prompting import AUDIO, TRANSCRIPT_END
from lalm.train import checkpoint, run_files
from services.errors import BadConfig
from services.files import share_files
from services.terminal.command import CommandParser, run

PARTS_TEMPLATE = Path(__file__).with_name("audio_parts.j2")
CARD = Path(__file__).with_name("model_card.md")


def export(trained: Path, folder: Path) -> None:
    """Export the model of a run atomically: `folder` appears complete, or not at all.

    Args:
        trained: run folder of `lalm.train`.
        folder: to create.

    Raises:
        BadConfig: the run has no trained weights or hears with anything but one Whisper encoder, or `folder` exists or
            cannot be written.
    """
    config = run_files.read_config(trained).model
    _require_one_whisper(trained, config)
    if not (trained / run_files.WEIGHTS).is_file():
        raise BadConfig(
            f"'{trained}' holds no {run_files.WEIGHTS}: train it first (`python -m lalm.train CONFIG {trained}`)."
        )
    with _write_whole_folder(folder) as partial:
        _write_model(trained, config, partial)
        (partial / "README.md").write_text(_format_card(config, folder), encoding="utf-8")


def _require_one_whisper(trained: Path, config: ModelConfig) -> None:
    """Refuse encoders that the exported model class does not support."""
    if config.encoder is None:
        names = ", ".join(one.source for one in config.encoders)
        raise BadConfig(
            f"'{trained}' hears with {names} (model.encoders), and only a LALM with one Whisper encoder "
            "(model.encoder) can be exported: open the run folder itself, with --lalm."
        )


@contextmanager
def _write_whole_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that is renamed to `folder` on success; raise `BadConfig` if it cannot be written."""
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        if folder.exists():
            raise BadConfig(f"'{folder}' exists: name a folder that does not, or remove this one.")
        partial.mkdir(parents=True, exist_ok=True)
        yield partial
        share_files(partial)
        partial.rename(folder)
    except (OSError, SafetensorError) as error:  # safetensors wraps the errors of the disk
        raise BadConfig(f"'{folder}' cannot be written: {str(error).splitlines()[0]}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_model(trained: Path, config: ModelConfig, partial: Path) -> None:
    built = build(config.model_copy(update={"dtype": "float32", "quantise": None}), torch.device("cpu"))
    checkpoint.load_weights(built.model, trained)
    (encoder,) = built.encoders.each
    assert isinstance(encoder, Encoder), "a run with one Whisper encoder"
    tokenizer, end = add_audio_tokens(parts.open_tokenizer(config.backbone)), built.template.turn_end[-1]
    described = LalmConfig(
        encoder=encoder.whisper.config.to_dict(),
        backbone=built.model.backbone.config.to_dict(),
        connector=config.connector.model_dump(),
        lora=config.lora.model_dump() if config.lora else None,
        window=config.window,
        audio_token_id=tokenizer.convert_tokens_to_ids(AUDIO),
        dtype="float32",
    )
    model = Lalm(described)
    model.encoder, model.language = encoder, built.model
    model.save_pretrained(partial)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(end)
    LalmProcessor(
        tokenizer, num_queries=config.connector.num_queries, chat_template=tokenizer.chat_template
    ).save_pretrained(partial)
    WhisperFeatureExtractor(feature_size=encoder.whisper.config.num_mel_bins).save_pretrained(partial)
    GenerationConfig(do_sample=False, eos_token_id=end, pad_token_id=end).save_pretrained(partial)


def _format_card(config: ModelConfig, folder: Path) -> str:
    """Format the model card, whose example a test runs; a part that lies in a folder goes by the folder's name."""
    adapters = f" with LoRA adapters of rank {config.lora.rank}" if config.lora else ""
    encoder, backbone = (source.rstrip("/").rpartition("/")[2] for source in (str(config.encoder), config.backbone))
    return Template(CARD.read_text(encoding="utf-8")).substitute(
        name=folder.name, folder=folder, encoder=encoder, backbone=backbone, adapters=adapters
    )


def add_audio_tokens(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Add the audio tokens, and extend the chat template to content parts, as a server needs them."""
    tokenizer.add_tokens([AUDIO, TRANSCRIPT_END], special_tokens=True)
    tokenizer.chat_template = PARTS_TEMPLATE.read_text(encoding="utf-8") + str(tokenizer.chat_template)
    return tokenizer


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and export; exit code 2 for an error that the user can fix."""
    parser = CommandParser(prog="python -m lalm.export", description="Export a LALM for transformers.")
    parser.add_argument("run", type=Path, help="run folder of lalm.train")
    parser.add_argument("folder", type=Path, help="Hugging Face folder to write; must not exist")
    parser.add_argument("--desta", action="store_true", help="write the weights under DeSTA2.5-Audio's names instead")
    options = parser.parse_args(argv)
    write = checkpoint.export_as_desta if options.desta else export
    return run("lalm.export", lambda: write(options.run, options.folder))
