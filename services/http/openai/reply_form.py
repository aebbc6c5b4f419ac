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

from services.http.options.answer_words import UNSPACED, compile_any, make_pattern_of_any, read_answer_words
from services.types import Choice

ReplyKind: TypeAlias = Literal["letter", "text"]

SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\W[A-Za-z]\.[A-Za-z]\.)[\"'”’)]*\s+(?![a-zà-ÿа-я])|(?<=[。！？])"
)  # "etc.) of" and "e.g. (A)" end none
QUESTION_MARKS = ("?", "？", "؟")
BETWEEN = r"\W{0,8}(?:[^\W\d_]{1,6}\W{0,8})?"  # two letters of a list: signs, and "or" in any language
QUOTES = (("'", "'"), ('"', '"'), ("`", "`"), ("“", "”"), ("‘", "’"), ("«", "»"), ("„", "“"), ("「", "」"))
NAMED = r"\$\{?[A-Za-z_]{1,20}\}?|\bLETTER\b"  # a place to fill in, as templates name it
INSIDE = r"[\[<{(]([^\[\]<>{}()\n]{1,60})[\]>})]"
ELLIPSIS = r"_{1,10}|\.{3}|…|\bX\b"
REPEATED = re.compile(r"(?<!\w)([A-Z])\1{2,9}(?!\w)")  # a letter as it is to be written, such as "FFFFF"
EXAMPLE = re.compile(r"\(([A-Z])\)")
HEADING = re.compile(r"#{1,6}\s+([^#]+?)\s*#*|(?:\*\*|\[)([^*\[\]]+)(?:\*\*|\])\s*[:：]?|</?([A-Za-z_]+)>")
THINKING = re.compile(r"[:：]\s*(?:let['’]?s|let us) think\b.*\Z", re.IGNORECASE)  # a cue that goes on
LONGEST_SENTENCE = 600  # characters: a longer one is not an instruction
FARTHEST_QUOTE = 60  # characters from the place to fill in
MOST_CUE_WORDS = 5
NUM_WORDS_DENIED = 3


class ReplyForm(NamedTuple):
    """How the reply names the chosen option."""

    kind: ReplyKind = "text"
    before: str = ""
    after: str = ""
    num_times: int = 1
    """How often it is named, one after the other."""

    def write(self, choice: Choice, marks: Sequence[str]) -> str:
        """Return the reply for an option; `marks` are those of all options as the prompt has them."""
        place = ascii_uppercase.index(choice.letter)
        named = choice.text if self.kind == "text" else marks[place] if place < len(marks) else choice.letter
        is_json = self.before.endswith('": "')
        written = json.dumps(named, ensure_ascii=False)[1:-1] if is_json else named
        return self.before + self.num_times * written + self.after


class _Template(NamedTuple):
    before: str
    after: str
    is_letter: bool
    """Whether the place to fill in is one for a letter."""
    num_times: int = 1


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
    lines = [_read_heading(line) for line in text.splitlines()]
    cue = _find_cue(lines)
    forms = [finder.read(sentence) for sentence in _split([*lines, *instructions.splitlines()])]
    templates = [one.template for one in forms if one.template]
    kinds = [one.kind for one in forms if one.kind]
    if cue:
        kinds.append("letter")
    kind: ReplyKind = "letter" if any(one.is_letter for one in templates) else kinds[0] if kinds else "text"
    template = templates[0] if templates else _Template("", "", is_letter=False)
    form = ReplyForm(kind, template.before.lstrip(), template.after.rstrip(), template.num_times)
    return AskedForm(form, finder.strip(lines[: -len(cue)] if cue else lines) or text)


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
        self._has_letters_for_options = any(len(one) == 1 and one.isascii() for one in map(str.strip, options))
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
            bool(_begin(words.ask).match(sentence) or compile_any(_list_unspaced(words.ask)).search(sentence)),
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
        found = self._find_fixed(sentence) or self._find_quoted(sentence) or self._find_labelled(sentence)
        if found:
            return found
        answers = compile_any(read_answer_words().answer).search(sentence)
        if answers and (repeated := REPEATED.search(sentence)):
            return _Template("", "", is_letter=True, num_times=len(repeated[0]))
        examples = EXAMPLE.findall(sentence)
        if len(examples) == 1 and self._find_kind(sentence) == "letter":
            return _Template("(", ")", is_letter=True)
        return None

    def _find_fixed(self, sentence: str) -> _Template | None:
        r"""Find forms that say by themselves what is filled in: `\boxed{}`, `<answer></answer>`, `{"answer": "…"}`."""
        named = self._names.search(sentence)
        is_letter = bool(named and not _denies(sentence[: named.start()]))
        if boxes := re.findall(r"\\boxed\{([^{}]{0,40})\}", sentence):
            return _Template("\\boxed{", "}", is_letter or any(map(self._names_letter, boxes)))
        noun = make_pattern_of_any(read_answer_words().answer)
        if tag := re.search(rf"<({noun})>([^<>]{{0,60}})</\1>", sentence, re.IGNORECASE):
            return _Template(f"<{tag[1]}>", f"</{tag[1]}>", is_letter or self._names_letter(tag[2]))
        if pair := re.search(rf'(\{{\s*)?"({noun})"\s*:\s*"([^"{{}}]{{0,60}})"\s*(\}})?', sentence, re.IGNORECASE):
            around = ("{", "}") if pair[1] and pair[4] else ("", "")
            is_letter = is_letter or self._names_letter(pair[3])
            return _Template(f'{around[0]}"{pair[2]}": "', f'"{around[1]}', is_letter)
        return None

    def _find_quoted(self, sentence: str) -> _Template | None:
        """Find a form in quotes with a place to fill in, such as 'ANSWER: $LETTER'."""
        noun = compile_any(read_answer_words().answer)
        for opening, closing in QUOTES:
            for place in re.finditer(f"{NAMED}|{INSIDE}|{ELLIPSIS}", sentence):
                start = sentence.rfind(opening, max(0, place.start() - FARTHEST_QUOTE), place.start())
                end = sentence.find(closing, place.end(), place.end() + FARTHEST_QUOTE)
                before = sentence[start + 1 : place.start()]
                if min(start, end) >= 0 and (self._is_place(place) or noun.search(before)):
                    return self._fill(before, place, sentence[place.end() : end])
        return None

    def _find_labelled(self, sentence: str) -> _Template | None:
        """Find a form without quotes, such as "Answer: $LETTER" or "The best answer is [LETTER]."."""
        for place in re.finditer(f"{NAMED}|{INSIDE}", sentence):
            if not self._is_place(place):
                continue
            if label := _compile_before_place().search(sentence[: place.start()]):
                return self._fill(label[1], place, "")
            if told := _compile_statement().search(sentence[: place.start()]):
                end = re.match(r"[.。]?\Z", sentence[place.end() :])
                return self._fill(told[1], place, end[0] if end else "")
        return None

    def _fill(self, before: str, place: re.Match[str], after: str) -> _Template:
        is_letter = self._names_letter(_name(place))
        if place[1] and EXAMPLE.fullmatch(place[0]):  # round brackets around a letter are part of the form
            before, after = f"{before}(", f"){after}"
        return _Template(before, after, is_letter)

    def _is_place(self, place: re.Match[str]) -> bool:
        """Say whether this is to be filled in with an answer."""
        words, name = read_answer_words(), _name(place)
        return (len(name) > 1 and self._names_letter(name)) or bool(
            compile_any(words.answer + words.option).search(name)
        )

    def _names_letter(self, name: str) -> bool:
        """Say whether what stands in a place means a letter: it says so, lists all letters or is one."""
        named = compile_any(read_answer_words().letter).search(name)
        is_one = bool(re.fullmatch(r"[A-Z]", name.strip()))
        return is_one or bool(named) or any(pattern.search(name) for pattern in self._lists)

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


