"""Parser of replies: free text to a choice.

A reply is parsed in steps, from the most to the least explicit. The first step that finds any option decides; where it
finds two different ones, no choice can be read. It is never a guess.
"""

import re
from typing import NamedTuple, TypeAlias

from agents.reading.conclusions import (
    CORRECTION,
    drop_superseded,
    drop_tail,
    find_conclusions,
    find_headings,
    find_verdicts,
    is_denied_somewhere,
)
from agents.reading.marks import find_marked_answers, read_final_text
from agents.reading.mentions import (
    FUNCTION_WORDS,
    compile_particle,
    find_crossing,
    find_joined,
    is_denied,
    is_denied_behind,
    is_reason,
    is_word,
)
from agents.reading.numbers import find_numbers, find_places, letter_ranks, spell_ranges_like_options, spell_shortly
from agents.reading.pitches import spell_pitches_like_options
from agents.reading.plain_text import EDGES, list_stems, normalise, squeeze, straighten, strip_article, strip_signs
from agents.reading.quantities import spell_times_like_options
from services.captioners.music.notes import parse_pitches
from services.questions import LONGER_THAN_A_LETTER, drop_own_letters, read_plain_letter
from services.types import Choice

Choices: TypeAlias = tuple[Choice, ...]

MAX_PROSE_WORDS = 60  # a longer text without a mark is reasoning: what it mentions is not what it answers
MAX_PROSE_CHARS = 1_000  # the same for words without spaces between them
LONGEST_REPLY = 20_000
"""Characters, without thoughts; of a longer reply only what its end marks or concludes as the answer is read."""
NUM_AROUND = 40  # characters that may stand around and between two options: letters, marks, "or"


TITLED = re.compile(r"(?:option|choice|letter|answer)\W{1,3}([A-Za-z])", re.I)
CONCLUSION = re.compile(r"\b(?:therefore|thus|hence|in conclusion|in summary|so),?\s", re.I)
LABEL = re.compile(
    r"""[(\["'*]*([A-Za-z])(?:[)\]"'*]+[.:,;]?|[.:,;])(?=\s)"""
    r"|\(?([A-Z])\)?(?=\s+(?:(?:because|since|[-–—])\s"
    r"|is (?:the |definitely |clearly |most |my )*(?:correct|right|best|answer|choice|option|likely|true)\b))"
)
LETTER = re.compile(
    r"\(([A-Z])\)"
    r"|\b(?i:option|choice|answer|letter|choose|chose|pick|select|go with|going with)[:\s]\s*[\"'*(]*"
    r"([A-Z])\b(?!['#&/]|-\w)"
)
HEDGE = (
    r"(?:it|this|that)(?: is|'s)|(?:i(?:'d| would) say|(?:and )?then|followed by|most likely|likely|probably|definitely"
    r"|certainly|clearly|maybe|perhaps),?"
)
HEDGED = re.compile(rf"\A(?:(?:{HEDGE})\s+)+", re.I)
LEAD_IN = re.compile(rf"\A(?:(?:{HEDGE}|an?|the)\s+)+", re.I)
MARKED = r"[\"'*_`(\[]*([A-Z])[\"'*_`)\].]*"
JOINED_LETTERS = re.compile(
    rf"(?<![\w\"'*_`(\[]){MARKED}\s*(?:,|/|&|(?i:\bor\b|\band\b|, maybe\b))\s*{MARKED}(?![\w#'])"
)
DECORATED = re.compile(
    r"(?<![\w\\])(?:\*{1,3}|_{1,2}|[\"'`]{1,3}|[\[(]{1,2})([A-Z])[.)]?(?:\*{1,3}|_{1,2}|[\"'`]{1,3}|[\])]{1,2})(?![\w#'])"
)
BEFORE_CHOICE = re.compile(r"\b(?:between|from|of|considered|considering)\s+(?:options? )?\Z", re.I)
REFUSAL = re.compile(
    r"\b(?:(?:can ?not|can't)"
    r"(?!\s+(?:possibly\s+)?be\s+(?:(?:an?|the)\s+)?(?:…|(?:option |choice |letter )?\(?[a-z]\b))"  # "can't be B"
    r"|unable|not sure|unsure|uncertain|do(?: not|n't) know"
    r"|impossible|insufficient|unclear|whether)\b",
    re.I,
)
GOES_ON = r"[\"'*)]*(?:[,.;:!\n(](?!\d)|\s+(?:because|since|[-–—])\s)"
JOINED_NUMBERS = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)(?:\s+[^\W\d]+)?\s*(?:,|/|\bor\b|\band\b)\s*(\d+(?:\.\d+)?)(?![\w.]\d)"
)
WHY = re.compile(r"\b(?:because|since|given that)\b[^.;\n]*", re.I)
SEGMENT = re.compile(r"[,;\n]|[/.](?!\d)|(?<!\d)[/.]|\b(?:or|and)\b")
BARE_LETTER = re.compile(r"(?<![\w'#.&/-])\(?([A-Z])\)?(?![\w'#&/]|-\w)")
IS_RIGHT = re.compile(
    r"\)?\s+(?:is|seems?|looks?|sounds?|must be|has to be) (?:to be )?(?:the )?(?:correct|right|best|answer)\b", re.I
)
ASSERTS = re.compile(
    r"(?:\b(?:is|was|(?:must|should|would|will|has to|have to|got to) be|but|but rather|rather|it's|that's)\s+)"
    r"""(?:(?:the )?(?:option|choice|letter|answer) )?["'*(]*\Z""",
    re.I,
)
NOT_ONLY = re.compile(r"\bnot (?:only|just|merely)\b", re.I)


