"""Rows that are a conversation about a recording, as models are fine-tuned on, read as a question and its answer.

Turns are objects with a role and a content: ShareGPT's and LLaVA's `{"from": "human", "value": …}`, or messages whose
content is a text or a list of parts, as of chat servers. Rows of LTU and GAMA hold instruction, input and output.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from eval.benchmarks.fields import NAMES, normalise
from services.errors import BadConfig

QUESTION, ANSWER, AUDIO = "question", "answer", "audio"
ROLES, CONTENTS = ("from", "role", "speaker"), ("value", "content", "text")
ASKS = frozenset({"user", "human", "question"})
ANSWERS = frozenset({"assistant", "gpt", "model", "bot", "answer"})
INSTRUCTION, INPUT, OUTPUT = "instruction", "input", "output"
NAMED_AUDIO = re.compile(r"(?:Audio\s*\d*\s*:\s*)?<audio>\s*([^<>\n]+?)\s*</audio>", re.I)
"""Qwen-Audio's `Audio 1: <audio>a.wav</audio>`."""
PLACE = r"<\|?/?(?:(?:start|end)_of_)?(?:audio|sound|speech|music)\w*\|?>"
PLACES = re.compile(rf"(?:{PLACE}\s*?)+", re.I)
"""Where a model puts the recording, such as `<audio>`, `<sound>`, `<|audio_bos|><|AUDIO|><|audio_eos|>`."""
MARKED = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.I | re.S)  # behind a reasoning
AUDIO_KEYS = ("audio", "audio_url", "audio_path", "input_audio", "path", "url")


class _Said(NamedTuple):
    asks: bool
    text: str
    clips: tuple[str, ...]


def read_conversations(name: str, rows: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Return rows with what a conversation asks and answers in fields of their own; other rows as they are.

    `BadConfig`, which begins with `name`, names the row that holds several questions: a later one may build on the
    answers before it, and a file of questions asks each by itself.
    """
    return [_read_row(f"{name}, row {number}", row) for number, row in enumerate(rows, start=1)]


def _read_row(place: str, row: Mapping[str, object]) -> Mapping[str, object]:
    known = {normalise(field) for field in row}
    if known.isdisjoint(NAMES["answer"]) and isinstance(row.get(INSTRUCTION), str) and OUTPUT in row:
        asked = "\n".join(filter(None, (str(row[INSTRUCTION]), str(row.get(INPUT) or "").strip())))
        kept = {field: value for field, value in row.items() if field not in {INSTRUCTION, INPUT, OUTPUT}}
        return {**kept, QUESTION: asked, ANSWER: row[OUTPUT]}
    if QUESTION in known:
        return row
    field = next((field for field, value in row.items() if _is_conversation(value)), None)
    return row if field is None else _join(place, field, row)


def _is_conversation(value: object) -> bool:
    """Whether a value is a list of turns of which one asks."""
    if not isinstance(value, list) or not value or not all(isinstance(turn, Mapping) for turn in value):
        return False
    roles = [_find(turn, ROLES) for turn in value]
    contents = [_find(turn, CONTENTS) for turn in value]
    return None not in roles and None not in contents and any(str(role).casefold() in ASKS for role in roles)


def _find(turn: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((turn[key] for key in keys if key in turn), None)


def _join(place: str, field: str, row: Mapping[str, object]) -> Mapping[str, object]:
    turns = list(_read_turns(f"{place}, field {field!r}", row[field]))
    asked = [turn for turn in turns if turn.asks]
    answers = [turn for turn in turns if not turn.asks]
    if len(asked) > 1 or len(answers) > 1:
        raise BadConfig(
            f"{place}, field {field!r}: holds {len(asked)} questions and {len(answers)} answers; a row asks one, "
            "because a later one may build on those before it. Write a row for each that stands by itself."
        )
    clips = [clip for turn in turns for clip in turn.clips]
    found: dict[str, object] = {QUESTION: asked[0].text} | ({AUDIO: clips} if clips else {})
    if answers:
        (marked,) = MARKED.findall(answers[0].text)[-1:] or [answers[0].text]
        found[ANSWER] = marked
    return {name: value for name, value in row.items() if name != field} | found


def _read_turns(place: str, turns: object) -> Iterator[_Said]:
    """Yield the turns of the user and of the model; a system prompt is not asked: ours takes its place."""
    assert isinstance(turns, list)
    for turn in turns:
        role, content = str(_find(turn, ROLES)).casefold(), _find(turn, CONTENTS)
        if role not in ASKS | ANSWERS:
            continue
        parts = content if isinstance(content, list) else [content]
        texts = [part if isinstance(part, str) else _read_text(part) for part in parts]
        clips = [clip for part in parts if isinstance(part, Mapping) for clip in _list_clips(place, part)]
        text = "\n".join(filter(None, texts))
        clips += NAMED_AUDIO.findall(text)
        yield _Said(role in ASKS, _drop_places(NAMED_AUDIO.sub("<audio>", text)), tuple(clips))


def _read_text(part: object) -> str:
    return str(part.get("text") or "") if isinstance(part, Mapping) else ""


def _list_clips(place: str, part: Mapping[str, object]) -> list[str]:
    """Return the path in a part of a message; `BadConfig` where the recording itself stands there."""
    value = next((part[key] for key in AUDIO_KEYS if part.get(key)), None)
    if isinstance(value, Mapping):
        if "data" in value:
            raise BadConfig(f"{place}: holds the recording itself (base64); save it as a file and give its path there.")
        value = next((value[key] for key in AUDIO_KEYS if value.get(key)), None)
    return [value] if isinstance(value, str) else []


def _drop_places(text: str) -> str:
    """Return a text without the places of recordings; one inside a line is called by its number."""
    found = list(PLACES.finditer(text))
    inside = [one for one in found if _is_inside(text, one)]
    for one in reversed(found):
        name = "" if one not in inside else f"recording {found.index(one) + 1}" if len(found) > 1 else "the recording"
        text = text[: one.start()] + name + text[one.end() :]
    return re.sub(r"\n{2,}", "\n", text).strip()


def _is_inside(text: str, place: re.Match[str]) -> bool:
    before, after = text[: place.start()].rpartition("\n")[2], text[place.end() :].partition("\n")[0]
    return bool(before.strip() and after.strip())
