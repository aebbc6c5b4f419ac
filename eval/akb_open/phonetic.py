"""Phonetic questions, computed from the pronunciations of CMUdict (General American)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from random import Random
from typing import NamedTuple

from eval.akb_open.draft import DraftQuestion, Drafts, SubCategories
from eval.akb_open.lexicon import CMUDICT, WordNet
from eval.akb_open.row import Derivation

MIN_USES = 8
"""How often a word was met in the texts that WordNet's authors tagged: rarer words are left out."""
UNFIT = frozenset([
    "arse", "ass", "bastard", "bitch", "breast", "bum", "christ", "cock", "corpse", "crap", "damn", "dec",
    "dick", "drug", "fag", "hell", "hitler", "japan", "kill", "killer", "lynch", "murder", "naked", "negro",
    "nigger", "nude", "penis", "piss", "queer", "rape", "sex", "sexual", "shit", "slave", "slut", "suicide",
    "tit", "torture", "unmolested", "vary", "weed", "whore",
])  # fmt: skip
"""Offensive words and abbreviations, which are excluded."""
SOURCE = f"{CMUDICT}, entries of the words"
COUNTING = "counting a diphthong, an affricate and the vowel of 'bird' as one sound each"
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = ("first", "second", "third", "fourth")
MAX_DRAWS = 20_000


class Word(NamedTuple):
    """A common word with its one pronunciation."""

    text: str
    sounds: tuple[str, ...]
    senses: frozenset[tuple[str, str]] = frozenset()
    """Part and offset of its senses in WordNet."""

    @property
    def plain(self) -> tuple[str, ...]:
        """Sounds without the stress marks of the vowels."""
        return tuple(sound.rstrip("012") for sound in self.sounds)

    @property
    def vowels(self) -> tuple[str, ...]:
        """Vowels with their stress marks, one for each syllable."""
        return tuple(sound for sound in self.sounds if sound[-1].isdigit())

    @property
    def stressed(self) -> int:
        """Index of the syllable with the main stress."""
        return next(number for number, vowel in enumerate(self.vowels) if vowel[-1] == "1")

    @property
    def rhyme(self) -> tuple[str, ...]:
        """Sounds from the vowel of the main stress to the end."""
        start = next(number for number, sound in enumerate(self.sounds) if sound[-1] == "1")
        return self.plain[start:]


Draw = Callable[[Random], Iterator[DraftQuestion]]


def find_common_words(pronunciations: Mapping[str, Sequence[str]], wordnet: WordNet) -> tuple[Word, ...]:
    """Return the words that are common and have one pronunciation with one main stress."""
    words = (
        Word(text, tuple(found[0].split()), wordnet.senses_of.get(text, frozenset()))
        for text, found in pronunciations.items()
        if len(found) == 1
    )
    return tuple(
        word
        for word in words
        if word.senses
        and word.text.isalpha()
        and 3 <= len(word.text) <= 11
        and wordnet.uses.get(word.text, 0) >= MIN_USES
        and word.text not in UNFIT
        and Counter(vowel[-1] for vowel in word.vowels)["1"] == 1
    )


def _draft(
    name: str, question: str, answer: str, wrong: Sequence[str], known: Mapping[str, Word], **given: str
) -> DraftQuestion:
    """Word a draft; `known` holds the words whose sounds the checker needs."""
    sounds = {text: " ".join(word.sounds) for text, word in known.items()}
    return DraftQuestion(
        question, answer, tuple(wrong), SOURCE, Derivation(name=name, parameters={**given, "sounds": sounds})
    )