def read_choice(reply: str, choices: Choices) -> Choice | None:
    """Return the one choice that a reply names, or None where that is not certain.

    Of options that share their text the first is returned, unless the reply names a letter. Options that carry their
    letter, as in "(B) A cat", are read with and without it.
    """
    if plain := read_plain_letter(reply, choices):
        return plain
    shown = drop_own_letters(choices)
    text = read_final_text(straighten(reply), [choice.text for choice in choices])
    text = text if text is None or len(text) <= LONGEST_REPLY else _find_last_answer(text[-LONGEST_REPLY:])
    if text is not None:
        text = spell_ranges_like_options(letter_ranks(text), [choice.text for choice in shown])
        text = spell_times_like_options(text, shown)
    if text is None:
        return None
    named = _find_named(text, shown) or _find_named(spell_pitches_like_options(text, shown), shown)
    if named := named + _find_by_number(text, shown, is_named=bool(named)):
        return _pick_first(named, choices)
    return None


def _find_last_answer(end: str) -> str | None:
    """Return what whole lines at the end of a long reply mark as the answer or conclude; None where they do neither."""
    _, _, lines = end.partition("\n")
    if (marked := next(find_marked_answers(lines), None)) is not None:
        return marked
    ends = find_conclusions(lines)
    return lines[max(ends) :] if ends else None


def _pick_first(named: Choices, choices: Choices) -> Choice | None:
    """Return the first option that is named, as it was given, if no other text is named."""
    letters = {choice.letter for choice in named}
    found = [choice for choice in choices if choice.letter in letters]
    if len({choice.text for choice in found}) != 1:
        return None
    return next(choice for choice in choices if choice.letter == named[0].letter)


def _find_named(text: str, choices: Choices) -> Choices:
    marked = next(find_marked_answers(text), None)
    return _read_unmarked(text if marked is None else marked, choices)


def _find_by_number(text: str, choices: Choices, *, is_named: bool) -> Choices:
    """Read a reply that writes the number of an option in another way, as in `three` for 3 or `3` for "Three beats"."""
    spelled = tuple(choice.model_copy(update={"text": spell_shortly(choice.text)}) for choice in choices)
    numbers = [find_numbers(choice.text) for choice in spelled]
    if not all(len(found) == 1 for found in numbers):
        return ()
    said = spell_shortly(text)
    concluded = said[max(find_conclusions(said), default=0) :]
    offered = frozenset[str]().union(*numbers)
    for place in find_places(said):  # "option 3" of 2, 3, 4 may be the third, or the 3
        if str(place) in offered and not (place <= len(numbers) and str(place) in numbers[place - 1]):
            return choices
    if any(pair[1] != pair[2] and {pair[1], pair[2]} <= offered for pair in JOINED_NUMBERS.finditer(said)):
        return choices  # "three or 4 beats": it names several
    if not is_named and len((find_numbers(concluded) or find_numbers(said)) & offered) > 1:
        return ()
    if (named := _find_named(said, spelled)) or is_named:
        return named
    around = {re.sub(r"\d+(?:\.\d+)?", "#", normalise(choice.text)).rstrip("s") for choice in spelled}
    alone = tuple(
        choice.model_copy(update={"text": min(found)}) for choice, found in zip(spelled, numbers, strict=True)
    )
    return _read_exact(concluded, alone) if len(around) == 1 else ()


def _read_unmarked(text: str, choices: Choices) -> Choices:
    """Read what follows the last "answer:", in any language, else the whole."""
    if all(len(choice.text) >= LONGER_THAN_A_LETTER for choice in choices):
        text = DECORATED.sub(r"(\1)", text)
    ends = find_conclusions(text) or find_headings(text)
    if ends and (named := _read(drop_tail(text[max(ends) :]), choices)):
        return named
    return _read(text, choices)


