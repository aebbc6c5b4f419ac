"""Convert a GGUF model, which takes a minute to load, to formats that load in seconds.

CTranslate2 int8 is for reading prompts fast; bfloat16 safetensors for transformers, where gradients pass through.
"""

import shutil
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from services.files import share_files

# What a base model, which has no chat template of its own, is shown.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}Answer:{% endif %}"
)


def convert_to_ctranslate2(source: Path, target: Path, *, adapters: Path | None = None) -> None:
    """Convert `source`/model.gguf, with LoRA adapters merged in if a folder of them is given.

    Needs memory for the model in bfloat16, and disk for one such copy meanwhile; with adapters twice that, as float32
    keeps what they change by little.
    """
    from ctranslate2.converters import TransformersConverter

    # transformers draws progress bars that no setting turns off; the caller says what is going on.
    with TemporaryDirectory(dir=target.parent) as unpacked, redirect_stderr(StringIO()):
        _dequantise(source, Path(unpacked), adapters)
        TransformersConverter(unpacked, low_cpu_mem_usage=True).convert(str(target), quantization="int8", force=True)
        for name in ("tokenizer.json", "chat_template.jinja"):
            shutil.move(Path(unpacked) / name, target / name)
    _copy_notices(source, target)


def convert_to_safetensors(source: Path, target: Path) -> None:
    """Convert `source`/model.gguf to a folder in Hugging Face format, bfloat16."""
    with redirect_stderr(StringIO()):
        _dequantise(source, target)
    _copy_notices(source, target)


def _copy_notices(source: Path, target: Path) -> None:
    for notice in source.glob("*.[hm][td]*"):
        (target / notice.name).write_bytes(notice.read_bytes())


def _dequantise(source: Path, folder: Path, adapters: Path | None = None) -> None:
    """Write the model of `source`/model.gguf to `folder` in Hugging Face format, bfloat16; with adapters float32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file="model.gguf")
    tokenizer.chat_template = tokenizer.chat_template or PLAIN_TEMPLATE
    tokenizer.save_pretrained(folder)
    dtype = torch.float32 if adapters else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(source, gguf_file="model.gguf", dtype=dtype)
    # transformers takes a dequantised GGUF for a quantised model and would refuse to save it.
    model.hf_quantizer = None
    del model.config.quantization_config
    if adapters is not None:
        from services.weights.lora_merge import merge_lora

        merge_lora(model, adapters)
    model.save_pretrained(folder)
    share_files(folder)
