"""English names of the languages that Whisper tells apart, by ISO 639 code (openai/whisper, tokenizer.py)."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def read_languages() -> Mapping[str, str]:
    """Return ISO 639 code -> English name, from `languages.json`, read once."""
    names: dict[str, str] = json.loads(files("services.asr").joinpath("languages.json").read_text())
    return names