def _read(text: str, choices: Choices) -> Choices:
    for step in (_read_exact, _read_either, _read_verdicts, _read_corrected, _read_whole_lines, _read_leading):
        if named := step(text, choices):
            return named
    return _read_mentioned(text, choices)


def _read_exact(text: str, choices: Choices) -> Choices:
    """The text is a letter, an option, or a letter with an option and nothing else; both where they disagree."""
    bare = strip_signs(HEDGED.sub("", strip_signs(text), count=1))
    if titled := TITLED.fullmatch(bare):
        bare = titled[1].upper()
    bare = bare if len(bare) == len(strip_signs(text)) or bare.isupper() else ""  # "it is a" was cut off
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


def _read_verdicts(text: str, choices: Choices) -> Choices:
    """The text goes through the options, and says of each whether it is right: the one that is, or all of them."""
    verdicts = find_verdicts(text, [(choice.letter, choice.text) for choice in choices])
    if len(verdicts) < 2:
        return ()
    right = tuple(choice for choice in choices if verdicts.get(choice.letter))
    return right if len(right) == 1 else choices


def _read_corrected(text: str, choices: Choices) -> Choices:
    """The text takes back what it said: what comes after counts, and nothing does where that names no option."""
    own = " ".join(choice.text for choice in choices).casefold()
    taken = [match for match in CORRECTION.finditer(text) if match[0].casefold().strip(" ,") not in own]
    return (_read(text[taken[-1].end() :], choices) or choices) if taken else ()


def _read_whole_lines(text: str, choices: Choices) -> Choices:
    """Some lines are nothing but an option; the rest explains."""
    return tuple(choice for line in text.splitlines() for choice in _read_exact(line, choices))


def _read_leading(text: str, choices: Choices) -> Choices:
    """The text opens with a letter or an option, and goes on."""
    text = text.strip()
    label = LABEL.match(text)
    letter = (label[1] or label[2]).upper() if label else ""
    if label and is_denied_behind(text, label.end()):
        return ()
    by_letter = tuple(choice for choice in choices if choice.letter == letter)
    opening = by_letter + _match_opening(text, choices)
    if not opening:
        return ()
    rest = WHY.sub("…", text[label.end() :] if label and by_letter else text)
    sentences = re.split(r"[.;\n]", rest)
    for choice in opening:
        rest = re.sub(rf"(?<!\w){re.escape(normalise(choice.text))}(?!\w)", "…", rest, count=1, flags=re.I)
    parts = [*SEGMENT.split(rest), *re.split(r"[,;\n]", rest), *sentences]
    others = [choice for part in parts for form in _list_forms(part.strip()) for choice in _read_exact(form, choices)]
    return (*opening, *others, *_find_letters(rest, choices), *_find_asserted_letters(rest, choices))


def _match_opening(text: str, choices: Choices) -> Choices:
    whole = text.lstrip(EDGES).casefold()
    found = [
        choice
        for choice in choices
        for form in _list_forms(whole)
        if (option := normalise(choice.text)) and re.match(re.escape(option) + GOES_ON, form)
        if not is_denied_behind(form, len(option))
    ]
    longest = max((len(choice.text) for choice in found), default=0)
    return tuple(choice for choice in found if len(choice.text) == longest)


def _list_forms(text: str) -> set[str]:
    """Return a text with and without words such as "it is a" before what it names."""
    return {text, LEAD_IN.sub("", text, count=1)}


def _read_mentioned(text: str, choices: Choices) -> Choices:
    """Prose that mentions an option without refusing or denying it."""
    if len(text.split()) > MAX_PROSE_WORDS:
        text = text[max((match.end() for match in CONCLUSION.finditer(text)), default=len(text)) :]
    if len(text.split()) > MAX_PROSE_WORDS or len(text) > MAX_PROSE_CHARS:
        return ()
    text = "".join(map(drop_superseded, re.split(r"(?<=[.;!?\n])", text)))
    by_text, remainder = _find_texts(" ".join(text.casefold().split()), choices)
    if REFUSAL.search(remainder) or NOT_ONLY.search(remainder) or is_denied_somewhere(remainder):
        return ()
    if by_text and all(choice.text.replace(".", "").isdigit() for choice in choices):
        options = {normalise(choice.text) for choice in choices}
        if find_numbers(text) - options:  # what is counted may be another number than what is asked for
            return ()
    if by_text:  # a letter that stands alone may contradict it
        return by_text + _find_bare_letters(_mask_options(text, choices), choices)
    named = _find_letters(text, choices) or _find_asserted_letters(text, choices)
    return named + _find_joined_letters(text, choices) if named else ()