@cache
def _list_unspaced(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of languages whose verbs may end a sentence."""
    return tuple(word for word in words if UNSPACED.search(word))


def _denies(before: str) -> bool:
    """Say whether what is named next is not wanted: "the text, not the letter"."""
    near = " ".join(before.split()[-NUM_WORDS_DENIED:])
    return bool(compile_any(read_answer_words().denial).search(near))


def _is_request(sentence: str) -> bool:
    """Say whether a sentence beside one about the form only says how to answer."""
    words = read_answer_words()
    pattern = _begin(words.ask + words.denial + ("do", "think", "explain"))
    return bool(pattern.match(sentence)) and not sentence.endswith(QUESTION_MARKS)


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
    filled = [line.strip() for line in lines if line.strip()]
    if len(filled) < 2:
        return []
    last = THINKING.sub(":", filled[-1])
    is_cue = last.endswith((":", "：")) and len(last.split()) <= MOST_CUE_WORDS
    is_dialogue = last == "A:" and any(line.startswith("Q:") for line in filled)
    if not (
        is_dialogue
        or _compile_statement().fullmatch(last)
        or (is_cue and compile_any(read_answer_words().answer).search(last))
    ):
        return []
    return list(lines[max(number for number, line in enumerate(lines) if line.strip()) :])


def _read_heading(line: str) -> str:
    """Return a heading in Markdown or a tag, such as "### Options", "**Answer:**" or "<options>", as a label."""
    found = HEADING.fullmatch(line.strip())
    if not found:
        return line
    label = f"{next(filter(None, found.groups())).rstrip(' :：')}:"
    words = read_answer_words()
    cues = () if found[3] else words.answer  # a tag is no cue to complete
    known = make_pattern_of_any(words.question_label + words.options_label + cues)
    return label if re.fullmatch(rf"(?:[^\W\d_]{{1,10}}\s)?{known}:", label, re.IGNORECASE) else line


def _is_label(line: str) -> bool:
    """Say whether a line only names what follows, such as "Options:"."""
    return bool(_compile_label().fullmatch(line.strip()))


def _drop_label(text: str) -> str:
    return _compile_label().sub("", text, count=1) if _compile_label().match(text) else text


@cache
def _compile_before_place() -> re.Pattern[str]:
    return re.compile(rf"({make_pattern_of_any(read_answer_words().answer)}\s?[:：]\s?)\Z", re.IGNORECASE)


@cache
def _compile_statement() -> re.Pattern[str]:
    """Return the pattern of a statement of the answer, such as "The best answer is "."""
    words = read_answer_words()
    answer, copula = make_pattern_of_any(words.answer), make_pattern_of_any(words.copula)
    return re.compile(
        rf"(?:\A\W*|[:：]\s)((?:[^\W\d_]{{1,10}}\s){{0,2}}{answer}\s?{copula}\s?[:：]?\s?)\Z", re.IGNORECASE
    )


@cache
def _compile_label() -> re.Pattern[str]:
    words = read_answer_words()
    return re.compile(rf"{make_pattern_of_any(words.question_label + words.options_label)}\s?[:：]\s*", re.IGNORECASE)
