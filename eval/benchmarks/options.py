"""Options and answers of a row, in the ways that files write them: lists, letters, places, or inside the question."""

import ast
import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple
from unicodedata import normalize

from eval.benchmarks.fields import AnswerForm, drop_word, find_letter_place, normalise
from services.json_lines import format_id
from services.questions import OWN_LETTER

MARK = re.compile(r"(?<!\S)(?:[(（\[]([^\W_])[)）\]]|([^\W_])[.):、．：])\s*(?=\S)")
"""Of an option inside a text, as in "(a) a dog (b) a cat", "[A] a dog [B] a cat" or "1) a dog 2) a cat"."""
SEQUENCES = (ascii_lowercase, "123456789")
OPTION_WORDS = r"(?:option|choice|answer)[ \t]*"  # that may stand before the letter of an option
FLAGS = ("correct", "iscorrect", "isright", "isanswer", "answer", "gold")  # of a right option
SEVERAL = (r"[;；|\n]+", r"[,，、;；/&+|\n]+|\band\b", r"[\s,，、;；/&+|]+|\band\b")
"""What may stand between several right options of one cell, the strictest first; spaces alone between letters only."""
SPACES = 2
ELEMENT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[-+\w.]+"""
ARRAY = re.compile(rf"\[\s*(?:{ELEMENT})(?:\s+(?:{ELEMENT}))+\s*\]")
"""How numpy prints an array, as in "['a dog' 'a cat']", which Python would join to one text."""
LABEL_KEYS = ("id", "label", "key")
TEXT_KEYS = ("text", "content", "value", "option", "choice")


class AskedText(NamedTuple):
    """What a row asks."""

    question: str
    options: tuple[str, ...]
    """As published, with the empty ones; none: an open question."""
    first_label: int | None = None
    """Number of the first option, where they are numbered in an object."""
    labels: tuple[str, ...] = ()
    """What the file calls each option, where that is the name of a field, as in choice_a, or a key or an id."""

    def name_right(self, value: object) -> object:
        """Return the text of the option that a value calls by its label, or those of several; others as they are.

        A letter or a digit alone is left to the form of the answers: options may be letters themselves. A list of
        flags, such as [0, 1, 0], gives the options that it marks; as places it would call all of them right.
        """
        value = parsed if isinstance(parsed := parse_cell(value), list) else value
        if isinstance(value, list) and len(value) == len(self.options) > 1 and all(map(_is_flag, value)):
            return [option for option, flag in zip(self.options, value, strict=True) if flag]
        if isinstance(value, list):
            return [self.name_right(one) for one in value]
        label = format_text(value)
        is_called = len(label) > 1 and label in self.labels and label not in self.options
        return self.options[self.labels.index(label)] if is_called else value


def read_options(value: object) -> tuple[str, ...]:
    """Return the options that a field holds: a list, an object from letters to texts, or a text that lists them."""
    if isinstance(value, Mapping):
        pairs = _pair_labels(value)
        return _place_letters(pairs) or _reorder(pairs)
    if isinstance(value, list):
        objects = [one for one in value if isinstance(one, Mapping)]
        return _reorder(_pair_objects(objects)) if objects == value else _read_list(value)
    return _split_cell(value) if isinstance(value, str) else ()


def _read_list(value: Sequence[object]) -> tuple[str, ...]:
    """Return options of a list, those in lists of their own too, alone or after a letter; nothing for longer ones."""
    lists = [one for one in value if isinstance(one, list)]
    if lists == value and all(len(one) == 2 for one in lists) and _read_signs([format_text(one[0]) for one in lists]):
        return _reorder([(format_text(label), format_text(text)) for label, text in lists])
    return tuple(map(format_text, value)) if all(len(one) == 1 for one in lists) else ()


def read_labels(value: object) -> tuple[str, ...]:
    """Return what the options of a field are called, in their order, where it is an object or a list of objects."""
    if isinstance(value, str):
        value = parse_cell(value)
    pairs = _pair_labels(value) if isinstance(value, Mapping) else []
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        pairs = _pair_objects(value)
    return _reorder([(label, label) for label, _ in pairs])


class Flags(NamedTuple):
    """Which options of a list are marked as right."""

    key: str
    right: tuple[str, ...]


def find_flags(value: object) -> Flags | None:
    """Return the right options of a list of objects with a flag each, as in {"text": "a dog", "correct": true}."""
    objects = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
    if len(objects) < 2 or objects != value:
        return None
    flags = [key for key in objects[0] if normalise(key) in FLAGS and all(_is_flag(one.get(key)) for one in objects)]
    if not flags:
        return None
    texts = [text for _, text in _pair_objects([_drop(one, flags) for one in objects])]
    marked = zip(texts, objects, strict=False)
    return Flags(flags[0], tuple(text for text, one in marked if one[flags[0]]))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, int) and value in {0, 1})


def _drop(one: Mapping[str, object], keys: Sequence[str]) -> Mapping[str, object]:
    return {key: value for key, value in one.items() if key not in keys}


def read_first_label(value: object) -> int | None:
    """Return the lowest number that labels the options of a field, as in {"1": ..., "2": ...}; None without numbers."""
    if isinstance(value, str) and value.lstrip().startswith(("[{", "{")):
        value = parse_literal(value)
    pairs = _pair_labels(value) if isinstance(value, Mapping) else []
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        pairs = _pair_objects(value)
    signs = _read_signs([label for label, _ in pairs])
    return min(signs) if signs and all(label.strip()[-1:].isdecimal() for label, _ in pairs) else None


def _pair_labels(value: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return labels and texts of an object; ARC's holds a list of each."""
    listed, labels = value.get("text"), value.get("label")
    if isinstance(listed, list):
        named = labels if isinstance(labels, list) and len(labels) == len(listed) else [""] * len(listed)
        return [(format_text(label), format_text(text)) for label, text in zip(named, listed, strict=True)]
    return [(label, format_text(text)) for label, text in value.items()]