def _find_letters(text: str, choices: Choices) -> Choices:
    """Letters with "option" or "answer" before them; those in a reason count only where there is no other."""
    mentions = [match for match in LETTER.finditer(text) if not (is_denied(text, match) or is_word(text, match, 2))]
    stated = [match for match in mentions if not is_reason(text, match)]
    stated = stated or ([] if _find_bare_mentions(text) else mentions)
    letters = {match[1] or match[2] for match in stated}
    return tuple(choice for choice in choices if choice.letter in letters)


def _find_joined_letters(text: str, choices: Choices) -> Choices:
    """Letters that a text joins, as in "either B or (C)"."""
    pairs = [pair for pair in JOINED_LETTERS.finditer(text) if not is_denied(text, pair) and not is_reason(text, pair)]
    joined = {
        letter
        for pair in pairs
        if not BEFORE_CHOICE.search(text, max(0, pair.start() - NUM_AROUND), pair.start())
        for letter in pair.groups()
    }
    return tuple(choice for choice in choices if choice.letter in joined)


def _find_asserted_letters(text: str, choices: Choices) -> Choices:
    """Letters that a sentence says it is, as in "not B but C"; all that are left undenied where it says so of any."""
    words = {word for choice in choices for word in strip_article(choice.text).split()}
    if all(len(parse_pitches(choice.text)) == 1 for choice in choices):  # "A" may be the note
        return ()
    mentions = _find_bare_mentions(text)
    is_said = any(
        ASSERTS.search(text[max(0, match.start() - NUM_AROUND) : match.start()]) or IS_RIGHT.match(text, match.end())
        for match in mentions
    )
    if not is_said or any(match[1].casefold() in words for match in mentions):
        return ()
    return _find_bare_letters(text, choices)


def _find_bare_letters(text: str, choices: Choices) -> Choices:
    letters = {match[1] for match in _find_bare_mentions(text)}
    return tuple(choice for choice in choices if choice.letter in letters)


def _find_bare_mentions(text: str) -> list[re.Match[str]]:
    """Return the capital letters that stand alone, without those that are denied or belong to a reason."""
    return [
        match
        for match in BARE_LETTER.finditer(text)
        if not is_word(text, match, 1) and not is_denied(text, match) and not is_reason(text, match)
    ]


def _mask_options(text: str, choices: Choices) -> str:
    """Return the text without the options that it mentions."""
    for choice in sorted(choices, key=lambda choice: -len(choice.text)):
        if option := normalise(choice.text):
            text = re.sub(rf"(?<!\w){re.escape(option)}(?!\w)", "…", text, flags=re.I)
    return text


class _Mentions(NamedTuple):
    named: Choices
    remainder: str
    """The text without the options that it mentions."""


def _find_texts(text: str, choices: Choices) -> _Mentions:
    named: Choices = ()
    reasons: Choices = ()
    whole = text
    crossing = find_crossing(text, [normalise(choice.text) for choice in choices])
    # Longest first and then masked, so that "car" is not found again within "car horn".
    for choice in sorted(choices, key=lambda choice: -len(choice.text)):
        option = normalise(choice.text).removeprefix("the ")
        if len(option) < 2 and not option.isdigit():
            continue
        phrase = re.compile(rf"(?<![\w#.-]){re.escape(option)}(?![\w#]|[.,:'-]\w)")
        if option in FUNCTION_WORDS:  # "It is no." but not "There is no sound"
            options = [normalise(other.text) for other in choices]
            phrase = compile_particle(option, options)
            joined = find_joined(whole, option, options)
            named += (choice,) if joined and not is_denied(whole, joined) else ()
        mentions = [match for match in phrase.finditer(text) if not is_denied(text, match)]
        same = tuple(same for same in choices if same.text == choice.text)
        if any(not is_reason(text, match) for match in mentions):
            named += same
        elif mentions:
            reasons += same
        text = phrase.sub(" … ", text)
    if named:
        named += tuple(choice for choice in choices if normalise(choice.text) in crossing)
    return _Mentions(named or reasons, text)


def _match_text(text: str, choices: Choices) -> Choices:
    forms = {normalise(text), strip_article(text)} - {""}
    same = tuple(choice for choice in choices if normalise(choice.text) in forms or strip_article(choice.text) in forms)
    literal = tuple(choice for choice in same if straighten(choice.text).strip() == text.strip())
    squeezed, words = squeeze(text), list_stems(text)
    return (
        literal
        or same
        or tuple(choice for choice in choices if squeezed and squeeze(choice.text) == squeezed)
        or tuple(choice for choice in choices if words and list_stems(choice.text) == words)
    )
