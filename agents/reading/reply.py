"""Parser of replies: free text to a choice.

A reply is parsed in steps, from the most to the least explicit. The first step that finds any option decides; where it
finds two different ones, no choice can be read. It is never a guess.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from services.types import Choice

Choices: TypeAlias = tuple[Choice, ...]

MAX_PROSE_WORDS = 60  # a longer text without a mark is reasoning: what it mentions is not what it answers
MAX_OBJECTS = 32  # opening braces that are tried as JSON
NUM_FORMS_KEPT = 4096  # of options and parts of replies, which every step compares anew
NUM_AROUND = 40  # characters that may stand around and between two options: letters, marks, "or"
NEGATION_REACH = 80  # characters before a mention in which a "not" may stand
EDGES = " \t\r\n\"'`*_.,;:!?()[]{}<>“”‘’«»。，！？、"
STRAIGHT = str.maketrans("‘’“”♯♭", "''\"\"#b")
ANSWER_KEYS = (
    *("answer", "final_answer", "correct_answer", "prediction", "choice", "option"),
    *("answer_letter", "selected_option", "selected_choice", "letter"),
)

# Some chat templates put the opening tag into the prompt, so that only the closing one is in the reply.
THOUGHT = r"(?:think|thinking|thought|reasoning|reflection|analysis)"
THINKING = re.compile(
    rf"\A.*(?:</{THOUGHT}>|\[/THINK\]|<\|channel\|>final<\|message\|>)|(?:<{THOUGHT}>|\[THINK\]).*\Z", re.S | re.I
)
ANSWER_TAG = re.compile(r"<(?:final_)?answer>(.*?)(?:</|\Z)", re.S | re.I)
BOX = re.compile(r"\\boxed\{(?:\\text\{)?([^{}]*)\}")
MARKER = re.compile(
    r"(?:\b(?:(?<!wrong )(?<!incorrect )answer(?: to (?:the|this) question)?|ans(?=\s*[:=])"
    r"|(?:correct|best|right|final|my) (?:option|choice))"
    r"""[*_"'`]*\s*(?:(?:is|was|would be|should be|must be|seems to be)\b[*_]*:?|[:=]|[-–—]\s|[*_]*\n)"""
    r"|答案(?:应该)?[是为:=选])",
    re.I,
)
CONCLUSION = re.compile(r"\b(?:therefore|thus|hence|in conclusion|in summary|so),?\s", re.I)
LABEL = re.compile(
    r"""[(\["'*]*([A-Za-z])(?:[)\]"'*]+[.:]?|[.:,;])(?=\s)|\(?([A-Z])\)?(?=\s+(?:because|since|is|[-–—])\s)"""
)
LETTER = re.compile(
    r"\(([A-Z])\)"
    r"|\b(?i:option|choice|answer|letter|choose|chose|pick|select|go with)[:\s]\s*[\"'*(]*([A-Z])\b(?!['#])"
)
LEAD_IN = re.compile(r"\A(?:(?:(?:it|this|that)(?: is|'s)|most likely|likely|probably|an?|the)\s+)+", re.I)
REFUSAL = re.compile(
    r"\b(?:can ?not|can't|unable|not sure|unsure|uncertain|do(?: not|n't) know"
    r"|impossible|insufficient|unclear|whether)\b",
    re.I,
)
NEGATED = re.compile(
    r"(?:\b(?:not|never|no|without|neither|nor|wrong|incorrect|except|rather than|instead of|rul(?:e|ed|ing) out)|n't)"
    r"(?:\s+(?!but\b)\w+){0,2}[^\w.,;!?\n]*\Z"
    r"|(?:\bnot|n't)\s+(?:think|believe|suppose|say|call|hear)\b(?:(?!\bbut\b)[^.,;!?\n])*\Z",
    re.I,
)
DENIED = re.compile(r"\W*\b(?:is|are|was|were|does|can|could)(?:n't|\s+(?:not|wrong|incorrect|false|unlikely))\b", re.I)
GOES_ON = r"[\"'*)]*(?:[,.;:!\n(](?!\d)|\s+(?:because|since|[-–—])\s)"
SEGMENT = re.compile(r"[,;/\n.]|\b(?:or|and)\b")
FUNCTION_WORDS = frozenset(
    {"an", "the", "no", "not", "none", "one", "in", "on", "up", "down", "is", "or", "and", "to", "of", "at"}
)


