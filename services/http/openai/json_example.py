"""JSON that a prompt shows as an example of the reply, of several fields or over several lines.

`{"reasoning": "...", "answer": "A", "confidence": 0.9}`: the schema of such a reply is that of its fields.
"""

import re
from itertools import islice
from typing import NamedTuple

from pydantic import JsonValue

from services.http.options.answer_words import compile_any, make_pattern_of_any, read_answer_words

OBJECT = re.compile(r"(?:```(?:json)?\s*)?(\{[^{}]{1,1000}\})(?:\s*```)?", re.IGNORECASE)
TEXT = r"\"(?:[^\"\\]|\\.){0,300}\"|<[^<>]{0,100}>|\.{3}"
FIELD = re.compile(
    rf"\"(?P<name>[^\"\\\n]{{1,40}})\"\s*:\s*(?:(?P<text>{TEXT})|(?P<list>\[[^\[\]]{{0,300}}\])"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<truth>true|false))\s*(?=[,}\n/#])"
)
MOST_OBJECTS = 5
PER_CENT: dict[str, JsonValue] = {"type": "number", "maximum": 100}


class ShownJSON(NamedTuple):
    """A prompt, and the JSON that it shows."""

    text: str
    """The prompt with an example of one line, which holds the answer alone."""
    schema: dict[str, JsonValue] | None
    """None: it shows none, or one of a single field in one line."""


def find_example(text: str) -> ShownJSON:
    """Find the last JSON that a text shows in which a field is one for the answer."""
    noun = re.compile(make_pattern_of_any(read_answer_words().answer), re.IGNORECASE)
    for found in reversed(list(islice(OBJECT.finditer(text), MOST_OBJECTS))):
        fields = {one["name"]: one for one in FIELD.finditer(found[1])}
        name = next((name for name in fields if noun.fullmatch(name.replace("_", " "))), None)
        if name is None or not fields[name]["text"] or (len(fields) == 1 and "\n" not in found[1]):
            continue
        told = fields[name]["text"].strip('"<>')
        short = f'{{"{name if noun.fullmatch(name) else "answer"}": "{told}"}}'
        schema: dict[str, JsonValue] = {
            "type": "object",
            "properties": {name: _describe(one) for name, one in fields.items()},
            "required": list(fields),
        }
        return ShownJSON(text[: found.start()] + short + text[found.end() :], schema)
    return ShownJSON(text, None)


def _describe(field: re.Match[str]) -> JsonValue:
    """Return the schema of a field by its example."""
    if field["text"]:
        is_letter = re.fullmatch(r"[A-Z]", field["text"].strip('"<>')) or compile_any(
            read_answer_words().letter
        ).search(field["text"])
        return {"type": "string", "description": "letter"} if is_letter else {"type": "string"}
    if field["number"]:
        return PER_CENT if float(field["number"]) > 1 else {"type": "number"}
    return {"type": "boolean"} if field["truth"] else {"type": "array", "items": {"type": "string"}}
