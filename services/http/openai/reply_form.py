r"""Form of a reply: the letter of an option where the prompt asks for a letter, its text where it does not.

Harnesses score replies by their form: "ANSWER: $LETTER", "only the letter", "A, B, C or D", a last line "Answer:", a
`\boxed{}`. What a prompt says about the form is followed and left out of the question, which is put as it would be
put by any other way.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from string import ascii_uppercase
from typing import Literal, NamedTuple, TypeAlias

from services.http.openai.answer_words import compile_any, make_pattern_of_any, read_answer_words
from services.types import Choice

ReplyKind: TypeAlias = Literal["letter", "text"]

SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?![a-zà-ÿа-я])|(?<=[。！？])")  # "etc.) of" ends none
QUESTION_MARKS = ("?", "？", "؟")
BETWEEN = r"\W{0,8}(?:[^\W\d_]{1,6}\W{0,8})?"  # two letters of a list: signs, and "or" in any language
QUOTES = (("'", "'"), ('"', '"'), ("`", "`"), ("“", "”"), ("‘", "’"), ("«", "»"), ("„", "“"), ("「", "」"))
NAMED = r"\$\{?[A-Za-z_]{1,20}\}?|\bLETTER\b"  # a place to fill in, as templates name it
INSIDE = r"[\[<{(]([^\[\]<>{}()\n]{1,60})[\]>})]"
ELLIPSIS = r"_{1,10}|\.{3}|…|\bX\b"
LONGEST_SENTENCE = 600  # characters: a longer one is not an instruction
FARTHEST_QUOTE = 60  # characters from the place to fill in
MOST_CUE_WORDS = 5
NUM_WORDS_DENIED = 3


class ReplyForm(NamedTuple):
    """How the reply names the chosen option."""

    kind: ReplyKind = "text"
    before: str = ""
    after: str = ""

    def write(self, choice: Choice, marks: Sequence[str]) -> str:
        """Return the reply for an option; `marks` are those of all options as the prompt has them."""
        place = ascii_uppercase.index(choice.letter)
        named = choice.text if self.kind == "text" else marks[place] if place < len(marks) else choice.letter
        is_json = self.before.startswith("{") and self.before.endswith('"')
        return self.before + (json.dumps(named, ensure_ascii=False)[1:-1] if is_json else named) + self.after


class _Template(NamedTuple):
    before: str
    after: str
    is_letter: bool
    """Whether the place to fill in is one for a letter."""


class AskedForm(NamedTuple):
    """A prompt, and what it says about the form of the reply."""

    form: ReplyForm
    question: str
    """The prompt without it."""


def find_form(text: str, instructions: str, options: Sequence[str], marks: Sequence[str]) -> AskedForm:
    """Find the form that a prompt asks for.

    Args:
        text: the prompt without its options.
        instructions: what is said elsewhere, such as in a system message.
        options: texts of the options.
        marks: their letters or numbers, as the prompt has them.
    """
    finder = _FormFinder(options, marks)
    lines = text.splitlines()
    cue = _find_cue(lines)
    forms = [finder.read(sentence) for sentence in _split([*lines, *instructions.splitlines()])]
    templates = [one.template for one in forms if one.template]
    kinds = [one.kind for one in forms if one.kind]
    if cue:
        kinds.append("letter")
    kind: ReplyKind = "letter" if any(one.is_letter for one in templates) else kinds[0] if kinds else "text"
    before, after = templates[0][:2] if templates else ("", "")
    return AskedForm(ReplyForm(kind, before, after), finder.strip(lines[: -len(cue)] if cue else lines) or text)


class _SentenceForm(NamedTuple):
    """What one sentence says about the form."""

    kind: ReplyKind | None = None
    template: _Template | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return self.kind is None and self.template is None


class _FormFinder:
    """Reads the sentences of one prompt."""

    def __init__(self, options: Sequence[str], marks: Sequence[str]) -> None:
        words = read_answer_words()
        are_numbers = all(mark.isdecimal() for mark in marks)
        self._names = compile_any(words.number + words.letter if are_numbers else words.letter)
        self._has_letters_for_options = any(len(option.strip()) == 1 for option in options)
        self._lists = [re.compile(pattern) for pattern in _list_enumerations(marks)]
        self._read: dict[str, _SentenceForm] = {}
        self._lists_in_questions = self._lists[:1] if len(marks) > 2 and not are_numbers else []

    def read(self, sentence: str) -> _SentenceForm:
        """Return what a sentence says about the form."""
        if len(sentence) > LONGEST_SENTENCE:
            return _SentenceForm()
        if sentence not in self._read:
            self._read[sentence] = _SentenceForm(self._find_kind(sentence), self._find_template(sentence))
        return self._read[sentence]

    def _find_kind(self, sentence: str) -> ReplyKind | None:
        asks = sentence.rstrip("\"'”’) ").endswith(QUESTION_MARKS)
        if self._enumerates(sentence, is_question=asks):
            return "letter"
        named = self._names.search(sentence)
        if not named:
            return None
        words = read_answer_words()
        if _denies(sentence[: named.start()]):
            return "text"
        begins, has_option, has_only = (
            bool(_begin(words.ask).match(sentence)),
            bool(compile_any(words.option).search(sentence)),
            bool(compile_any(words.only).search(sentence)),
        )
        if asks or self._has_letters_for_options:
            return "letter" if has_option and (has_only or begins) else None
        return "letter" if begins or has_only or has_option else None

    def _enumerates(self, sentence: str, *, is_question: bool) -> bool:
        """Say whether a sentence lists the letters of all options, which only an instruction does."""
        patterns = self._lists_in_questions if is_question else self._lists
        return any(pattern.search(sentence) for pattern in patterns)

    def _find_template(self, sentence: str) -> _Template | None:
        if fixed := _find_fixed(sentence):
            return fixed
        noun = compile_any(read_answer_words().answer)
        for opening, closing in QUOTES:
            for place in re.finditer(f"{NAMED}|{INSIDE}|{ELLIPSIS}", sentence):
                start = sentence.rfind(opening, max(0, place.start() - FARTHEST_QUOTE), place.start())
                end = sentence.find(closing, place.end(), place.end() + FARTHEST_QUOTE)
                before = sentence[start + 1 : place.start()]
                if min(start, end) >= 0 and (self._is_place(place) or noun.search(before)):
                    return _Template(before, sentence[place.end() : end], self._is_for_letter(place))
        for place in re.finditer(f"{NAMED}|{INSIDE}", sentence):
            label = _compile_before_place().search(sentence[: place.start()])
            if label and self._is_place(place):
                return _Template(label[1], "", self._is_for_letter(place))
        return None

    def _is_place(self, place: re.Match[str]) -> bool:
        """Say whether this is to be filled in with an answer."""
        words = read_answer_words()
        return self._is_for_letter(place) or bool(compile_any(words.answer + words.option).search(_name(place)))

    def _is_for_letter(self, place: re.Match[str]) -> bool:
        name = _name(place)
        named = compile_any(read_answer_words().letter).search(name)
        return bool(named) or any(pattern.search(name) for pattern in self._lists)

    def strip(self, lines: Sequence[str]) -> str:
        """Return the question in these lines: without what they say about the form, and without labels."""
        read = [[(one, self.read(one)) for one in _split([line])] for line in lines]
        is_form = [any(not form.is_empty for _, form in line) for line in read]
        kept = []
        for number, (line, sentences) in enumerate(zip(lines, read, strict=True)):
            leads_in = line.rstrip().endswith((":", "：")) and number + 1 < len(lines) and is_form[number + 1]
            if leads_in or _is_label(line):
                continue
            if is_form[number]:
                has_others = any(
                    other.strip() and not is_form[place] and not _is_label(other) for place, other in enumerate(lines)
                )
                rest = [one for one, form in sentences if form.is_empty and not (has_others and _is_request(one))]
                if rest:
                    kept.append(" ".join(rest))
                continue
            kept.append(line)
        return _drop_label("\n".join(kept).strip())


def _name(place: re.Match[str]) -> str:
    """Return the name of a placeholder of a template."""
    return (place[1] or place[0]).strip("${}").replace("_", " ")


def _split(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield from (one.strip() for one in SENTENCE_END.split(line) if one.strip())


@cache
def _begin(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of a sentence that begins with one of these words, whatever politeness is before them."""
    return re.compile(rf"\W*(?:[^\W\d_]{{1,10}},?\s+)?{make_pattern_of_any(words)}", re.IGNORECASE)