def read_choice(reply: str, choices: Choices) -> Choice | None:
    """Return the one choice that a reply names, or None where that is not certain.

    Of options that share their text the first is returned, unless the reply names a letter.
    """
    text = THINKING.sub("", _straighten(reply))
    marked = next(_find_marked(text), None)
    named = _read(marked, choices) if marked is not None else _read_unmarked(text, choices)
    return named[0] if len({choice.text for choice in named}) == 1 else None


def _find_marked(text: str) -> Iterator[str]:
    """Yield what a tag, JSON or a box marks as the answer: the last one of each kind."""
    yield from ANSWER_TAG.findall(text)[-1:]
    yield from list(_find_json_answers(text))[-1:]
    yield from BOX.findall(text)[-1:]


def _find_json_answers(text: str) -> Iterator[str]:
    for brace in list(re.finditer(r"\{", text))[-MAX_OBJECTS:]:
        try:
            fields, _ = json.JSONDecoder().raw_decode(text, brace.start())
        except (json.JSONDecodeError, RecursionError):
            continue
        values = {key.lower().replace(" ", "_"): value for key, value in fields.items()}
        yield from (str(values[key]) for key in ANSWER_KEYS if isinstance(values.get(key), str | int))


def _read_unmarked(text: str, choices: Choices) -> Choices:
    """Read what follows the last "answer:", else the whole."""
    for marker in list(MARKER.finditer(text))[-1:]:
        if named := _read(text[marker.end() :], choices):
            return named
    return _read(text, choices)


def _read(text: str, choices: Choices) -> Choices:
    for step in (_read_exact, _read_either, _read_whole_lines, _read_leading, _read_mentioned):
        if named := step(text, choices):
            return named
    return ()


def _read_exact(text: str, choices: Choices) -> Choices:
    """The text is a letter, an option, or a letter with an option and nothing else; both where they disagree."""
    bare = text.strip(EDGES)
    bracketed = re.fullmatch(r"[\s*\"']*[(\[]?([A-Za-z])[)\]][\s*\"'.]*", text)
    by_text = () if bracketed else _match_text(text, choices)
    # Where an option reads "a", the small letter is its text; a capital could be either.
    by_letter = tuple(choice for choice in choices if choice.letter == (bare if by_text else bare.upper()))
    if by_letter or by_text:
        return by_letter + by_text
    label = re.match(r"\W*([A-Za-z])(?=\W)", text)
    if not label:
        return ()
    # With its minus sign, if it has one; else without the dash after the letter.
    rests = (text[label.end() :].lstrip(EDGES + dashes) for dashes in ("", "-–—"))
    named = next(filter(None, (_match_text(rest, choices) for rest in rests)), ())
    labelled = tuple(choice for choice in choices if choice.letter == label[1].upper()) if named else ()
    return tuple(choice for choice in labelled if choice in named) or (labelled and labelled + named)


def _read_either(text: str, choices: Choices) -> Choices:
    """The text is two options with "or" or "and" between them, and nothing else."""
    if len(text) > 2 * max((len(choice.text) for choice in choices), default=0) + NUM_AROUND:
        return ()
    for joint in re.finditer(r"[\s,]+(?:or|and)\s+", text, re.I):
        parts = [_read_exact(part, choices) for part in (text[: joint.start()], text[joint.end() :])]
        if all(parts):
            return parts[0] + parts[1]
    return ()


def _read_whole_lines(text: str, choices: Choices) -> Choices:
    """Some lines are nothing but an option; the rest explains."""
    return tuple(choice for line in text.splitlines() for choice in _read_exact(line, choices))


