"""Convert all-MiniLM-L6-v2 to CTranslate2 int8: writes `services/sentences/all-minilm-l6-v2`.

    python -m benchmarks.sounds.convert_encoder FOLDER

FOLDER: `sentence-transformers/all-MiniLM-L6-v2` in Hugging Face's format. The classifiers and the names of sounds are
fitted to the model (`benchmarks/planner/fit.py`, `embed_names.py`), so another one needs them anew.
"""

import shutil
import sys
from pathlib import Path

from ctranslate2.converters import TransformersConverter

from services.sentences.encoder import FOLDER


def main() -> None:
    """Convert, and copy the tokenizer."""
    source = Path(sys.argv[1])
    TransformersConverter(str(source)).convert(str(FOLDER), quantization="int8", force=True)
    shutil.copyfile(source / "tokenizer.json", FOLDER / "tokenizer.json")


if __name__ == "__main__":
    main()
