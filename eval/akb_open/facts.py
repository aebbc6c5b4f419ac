"""Questions of fact: words by their WordNet gloss, AudioSet classes, and what codec specifications state."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

from pydantic import TypeAdapter

from eval.akb_open.draft import DraftQuestion, Drafts, SubCategories
from eval.akb_open.lexicon import AUDIOSET, WORDNET, SoundClass, Synset, WordNet
from services.types import Value

TABLES = Path(__file__).parent / "word-facts.json"
CODECS = Path(__file__).parent / "codec-facts.json"
MAX_WORDS = 32  # of a description
NUM_COUSINS = 6  # classes nearest to the one described, from which wrong options are drawn
STEM = 5
"""Letters by which a word is found again in its own description."""
SHARED_WORDS = 0.34
"""Glosses with more words in common than this share describe about the same thing."""
FILLERS = frozenset([
    "a", "an", "the", "of", "or", "and", "to", "in", "by", "as", "with", "for", "from", "on", "is", "are",
    "be", "that", "which", "it", "its", "one", "used", "often", "usually",
])  # fmt: skip
ALIKE_CLASSES = (
    *({"Fowl", "Bird"}, {"Digestive", "Respiratory sounds"}, {"Wood", "Tools"}, {"Alarm", "Siren"}),
    *({"Breathing", "Human voice"}, {"Respiratory sounds", "Human voice"}, {"Crushing", "Crunch"}),
)
"""Classes of AudioSet of which no two may be options of one question: an ear would take either."""


class WordTable(Value):
    """Hand-picked senses of WordNet for one sub-category."""

    sub_category: str
    category: str
    ask: tuple[str, ...]
    senses: tuple[str, ...]
    """Rows such as `noun 07391221 bark`: file, byte offset and the word asked for."""
    alike: tuple[tuple[str, ...], ...] = ()
    """Words of which no two may be options of one question: either might answer it."""


class CodecFact(Value):
    """One question about a codec, and the sentence that answers it."""

    question: str
    answer: str
    wrong: tuple[str, ...]
    source: str
    quote: str


def list_sub_categories(wordnet: WordNet, ontology: Mapping[str, SoundClass]) -> SubCategories:
    """Return the sub-categories whose answers stand in a source."""
    tables = TypeAdapter(list[WordTable]).validate_json(TABLES.read_bytes())
    return {
        **{table.sub_category: Drafts(table.category, _draft_words(table, wordnet)) for table in tables},
        "Sound sources": Drafts("Sound", _draft_descriptions(ontology)),
        "Sound families": Drafts("Sound", _draft_families(ontology)),
        "Codecs": Drafts("Technical", _draft_codecs),
    }


def find_content_words(text: str) -> frozenset[str]:
    """Return the words of a text that carry its meaning."""
    return frozenset(re.findall(r"[a-z]+", text.lower())) - FILLERS


def measure_overlap(first: str, second: str) -> float:
    """Return the share of the content words of two texts that both have."""
    one, other = find_content_words(first), find_content_words(second)
    return len(one & other) / max(1, len(one | other))


def _draft_words(table: WordTable, wordnet: WordNet) -> Callable[[Random], Iterator[DraftQuestion]]:
    def draw(rng: Random) -> Iterator[DraftQuestion]:
        """Yield drafts that ask for the word of a gloss, each sense once."""
        senses = [_find_sense(wordnet, sense) for sense in table.senses]
        for word, synset in rng.sample(senses, len(senses)):
            near = {each for kin in synset.kin for each in wordnet.read_synset(*kin).words}
            wrong = {
                other: None
                for other, found in senses
                if found.part == synset.part and other not in near and _is_wrong(table, word, synset, other, found)
            }
            ask = [text for text in table.ask if synset.part in {"noun", "adj"} or "verb" in text]
            question = rng.choice(ask).format(
                gloss=synset.definition, word=f"{synset.part}ective" if synset.part == "adj" else synset.part
            )
            source = f'{WORDNET}, data.{synset.part} {synset.offset}: "{synset.definition}"'
            yield DraftQuestion(question, word, tuple(wrong), source)

    return draw


def _find_sense(wordnet: WordNet, text: str) -> tuple[str, Synset]:
    part, offset, word = text.split(" ", 2)
    synset = wordnet.read_synset(part, offset)
    assert word in synset.words, f"{word} is not at data.{part} {offset}"
    stem = word.lower()[:STEM]
    assert not any(each.startswith(stem) for each in find_content_words(synset.definition)), (
        f"the gloss of {word} holds it"
    )
    return word, synset


def _is_wrong(table: WordTable, word: str, synset: Synset, other: str, found: Synset) -> bool:
    alike = any({word, other} <= set(words) for words in table.alike)
    kin = (found.part, found.offset) in synset.kin or (synset.part, synset.offset) in found.kin
    near = measure_overlap(synset.definition, found.definition) > SHARED_WORDS
    return other not in synset.words and word not in found.words and not (alike or kin or near)


def find_parents(ontology: Mapping[str, SoundClass]) -> dict[str, set[str]]:
    """Return the direct parents of each class."""
    parents: dict[str, set[str]] = {name: set() for name in ontology}
    for name, sound in ontology.items():
        for child in sound.child_ids:
            parents[child].add(name)
    return parents


def find_ancestors(id: str, parents: Mapping[str, set[str]]) -> set[str]:
    """Return all classes above a class."""
    above: set[str] = set()
    front = set(parents[id])
    while front:
        above |= front
        front = {parent for one in front for parent in parents[one]} - above
    return above


def _is_related(one: str, other: str, parents: Mapping[str, set[str]]) -> bool:
    return one == other or one in find_ancestors(other, parents) or other in find_ancestors(one, parents)


def _is_alike(name: str, other: str) -> bool:
    return any({name, other} <= alike for alike in ALIKE_CLASSES)


def _draft_descriptions(ontology: Mapping[str, SoundClass]) -> Callable[[Random], Iterator[DraftQuestion]]:
    ask = (
        "Which sound is meant by this description: {text}",
        "Which class of sound does this describe? {text}",
        "What is heard here? {text}",
    )

    def draw(rng: Random) -> Iterator[DraftQuestion]:
        """Yield drafts that ask for the class of a description, each class once."""
        parents = find_parents(ontology)
        usable = [sound for sound in ontology.values() if not sound.is_abstract and _pick_sentence(sound)]
        for sound in rng.sample(usable, len(usable)):
            text = _pick_sentence(sound)
            near = [
                other for other in usable if not _is_related(other.id, sound.id, parents) and _is_apart(sound, other)
            ]
            above = find_ancestors(sound.id, parents)
            near.sort(key=lambda other: (-len(above & find_ancestors(other.id, parents)), rng.random()))
            cousins = [other.name for other in near if above & find_ancestors(other.id, parents)]
            source = f'{AUDIOSET}, {sound.id} "{sound.name}": "{text}"'
            yield DraftQuestion(rng.choice(ask).format(text=text), sound.name, tuple(cousins[:NUM_COUSINS]), source)

    return draw


def _pick_sentence(sound: SoundClass) -> str:
    """Return the first sentence of a description; nothing where it is long or holds the name."""
    text = re.split(r"(?<=[a-z)])\.\s", sound.description)[0].strip().rstrip(".")
    stems = {word[:4] for word in find_content_words(sound.name)}
    leaks = any(word[:4] in stems for word in find_content_words(text))
    return "" if leaks or not 6 <= len(text.split()) <= MAX_WORDS else f"{text}."


def _is_apart(sound: SoundClass, other: SoundClass) -> bool:
    mentioned = {word[:4] for word in find_content_words(other.name)} & {
        word[:4] for word in find_content_words(sound.description)
    }
    return (
        not mentioned
        and not _is_alike(sound.name, other.name)
        and measure_overlap(sound.description, other.description) < SHARED_WORDS / 2
    )


def _draft_families(ontology: Mapping[str, SoundClass]) -> Callable[[Random], Iterator[DraftQuestion]]:
    ask = (
        "In the AudioSet ontology, under which class is '{child}' filed?",
        "Of which AudioSet class is '{child}' a direct child?",
    )

    def draw(rng: Random) -> Iterator[DraftQuestion]:
        """Yield drafts that ask for the family of a sound, for sounds with one family."""
        parents = find_parents(ontology)
        groups = [sound for sound in ontology.values() if len(sound.child_ids) >= 3]
        for child in rng.sample(list(ontology.values()), len(ontology)):
            if len(parents[child.id]) != 1 or "other" in child.name.lower():
                continue
            parent = ontology[next(iter(parents[child.id]))]
            stems = {word[:4] for word in find_content_words(parent.name)}
            if stems & {word[:4] for word in find_content_words(child.name)} or len(parent.child_ids) < 2:
                continue
            top = find_ancestors(parent.id, parents)
            apart = [
                group
                for group in groups
                if parent.id not in find_ancestors(group.id, parents)  # else it may hold the child as well
                and not _is_related(group.id, child.id, parents)
                and not _is_alike(group.name, parent.name)
            ]
            wrong = [group.name for group in apart if find_ancestors(group.id, parents) & top]
            if len(wrong) < 3:
                continue
            source = f'{AUDIOSET}, {parent.id} "{parent.name}": child {child.id} "{child.name}"'
            yield DraftQuestion(
                rng.choice(ask).format(child=child.name), parent.name, tuple(dict.fromkeys(wrong)), source
            )

    return draw


def _draft_codecs(rng: Random) -> Iterator[DraftQuestion]:
    facts: Sequence[CodecFact] = TypeAdapter(list[CodecFact]).validate_python(json.loads(CODECS.read_bytes()))
    for fact in rng.sample(facts, len(facts)):
        yield DraftQuestion(fact.question, fact.answer, fact.wrong, f'{fact.source}: "{fact.quote}"')