def _read_leading(text: str, choices: Choices) -> Choices:
    """The text opens with a letter or an option, and goes on."""
    text = text.strip()
    label = LABEL.match(text)
    letter = (label[1] or label[2]).upper() if label else ""
    if label and DENIED.match(text, label.end()):
        return ()
    by_letter = tuple(choice for choice in choices if choice.letter == letter)
    opening = by_letter + _match_opening(text, choices)
    if not opening:
        return ()
    rest = text[label.end() :] if label and by_letter else text
    for choice in opening:
        rest = re.sub(rf"(?<!\w){re.escape(_normalise(choice.text))}(?!\w)", "…", rest, flags=re.I)
    others = [choice for part in SEGMENT.split(rest) for choice in _read_exact(part, choices)]
    return (*opening, *others, *_find_letters(rest, choices))


def _match_opening(text: str, choices: Choices) -> Choices:
    whole = text.lstrip(EDGES).casefold()
    found = [
        choice
        for choice in choices
        for form in {whole, LEAD_IN.sub("", whole, count=1)}
        if (option := _normalise(choice.text)) and re.match(re.escape(option) + GOES_ON, form)
    ]
    longest = max((len(choice.text) for choice in found), default=0)
    return tuple(choice for choice in found if len(choice.text) == longest)


def _read_mentioned(text: str, choices: Choices) -> Choices:
    """Prose that mentions an option without refusing or denying it."""
    if len(text.split()) > MAX_PROSE_WORDS:
        text = text[max((match.end() for match in CONCLUSION.finditer(text)), default=len(text)) :]
    if len(text.split()) > MAX_PROSE_WORDS:
        return ()
    by_text, remainder = _find_texts(" ".join(text.casefold().split()), choices)
    return () if REFUSAL.search(remainder) else _find_letters(text, choices) + by_text


def _find_letters(text: str, choices: Choices) -> Choices:
    letters = {match[1] or match[2] for match in LETTER.finditer(text) if not _is_denied(text, match)}
    return tuple(choice for choice in choices if choice.letter in letters)


def _is_denied(text: str, mention: re.Match[str]) -> bool:
    before = text[max(0, mention.start() - NEGATION_REACH) : mention.start()]
    return bool(NEGATED.search(before) or DENIED.match(text, mention.end()))


class _Mentions(NamedTuple):
    named: Choices
    remainder: str
    """The text without the options that it mentions."""


def _find_texts(text: str, choices: Choices) -> _Mentions:
    named: Choices = ()
    # Longest first and then masked, so that "car" is not found again within "car horn".
    for choice in sorted(choices, key=lambda choice: -len(choice.text)):
        option = _normalise(choice.text).removeprefix("the ")
        if (len(option) < 2 and not option.isdigit()) or option in FUNCTION_WORDS:
            continue
        phrase = re.compile(rf"(?<![\w#.-]){re.escape(option)}(?![\w#]|[.,:'-]\w)")
        if any(not _is_denied(text, match) for match in phrase.finditer(text)):
            named += tuple(same for same in choices if same.text == choice.text)
        text = phrase.sub(" … ", text)
    return _Mentions(named, text)


def _match_text(text: str, choices: Choices) -> Choices:
    forms = {_normalise(text), _strip_article(text)} - {""}
    same = tuple(
        choice for choice in choices if _normalise(choice.text) in forms or _strip_article(choice.text) in forms
    )
    literal = tuple(choice for choice in same if _straighten(choice.text).strip() == text.strip())
    squeezed = _squeeze(text)
    return literal or same or tuple(choice for choice in choices if squeezed and _squeeze(choice.text) == squeezed)


@lru_cache(NUM_FORMS_KEPT)
def _normalise(text: str) -> str:
    """Return the text folded in case, width and quotes, without the punctuation around it."""
    return " ".join(_straighten(text).strip(EDGES).casefold().split())


@lru_cache(NUM_FORMS_KEPT)
def _strip_article(text: str) -> str:
    return re.sub(r"\A(?:an?|the)\s+", "", _normalise(text))


@lru_cache(NUM_FORMS_KEPT)
def _squeeze(text: str) -> str:
    """Return the plain text without what writers leave out: quotes, hyphens in words, spaces except between digits."""
    return re.sub(r"(?<=[^\W\d_])-(?=[^\W\d_])|['\"]|(?<!\d)\s+|\s+(?!\d)", "", _normalise(text))


def _straighten(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(STRAIGHT)