def _denies(before: str) -> bool:
    """Say whether what is named next is not wanted: "the text, not the letter"."""
    near = " ".join(before.split()[-NUM_WORDS_DENIED:])
    return bool(compile_any(read_answer_words().denial).search(near))


def _is_request(sentence: str) -> bool:
    """Say whether a sentence beside one about the form only says how to answer."""
    words = read_answer_words()
    pattern = _begin(words.ask + words.denial + ("do", "think", "explain"))
    return bool(pattern.match(sentence)) and not sentence.endswith(QUESTION_MARKS)


def _find_fixed(sentence: str) -> _Template | None:
    r"""Find forms that say by themselves what is filled in: `\boxed{}`, `<answer></answer>`, `{"answer": "…"}`."""
    if re.search(r"\\boxed\{[^{}]{0,40}\}", sentence):
        return _Template("\\boxed{", "}", is_letter=False)
    noun = make_pattern_of_any(read_answer_words().answer)
    if tag := re.search(rf"<({noun})>[^<>]{{0,60}}</\1>", sentence, re.IGNORECASE):
        return _Template(f"<{tag[1]}>", f"</{tag[1]}>", is_letter=False)
    if pair := re.search(rf'\{{\s*"({noun})"\s*:\s*"[^"{{}}]{{0,60}}"\s*\}}', sentence, re.IGNORECASE):
        return _Template(f'{{"{pair[1]}": "', '"}', is_letter=False)
    return None


