"""Source checks: every fact row of AKB-open names its source, and the source says so where it is at hand."""

import html
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from eval.akb_open.lexicon import (
    AUDIOSET,
    CMUDICT,
    WORDNET,
    SoundClass,
    WordNet,
    read_ontology,
    read_pronunciations,
    read_source,
)
from eval.akb_open.row import AkbOpenRow
from services.errors import BadConfig
from services.types import Value

WORDNET_SOURCE = re.compile(re.escape(WORDNET) + r', data\.(noun|verb|adj|adv) (\d{8}): "(.+)"')
CHILD_SOURCE = re.compile(re.escape(AUDIOSET) + r', (\S+) "(.+)": child (\S+) "(.+)"')
CLASS_SOURCE = re.compile(re.escape(AUDIOSET) + r', (\S+) "([^"]+)": "(.+)"')
SPECIFICATION_SOURCE = re.compile(
    r'(Opus|FLAC) specification\b.+ \(github \S+ \w+, \S+\): "(.+)"|(FLAC) specification \(.+\): "(.+)"'
)


class FactSources(Value):
    """Paths of the source files, as far as they are at hand."""

    wordnet: Path | None = None
    cmudict: Path | None = None
    audioset: Path | None = None
    opus: Path | None = None
    flac: Path | None = None


class Library:
    """The source files, each read once when a row needs it."""

    def __init__(self, sources: FactSources) -> None:
        self._sources = sources

    def check_source(self, row: AkbOpenRow) -> Iterator[str]:
        """Say what is wrong with the source of a row of fact, or with the pronunciations of a computed one."""
        if row.derivation is not None:
            yield from self._check_dictionary(row)
        elif match := WORDNET_SOURCE.fullmatch(row.source):
            yield from self._check_wordnet(row, *match.groups())
        elif match := CHILD_SOURCE.fullmatch(row.source):
            yield from self._check_child(row, *match.groups())
        elif match := CLASS_SOURCE.fullmatch(row.source):
            yield from self._check_class(row, *match.groups())
        elif match := SPECIFICATION_SOURCE.fullmatch(row.source):
            yield from self._check_specification(match[1] or match[3], match[2] or match[4])
        else:
            yield f"names no source that was opened: {row.source!r}"

    def _check_dictionary(self, row: AkbOpenRow) -> Iterator[str]:
        assert row.derivation is not None
        if "sounds" not in row.derivation.parameters:
            return
        if CMUDICT not in row.source:
            yield f"has pronunciations from no dictionary: {row.source!r}"
        if self._sources.cmudict is None:
            return
        for word, sounds in row.derivation.get_table("sounds").items():
            if self._pronunciations.get(word) != (sounds,):
                yield f"{word!r} is {self._pronunciations.get(word)} in the dictionary, not {sounds!r}"

    def _check_wordnet(self, row: AkbOpenRow, part: str, offset: str, quote: str) -> Iterator[str]:
        if quote not in row.question:
            yield f"asks for something else than its source says: {quote!r}"
        if self._sources.wordnet is None:
            return
        try:
            synset = self._words.read_synset(part, offset)
        except BadConfig as error:
            yield str(error)
            return
        if quote not in synset.gloss:
            yield f"quotes {quote!r}, but data.{part} {offset} says {synset.gloss!r}"
        if row.answer not in synset.words:
            yield f"answers {row.answer!r}, but data.{part} {offset} is about {', '.join(synset.words)}"
        kin = {word for near in synset.kin for word in self._words.read_synset(*near).words} | {*synset.words}
        for choice in row.choices:
            if choice != row.answer and choice in kin:
                yield f"has a wrong option that could be right: {choice!r}"

    def _check_child(self, row: AkbOpenRow, parent: str, name: str, child: str, child_name: str) -> Iterator[str]:
        if row.answer != name or f"'{child_name}'" not in row.question:
            yield f"does not ask or answer what its source says: {name!r} holds {child_name!r}"
        if self._sources.audioset is None:
            return
        classes = self._classes
        if parent not in classes or child not in classes[parent].child_ids or classes[parent].name != name:
            yield f"{name!r} ({parent}) has no child {child}"
        above = {sound.name for sound in classes.values() if child in sound.child_ids}
        for choice in row.choices:
            if choice != row.answer and choice in above:
                yield f"has a wrong option that is right: {choice!r}"

    def _check_class(self, row: AkbOpenRow, id: str, name: str, quote: str) -> Iterator[str]:
        if row.answer != name or quote not in row.question:
            yield f"does not ask or answer what its source says of {name!r}"
        if self._sources.audioset is None:
            return
        if id not in self._classes or self._classes[id].name != name:
            yield f"{id} is not the class {name!r}"
        elif quote.rstrip(".") not in self._classes[id].description:
            yield f"quotes {quote!r}, but {name!r} is described as {self._classes[id].description!r}"

    def _check_specification(self, kind: str, quote: str) -> Iterator[str]:
        text = self._specifications.get(kind)
        if text is not None and quote not in text:
            yield f"quotes {quote!r}, which is not in the {kind} specification"

    @cached_property
    def _words(self) -> WordNet:
        assert self._sources.wordnet is not None
        return WordNet(self._sources.wordnet)

    @cached_property
    def _classes(self) -> Mapping[str, SoundClass]:
        assert self._sources.audioset is not None
        return read_ontology(self._sources.audioset)

    @cached_property
    def _pronunciations(self) -> dict[str, tuple[str, ...]]:
        assert self._sources.cmudict is not None
        return read_pronunciations(self._sources.cmudict)

    @cached_property
    def _specifications(self) -> dict[str, str]:
        files = {"Opus": self._sources.opus, "FLAC": self._sources.flac}
        return {kind: _strip_tags(read_source(file).decode()) for kind, file in files.items() if file}


def _strip_tags(text: str) -> str:
    """Return a document without its tags and line breaks."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^<>]+>", "", text)))