class Speller:
    """Draws questions about common words."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._known = {word.text: word for word in words}
        self._short = [word for word in words if len(word.vowels) == 1 and len(word.text) <= 6]

    def _pick(
        self,
        rng: Random,
        name: str,
        question: str,
        given: Mapping[str, str],
        right: Sequence[str],
        wrong: Sequence[str],
    ) -> Iterator[DraftQuestion]:
        """Ask for the one of four words that fits; nothing where there are too few wrong ones."""
        if not right or len(wrong) < 3:
            return
        answer = rng.choice(list(right))
        options = sorted(wrong, key=lambda text: (abs(len(text) - len(answer)), rng.random()))[:8]
        known = {text: self._known[text] for text in [*given.values(), answer, *options] if text in self._known}
        yield _draft(name, question.format(**given), answer, options, known, **given)

    def ask_rhymes(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask which word rhymes; wrong ones look alike at their end."""
        templates = ("Which word rhymes with '{word}'?", "Which of these makes a perfect rhyme with '{word}'?")
        by_rhyme: dict[tuple[str, ...], list[Word]] = defaultdict(list)
        for word in self._words:
            by_rhyme[word.rhyme].append(word)
        for word in _draw_many(rng, self._short):
            right = [
                other.text
                for other in by_rhyme[word.rhyme]
                if other.plain != word.plain
                and _find_onset(other) != _find_onset(word)
                and other.text[-3:] != word.text[-3:]
            ]
            alike = [
                other.text for other in self._short if other.text[-2:] == word.text[-2:] and other.rhyme != word.rhyme
            ]
            near = [
                other.text for other in self._short if other.rhyme[0] == word.rhyme[0] and other.rhyme != word.rhyme
            ]
            wrong = [*alike, *rng.sample(near, min(len(near), 4))]
            drafts = list(self._pick(rng, "rhyme", rng.choice(templates), {"word": word.text}, right, wrong))
            if alike:
                yield from drafts

    def ask_stress(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask where a word is stressed, and which word is stressed there."""
        long = [word for word in self._words if len(word.vowels) in {3, 4} and _has_one_stress(word)]
        for word in _draw_many(rng, long):
            place, count = word.stressed, len(word.vowels)
            if place > 2:
                continue
            if rng.random() < 0.35:
                question = f"Which syllable of '{word.text}' carries the main stress?"
                answer = f"The {ORDINALS[place]}"
                wrong = [f"The {ordinal}" for ordinal in ORDINALS if ordinal != ORDINALS[place]]
                yield _draft("stressed_syllable", question, answer, wrong, {word.text: word}, word=word.text)
                continue
            alike = [other for other in long if len(other.vowels) == count and other != word]
            right = [other.text for other in alike if other.stressed == place]
            wrong = [other.text for other in alike if other.stressed != place]
            question = "Which word has its main stress on the same syllable as '{word}'?"
            few = rng.sample(wrong, 12)
            yield from self._pick(rng, "same_stress", question, {"word": word.text}, right, few)

    def ask_syllables(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask for the number of syllables of a word, and for the word of so many."""
        for word in _draw_many(rng, self._words):
            count = len(word.vowels)
            if not 2 <= count <= 5 or _has_hiatus(word):
                continue
            wrong = [NUMBERS[other - 1] for other in range(max(1, count - 2), count + 4) if other != count]
            question = rng.choice(
                ["How many syllables has the word '{}'?", "Into how many syllables does '{}' fall when spoken?"]
            )
            yield _draft(
                "syllable_count",
                question.format(word.text),
                NUMBERS[count - 1],
                wrong,
                {word.text: word},
                word=word.text,
            )

    def ask_phonemes(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask for the number of speech sounds; letters and sounds differ in number."""
        for word in _draw_many(rng, self._words):
            count = len(word.sounds)
            if not 3 <= count <= 8 or count == len(word.text) or _has_hiatus(word):
                continue
            wrong = [NUMBERS[other - 1] for other in range(count - 2, count + 3) if other != count and other > 0]
            question = f"How many speech sounds (phonemes) has '{word.text}', {COUNTING}?"
            yield _draft("phoneme_count", question, NUMBERS[count - 1], wrong, {word.text: word}, word=word.text)

    def ask_homophones(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask which word sounds the same; wrong ones are spelled alike."""
        templates = ("Which word is pronounced exactly like '{word}'?", "Which of these is a homophone of '{word}'?")
        by_sounds: dict[tuple[str, ...], list[Word]] = defaultdict(list)
        for word in self._words:
            by_sounds[word.sounds].append(word)
        pairs = [pair for same in by_sounds.values() for pair in combinations(same, 2)]
        # There are hardly enough pairs of common words: each is asked once before any is asked the other way round.
        for pair in [*rng.sample(pairs, len(pairs)), *rng.sample(pairs, len(pairs))]:
            asked, right = rng.sample(pair, 2)
            if asked.senses & right.senses:  # two spellings of one word
                continue
            wrong = [
                other.text
                for other in self._words
                if _merge_vowels(other.plain) != _merge_vowels(asked.plain) and _looks_like(other, asked)
            ]
            question = rng.choice(templates)
            yield from self._pick(rng, "homophone", question, {"word": asked.text}, [right.text], wrong)

    def ask_minimal_pairs(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask which word differs in one sound only."""
        templates = (
            "Which word forms a minimal pair with '{word}', differing in exactly one speech sound?",
            "Replacing a single speech sound of '{word}' gives which of these words?",
        )
        for word in _draw_many(rng, self._short):
            if len(word.sounds) < 3:
                continue
            near = [
                (other.text, _measure_distance(word, other))
                for other in self._short
                if abs(len(other.sounds) - len(word.sounds)) <= 1
            ]
            right = [text for text, distance in near if distance == 1 and self._is_replaced(text, word)]
            wrong = [text for text, distance in near if distance == 2]
            question = rng.choice(templates)
            few = rng.sample(wrong, min(8, len(wrong)))
            yield from self._pick(rng, "minimal_pair", question, {"word": word.text}, right, few)

    def _is_replaced(self, text: str, word: Word) -> bool:
        other = self._known[text].plain
        return len(other) == len(word.plain) and _merge_vowels(other) != _merge_vowels(word.plain)

    def ask_edges(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask which word begins or ends with the same consonant sound; wrong ones share the letter."""
        for word in _draw_many(rng, self._words):
            place = rng.choice(["begins", "ends"])
            edge = 0 if place == "begins" else -1
            sound, letter = word.plain[edge], word.text[edge]
            if word.sounds[edge][-1].isdigit() or len(word.text) > 8:
                continue
            right = [
                o.text for o in self._words if o.plain[edge] == sound and o.text[edge] != letter and len(o.text) < 9
            ]
            wrong = [
                o.text
                for o in self._words
                if _find_edge_sound(o.plain[edge]) != sound and o.text[edge] == letter and len(o.text) < 9
            ]
            question, given = "Which word {place} with the same sound as '{word}'?", {"place": place, "word": word.text}
            few = rng.sample(wrong, min(20, len(wrong)))
            yield from self._pick(rng, "same_edge", question, given, right, few)

    def ask_vowels(self, rng: Random) -> Iterator[DraftQuestion]:
        """Ask which word has the same vowel; wrong ones have the same vowel letters."""
        templates = ("Which word has the same vowel sound as '{word}'?", "Whose vowel sounds like the one in '{word}'?")
        short = [word for word in self._short if "R" not in word.plain]  # an R colours the vowel before it
        for word in _draw_many(rng, short):
            vowel, letters = word.vowels[0][:-1], _extract_vowel_letters(word)
            right = [
                o.text
                for o in short
                if o.vowels[0][:-1] == vowel and _extract_vowel_letters(o) != letters and o.rhyme != word.rhyme
            ]
            wrong = [
                o.text
                for o in short
                if _merge_vowels([o.vowels[0][:-1]]) != _merge_vowels([vowel]) and _extract_vowel_letters(o) == letters
            ]
            if len(set(letters)) < 2:
                continue
            question = rng.choice(templates)
            few = rng.sample(wrong, min(20, len(wrong)))
            yield from self._pick(rng, "same_vowel", question, {"word": word.text}, right, few)


def _draw_many(rng: Random, words: Sequence[Word]) -> Iterator[Word]:
    for _ in range(MAX_DRAWS):
        yield rng.choice(words)


def _has_one_stress(word: Word) -> bool:
    """Tell whether a word is not both a verb and something else, for which the stress may move."""
    parts = {part for part, _ in word.senses}
    return "verb" not in parts or parts == {"verb"}


def _has_hiatus(word: Word) -> bool:
    """Tell whether two vowels meet, which some speakers run into one."""
    return any(one[-1].isdigit() and other[-1].isdigit() for one, other in pairwise(word.sounds))


def _find_onset(word: Word) -> tuple[str, ...]:
    return word.plain[: len(word.plain) - len(word.rhyme)]


def _merge_vowels(sounds: Sequence[str]) -> tuple[str, ...]:
    """Write the vowels of `cot` and `caught` alike, as many speakers do: no answer may hang on them."""
    return tuple("AA" if sound == "AO" else sound for sound in sounds)


def _looks_like(word: Word, other: Word) -> bool:
    first, second = word.text, other.text
    return (
        abs(len(first) - len(second)) <= 1
        and first[0] == second[0]
        and (first[-1] == second[-1] or first[1] == second[1])
    )


def _extract_vowel_letters(word: Word) -> str:
    return "".join(letter for letter in word.text if letter in "aeiouyw")


def _find_edge_sound(sound: str) -> str:
    """Return the sound as an edge of a word is heard: the vowel of `bird` ends in an R."""
    return "R" if sound == "ER" else sound


def _measure_distance(word: Word, other: Word) -> int:
    """Count the sounds to replace, add or leave out to turn one word into the other (Levenshtein)."""
    row = list(range(len(other.plain) + 1))
    for count, sound in enumerate(word.plain, start=1):
        above, row = row, [count]
        for place, wanted in enumerate(other.plain):
            row.append(min(above[place] + (sound != wanted), above[place + 1] + 1, row[place] + 1))
    return row[-1]


def list_sub_categories(words: Sequence[Word]) -> SubCategories:
    """Return the phonetic sub-categories over these words."""
    speller = Speller(words)
    draws: Mapping[str, Draw] = {
        "Rhyme": speller.ask_rhymes,
        "Stress": speller.ask_stress,
        "Syllables": speller.ask_syllables,
        "Phoneme counts": speller.ask_phonemes,
        "Homophones": speller.ask_homophones,
        "Minimal pairs": speller.ask_minimal_pairs,
        "First and last sounds": speller.ask_edges,
        "Vowels": speller.ask_vowels,
    }
    return {name: Drafts("Phonetic", draw) for name, draw in draws.items()}
