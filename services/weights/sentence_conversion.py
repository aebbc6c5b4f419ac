"""Convert a sentence encoder to CTranslate2 int8, which embeds a few words in milliseconds without torch."""

import shutil
import zipfile
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

ARCHIVE = "model.zip"
TOKENIZER = "tokenizer.json"


def convert_sentence_encoder(source: Path, target: Path) -> None:
    """Convert the model of `source`/model.zip, a folder in Hugging Face format, and copy its tokenizer."""
    from ctranslate2.converters import TransformersConverter
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    with TemporaryDirectory(dir=target.parent) as unpacked, redirect_stderr(StringIO()):
        with zipfile.ZipFile(source / ARCHIVE) as archive:
            archive.extractall(unpacked)
        TransformersConverter(unpacked).convert(str(target), quantization="int8", force=True)
        shutil.move(Path(unpacked) / TOKENIZER, target / TOKENIZER)