def _pair_objects(objects: Sequence[Mapping[str, object]]) -> list[tuple[str, str]]:
    """Return labels and texts of options that are objects, such as {"label": "A", "text": "a dog"}."""
    shared = [key for key in objects[0] if all(key in one for one in objects)] if objects else []
    if not shared and all(len(one) == 1 for one in objects):
        return [(label, format_text(text)) for one in objects for label, text in one.items()]
    plain = [key for key in shared if all(_is_plain(one[key]) for one in objects)]
    ordered = list(dict.fromkeys([*(key for key in TEXT_KEYS if key in plain), *plain]))
    signs = [key for key in ordered if _read_signs([format_text(one[key]) for one in objects])]
    text = next((key for key in ordered if key not in signs), next(iter(ordered), None))
    label = next((key for key in (*signs, *LABEL_KEYS) if key != text and key in plain), None)
    if text is None:
        return []
    return [(format_text(one[label]) if label else "", format_text(one[text])) for one in objects]


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _read_signs(labels: Sequence[str]) -> list[int]:
    """Return the places that labels such as B, option_b or 2 stand for; empty where they are not such a sequence."""
    names = [normalise(label) for label in labels]
    stem = re.split(r"\d|.$", names[0])[0] if names else ""
    ends = [name.removeprefix(stem) for name in names]
    if all(end.isdecimal() for end in ends):
        places = [int(end) for end in ends]
    else:
        places = [ascii_lowercase.index(end) if end and end in ascii_lowercase else -1 for end in ends]
    is_row = sorted(places) in (list(range(len(places))), list(range(1, len(places) + 1)))
    return places if is_row else []