def _list_enumerations(marks: Sequence[str]) -> Iterator[str]:
    """Yield patterns of all the marks in a row, and of a range of them."""
    upper = [mark.upper() for mark in marks]
    row = BETWEEN.join(map(re.escape, upper))
    yield rf"(?<![A-Za-z0-9]){row}(?![A-Za-z0-9])"
    if len(marks) > 2:
        first, last = re.escape(upper[0]), re.escape(upper[-1])
        yield rf"(?<![A-Za-z0-9]){first}\s?(?:[-–—~〜]|[^\W\d_]{{1,7}})\s?{last}(?![A-Za-z0-9])"


def _find_cue(lines: Sequence[str]) -> list[str]:
    """Return the last line where it is one that a letter completes, such as "Answer:" or "The best answer is:"."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2:
        return []
    last = filled[-1].strip()
    is_cue = last.endswith((":", "：")) and len(last.split()) <= MOST_CUE_WORDS
    if not (is_cue and compile_any(read_answer_words().answer).search(last)):
        return []
    return list(lines[max(number for number, line in enumerate(lines) if line.strip()) :])


def _is_label(line: str) -> bool:
    """Say whether a line only names what follows, such as "Options:"."""
    return bool(_compile_label().fullmatch(line.strip()))


def _drop_label(text: str) -> str:
    return _compile_label().sub("", text, count=1) if _compile_label().match(text) else text


@cache
def _compile_before_place() -> re.Pattern[str]:
    return re.compile(rf"({make_pattern_of_any(read_answer_words().answer)}\s?[:：]\s?)\Z", re.IGNORECASE)


@cache
def _compile_label() -> re.Pattern[str]:
    words = read_answer_words()
    return re.compile(rf"{make_pattern_of_any(words.question_label + words.options_label)}\s?[:：]\s*", re.IGNORECASE)