def _place_letters(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the texts at the places of their letters, where some are left out or null, with empty texts between.

    Nothing for any other labels.
    """
    places = {find_letter_place(label, len(ascii_uppercase)): text for label, text in pairs if len(label.strip()) == 1}
    if len(places) < len(pairs) or len(pairs) < 2:
        return ()
    known = {place: text for place, text in places.items() if place is not None}
    is_sparse = len(known) == len(pairs) and max(known) >= len(known) and max(known) <= 2 * len(known)
    return tuple(known.get(place, "") for place in range(max(known) + 1)) if is_sparse else ()


def _reorder(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the texts in the order of their letters or numbers; under any other labels as published."""
    places = _read_signs([label for label, _ in pairs])
    order = sorted(range(len(pairs)), key=places.__getitem__) if places else range(len(pairs))
    return tuple(pairs[place][1] for place in order)


def format_text(value: object) -> str:
    """Return the text of a value: numbers and truth values as they are read aloud, an object by its text."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in TEXT_KEYS if key in value), value)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    value = "" if value is None else format_id(value)
    return value if isinstance(value, str) else str(value)


def _split_cell(cell: str) -> tuple[str, ...]:
    """Return the options of one cell; they are written as JSON, as Python, lettered, or with a mark between."""
    if cell.lstrip().startswith(("[", "{", "(")) and isinstance(parsed := parse_literal(cell), list | Mapping):
        return read_options(parsed)
    if cell.lstrip().startswith(("[", "{")):
        return ()
    if (lettered := split_inline(cell)) and not lettered.question:
        return lettered.options
    separator = next((mark for mark in ("|", ";", "\n") if mark in cell), ",")
    parts = tuple(part.strip() for part in cell.split(separator))
    return parts if len(parts) > 1 else ()


def parse_literal(cell: str) -> object:
    """Return the value that a cell holds as JSON, as Python or numpy print it; None where it is none of these."""
    if ARRAY.fullmatch(cell.strip()):
        cell = f"[{', '.join(re.findall(ELEMENT, cell))}]"
    for read in (json.loads, ast.literal_eval):
        try:
            value: object = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return list(value) if isinstance(value, tuple) else value
    return None


def parse_cell(value: object) -> object:
    """Return what a cell holds that is written as JSON or Python; anything else as it is."""
    is_written = isinstance(value, str) and value.lstrip().startswith(("[", "{"))
    return parse_literal(str(value)) if is_written else value


def parse_list(value: object) -> object:
    """Return the recordings of one cell that holds them as a list in JSON or Python; anything else as it is."""
    parsed = parse_literal(value) if isinstance(value, str) and value.lstrip().startswith("[") else None
    return parsed if isinstance(parsed, list) and all(isinstance(one, str) for one in parsed) else value


def draw_order(item_id: str, options: Sequence[str]) -> tuple[str, ...]:
    """Return options in an order drawn by the item's id: published with the right one first, they give it away."""
    return tuple(random.Random(item_id).sample(options, len(options)))  # noqa: S311 - nothing secret


def split_inline(text: str) -> AskedText | None:
    """Split a text that ends in lettered options, such as "What is heard? (a) a dog (b) a cat"; None where none do.

    The letters run from the last A in one style; a mark out of order belongs to an option, as in "(c) J. S. Bach".
    """
    by_style: defaultdict[tuple[str, bool], list[re.Match[str]]] = defaultdict(list)
    for mark in MARK.finditer(text):
        by_style[normalize("NFKC", mark[0][0]) if mark[1] else "", _read_sign(mark).isupper()].append(mark)
    runs = [run for marks in by_style.values() for signs in SEQUENCES if len(run := _find_run(marks, signs)) > 1]
    if not runs:
        return None
    run = max(runs, key=len)
    word = _find_common_word(text, run)
    if word and not re.fullmatch(OPTION_WORDS, word, re.IGNORECASE):
        return None  # examples, speakers or steps
    end = _find_end(text, run)
    edges = [*((mark.start() - len(word), mark.end()) for mark in run), (end, end)]
    options = tuple(text[left[1] : right[0]].strip(" \t\r\n,;") for left, right in pairwise(edges))
    return AskedText("\n".join(part for part in (text[: edges[0][0]].strip(), text[end:].strip()) if part), options)


def _find_common_word(text: str, run: Sequence[re.Match[str]]) -> str:
    """Return the word before every mark, with what parts it from the mark, as in "Example 1: a dog Example 2: a cat".

    Nothing where they differ, or where the word between two marks is all that stands there and so an option itself.
    """
    words = [found[0] if (found := re.search(r"\w+[ \t]*$", text[: mark.start()])) else "" for mark in run]
    gaps = [text[left.end() : right.start()].strip() for left, right in pairwise(run)]
    is_common = len({word.strip().casefold() for word in words}) == 1 and words[0].strip() not in gaps
    return words[0] if is_common else ""


def _find_end(text: str, run: Sequence[re.Match[str]]) -> int:
    """Return where the last option ends: with its line, where each option has a line of its own."""
    gaps = [text[left.end() : right.start()].strip(" \t\r") for left, right in pairwise(run)]
    is_listed = all(gap.endswith("\n") and "\n" not in gap.strip() for gap in gaps)
    end = text.find("\n", run[-1].end()) if is_listed else -1
    return len(text) if end < 0 else end


def _find_run(marks: Sequence[re.Match[str]], signs: str) -> list[re.Match[str]]:
    """Return the marks that follow each other in order, from the last one with the first sign."""
    starts = [place for place, mark in enumerate(marks) if _read_sign(mark).lower() == signs[0]]
    run: list[re.Match[str]] = []
    for mark in marks[starts[-1] :] if starts else ():
        if len(run) < len(signs) and _read_sign(mark).lower() == signs[len(run)]:
            run.append(mark)
    return run


def _read_sign(mark: re.Match[str]) -> str:
    """Return the letter or digit of a mark; a full-width one is as any other."""
    return normalize("NFKC", mark[1] or mark[2])


def find_answer(answer: object, options: Sequence[str], form: AnswerForm) -> int | None:
    """Return the place of the right option among all published ones, from 0; None where the answer is none of them."""
    if form == "first":
        return 0 if options else None
    if form == "letter":
        return _find_letter(format_text(answer), options)
    if form != "text":
        place = read_integer(answer)
        place = None if place is None else place - (form == "index1")
        return place if place is not None and 0 <= place < len(options) else None
    text = format_text(answer)
    if text in options:
        return options.index(text)
    return _find_lettered(text, options)


def find_several(text: str, options: Sequence[str], form: AnswerForm) -> tuple[int, ...]:
    """Return the places of the options that one cell names, as in "A, C", "ACD" or "a dog | a cat"; none for one."""
    splits: list[list[str]] = [re.split(mark, text) for mark in SEVERAL]
    if re.fullmatch(r"[A-Z]+", text.strip()):
        splits.append(list(text.strip()))
    for place, parts in enumerate(splits):
        if place == SPACES and any(find_letter_place(part, len(options)) is None for part in parts if part.strip()):
            continue  # "(a) cat" is one answer, whose letter may be wrong
        found = [find_answer(part.strip(), options, form) for part in parts if part.strip()]
        places = tuple(dict.fromkeys(place for place in found if place is not None))
        if len(places) > 1 and None not in found:
            return places
    return ()


def _find_lettered(text: str, options: Sequence[str]) -> int | None:
    """Return the place of an answer that is a letter, carries its letter, or differs in case, spaces or a full stop."""
    bare = [_strip_mark(option) for option in options]
    found = [place for place, option in enumerate(bare) if option == _strip_mark(text)]
    if len(found) == 1 and bare[found[0]]:
        return found[0] if _has_its_letter(text, found[0], options) else None
    letter = _find_letter(text, options)
    if letter is None and found and (own := _find_own_letter(text)):  # "(b) yes" where "yes" stands there twice
        letter = find_letter_place(own, len(options))
    return letter


def _find_letter(text: str, options: Sequence[str]) -> int | None:
    """Return the place of the option that a letter stands for: the options' own letters count, in any order."""
    place = find_letter_place(text, len(options))
    own = [_find_own_letter(option) for option in options]
    is_own = sorted(map(str, own)) == list(ascii_uppercase[: len(options)])
    return place if place is None or not is_own else own.index(ascii_uppercase[place])


def _has_its_letter(text: str, place: int, options: Sequence[str]) -> bool:
    """Whether the letter before an answer's text, if it is one of the options', is that of the option."""
    letter = _find_own_letter(text)
    known = _find_own_letter(options[place]) or ascii_uppercase[place]
    return letter is None or letter not in ascii_uppercase[: len(options)] or letter == known


def _find_own_letter(text: str) -> str | None:
    marked = OWN_LETTER.fullmatch(text)
    return (marked[1] or marked[2] or marked[3]).upper() if marked else None


def _strip_mark(text: str) -> str:
    """Return a text without a letter before it, in small letters, single spaces and composed characters (NFKC)."""
    text = normalize("NFKC", text)
    marked = OWN_LETTER.fullmatch(text)
    return " ".join((marked[4] if marked else text).casefold().split()).rstrip(".")


def read_integer(value: object) -> int | None:
    """Return an integer that is written as such, as 2.0 or as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) or value.is_integer() else None
    text = drop_word(normalize("NFKC", value)) if isinstance(value, str) else ""
    digits = re.fullmatch(r"\(?(\d{1,3})(?:\.0)?[.)]?", text)
    return int(digits[1]) if digits else None
