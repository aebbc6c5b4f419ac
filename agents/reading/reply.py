"""Parser of replies: free text to a choice.

A reply is parsed in steps, from the most to the least explicit. The first step that finds any option decides; where it
finds two different ones, no choice can be read. It is never a guess.
"""

import re
from typing import NamedTuple, TypeAlias

from agents.reading.conclusions import (
    CORRECTION,
    drop_certainty,
    drop_superseded,
    drop_tail,
    find_conclusions,
    find_headings,
    find_verdicts,
    is_denied_next,
    is_denied_somewhere,
    match_joints,
    match_rivals,
)
from agents.reading.marks import find_marked_answers, read_final_text
from agents.reading.mentions import (
    FUNCTION_WORDS,
    NUM_AROUND,
    compile_particle,
    find_asserted_letters,
    find_bare_letters,
    find_crossing,
    find_joined,
    find_letters,
    fold_labels,
    is_denied,
    is_denied_behind,
    is_reason,
    mask_negatives,
)
from agents.reading.numbers import find_numbers, find_places, letter_ranks, spell_ranges_like_options, spell_shortly
from agents.reading.pitches import spell_pitches_like_options
from agents.reading.plain_text import (
    DENYING,
    EDGES,
    drop_emoji,
    list_stems,
    normalise,
    part_scripts,
    squeeze,
    straighten,
    strip_article,
    strip_signs,
)
from agents.reading.quantities import spell_times_like_options
from services.questions import LONGER_THAN_A_LETTER, drop_own_letters, read_plain_letter
from services.types import Choice

Choices: TypeAlias = tuple[Choice, ...]

MAX_PROSE_WORDS = 60  # a longer text without a mark is reasoning: what it mentions is not what it answers
MAX_PROSE_CHARS = 1_000  # the same for words without spaces between them
LONGEST_REPLY = 20_000
"""Characters, without thoughts; of a longer reply only what its end marks or concludes as the answer is read."""

TITLED = re.compile(r"(?:option|choice|letter|answer)[\W_]{1,3}([A-Za-z])", re.I)
CONCLUSION = re.compile(r"\b(?:therefore|thus|hence|in conclusion|in summary|so),?\s", re.I)
LABEL = re.compile(
    r"""[(\["'*]*([A-Za-z])(?:[)\]"'*]+[.:,;]?|[.:,;])(?=\s)"""
    r"|\(?([A-Z])\)?(?=\s+(?:(?:because|since|[-–—])\s"
    r"|is (?:the |definitely |clearly |most |my )*(?:correct|right|best|answer|choice|option|likely|true)\b))"
)
HEDGE = (
    r"(?:it|this|that)(?: is|'s)|(?:i(?:'d| would) say|(?:and )?then|followed by|most likely|likely|probably|definitely"
    r"|certainly|clearly|maybe|perhaps),?"
)
HEDGED = re.compile(rf"\A(?:(?:{HEDGE})\s+)+", re.I)
LEAD_IN = re.compile(rf"\A(?:(?:{HEDGE}|an?|the)\s+)+", re.I)
DECORATED = re.compile(
    r"(?<![\w\\])(?:\*{1,3}|_{1,2}|[\"'`]{1,3}|[\[(]{1,2})([A-Z])[.)]?(?:\*{1,3}|_{1,2}|[\"'`]{1,3}|[\])]{1,2})(?![\w#'])"
)
REFUSAL = re.compile(
    r"\b(?:could be any\w*|if\b[^.;!?\n]*\b(?:otherwise|else)|(?:can ?not|can't)"
    r"(?!\s+(?:possibly\s+)?be\s+(?:(?:an?|the)\s+)?(?:…|(?:option |choice |letter )?\(?[a-z]\b))"  # "can't be B"
    r"|unable|not sure|unsure|uncertain|do(?: not|n't) know"
    r"|impossible|insufficient|unclear|whether)\b",
    re.I,
)
GOES_ON = r"[\"'*)]*(?:[,.;:!?\n(](?!\d)|\s+(?:because|since|[-–—])\s)"
JOINED_NUMBERS = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)(?:\s+[^\W\d]+)?\s*(?:,|/|\bor\b|\band\b)\s*(\d+(?:\.\d+)?)(?![\w.]\d)"
)
WHY = re.compile(r"\b(?:because|since|given that)\b[^.;\n]*", re.I)
SEGMENT = re.compile(rf"[,;|&\n]|<?(?:--?|==?)>|[/.](?!\d)|(?<!\d)[/.]|\bvs\b|{match_joints(shortest=2)}")
SHARE = r"[\W_]{0,4}(?:\d+(?:\.\d+)?\s?%|(?:0?\.\d+|1\.0+)(?![\w.]))"  # of certainty, behind an option
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
    text = drop_certainty(fold_labels(part_scripts(text, [choice.text for choice in shown]), shown))
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
    for step in STEPS:
        if named := step(text, choices):
            return named
    return ()


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
    if not label or not DENYING.isdisjoint(label[0]):
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
    if whole := _read_any_form(text, choices):
        return whole
    text = re.sub(r"\A\W*(?:either|entweder|soit)\s", "", text, flags=re.I)
    for joint in re.finditer(rf"[\s,]*{match_rivals()}[\s,]*", text, re.I):
        parts = [_read_any_form(part, choices) for part in (text[: joint.start()], text[joint.end() :])]
        if all(parts):
            return parts[0] + parts[1]
    return ()


def _read_any_form(text: str, choices: Choices) -> Choices:
    """Read a text that is an option with or without words such as "it is" before it."""
    bare = HEDGED.sub("", text.strip(), count=1)
    return _read_exact(text, choices) or (_read_exact(bare, choices) if len(bare) > 1 or bare.isupper() else ())


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


def _read_shares(text: str, choices: Choices) -> Choices:
    """The text says of several options how likely they are: it names them all."""
    named = tuple(
        choice
        for choice in choices
        for option in [re.escape(normalise(choice.text))]
        for name in [rf"(?:\(?{choice.letter}[).:]*(?:\s*(?i:{option}))?|(?i:{option}))(?![\w#])"]
        if re.search(rf"(?<![\w.#-]){name}{SHARE}", text)
    )
    return named if len({choice.letter for choice in named}) > 1 else ()


def _read_whole_lines(text: str, choices: Choices) -> Choices:
    """Some lines are nothing but an option; the rest explains."""
    lines = ((line, line.strip().removeprefix("- ").removeprefix("• ")) for line in text.splitlines())
    return tuple(choice for line, item in lines for choice in _read_exact(line, choices) or _read_exact(item, choices))


def _read_leading(text: str, choices: Choices) -> Choices:
    """The text opens with a letter or an option, and goes on."""
    text = text.strip()
    label = LABEL.match(text)
    letter = (label[1] or label[2]).upper() if label else ""
    by_letter = tuple(choice for choice in choices if choice.letter == letter)
    behind = [text[label.end() :].strip()] if label else []
    behind += [after.removeprefix(choice.text) for choice in by_letter for after in behind if choice.text]
    if any(is_denied_behind(after, 0) or is_denied_next(after) for after in behind):
        return ()
    opening = by_letter + _match_opening(text, choices)
    if not opening:
        return ()
    rest = WHY.sub("…", text[label.end() :] if label and by_letter else text)
    sentences = re.split(r"[.;\n]", rest)
    for choice in opening:
        rest = re.sub(rf"(?<!\w){re.escape(normalise(choice.text))}(?!\w)", "…", rest, count=1, flags=re.I)
    parts = [*SEGMENT.split(rest), *re.split(r"[,;\n]", rest), *re.split(r"\s[/|]\s", rest), *sentences]
    others = [choice for part in parts for form in _list_forms(part.strip()) for choice in _read_exact(form, choices)]
    others += [choice for choice in choices if _holds_parted(rest, choice.text)]
    return (*opening, *others, *find_letters(rest, choices), *find_asserted_letters(rest, choices))


def _holds_parted(text: str, option: str) -> bool:
    """Whether a text holds an option that has marks between its parts, such as "a bell, then a knock", undenied."""
    if not SEGMENT.search(option):
        return False
    found = re.finditer(rf"(?<!\w){re.escape(normalise(option))}(?!\w)", text, re.I)
    return any(not is_denied(text, one) for one in found)


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
    longer = [normalise(choice.text) for choice in choices if len(choice.text) > longest]
    if any(option and form.startswith(option) for option in longer for form in _list_forms(whole)):
        return ()  # it goes on as a longer option does: "a bell, then a knock"
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
    sentences = re.split(r"(?<=[.;!?\n])", text)
    text = "".join(drop_superseded(sentence) for sentence in sentences if not sentence.endswith("?"))  # which asks
    by_text, remainder = _find_texts(" ".join(text.casefold().split()), choices)
    if REFUSAL.search(remainder) or NOT_ONLY.search(remainder) or is_denied_somewhere(remainder):
        return ()
    if by_text and all(choice.text.replace(".", "").isdigit() for choice in choices):
        options = {normalise(choice.text) for choice in choices}
        if find_numbers(text) - options:  # what is counted may be another number than what is asked for
            return ()
    if by_text:  # a letter that stands alone may contradict it
        return by_text + find_bare_letters(_mask_options(text, choices), choices)
    return find_letters(text, choices) or find_asserted_letters(text, choices)


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
    options = [normalise(choice.text) for choice in choices]
    crossing = find_crossing(text, options)
    # Longest first and then masked, so that "car" is not found again within "car horn".
    for choice in sorted(choices, key=lambda choice: -len(choice.text)):
        option = normalise(choice.text).removeprefix("the ")
        if len(option) < 2 and not option.isdigit():
            continue
        phrase = re.compile(rf"(?<![\w#.-]){re.escape(option)}(?![\w#]|[.,:'-]\w)")
        if option in FUNCTION_WORDS:  # "It is no." but not "There is no sound"
            phrase = compile_particle(option, options)
            joined = find_joined(whole, option, options)
            named += (choice,) if joined and not is_denied(whole, joined) else ()
        around = mask_negatives(text, option, options)
        mentions = [match for match in phrase.finditer(around) if not is_denied(around, match)]
        same = tuple(same for same in choices if same.text == choice.text)
        if any(not is_reason(around, match) for match in mentions):
            named += same
        elif mentions:
            reasons += same
        text = phrase.sub(" … ", text)
    if named:
        named += tuple(choice for choice in choices if normalise(choice.text) in crossing)
    return _Mentions(named or reasons, text)


def _match_text(text: str, choices: Choices) -> Choices:
    options = {normalise(choice.text) for choice in choices}
    if "\n" in text.strip() and not options.isdisjoint(normalise(drop_emoji(line)) for line in text.splitlines()):
        return ()  # lines of their own, such as "Car" and "Horn", are not the option "Car horn"
    forms = {normalise(text), strip_article(text)} - {""}
    same = tuple(choice for choice in choices if normalise(choice.text) in forms or strip_article(choice.text) in forms)
    literal = tuple(choice for choice in same if straighten(choice.text).strip() == text.strip())
    squeezed, words = squeeze(text), list_stems(text)
    shown = normalise(drop_emoji(text))
    return (
        literal
        or same
        or tuple(choice for choice in choices if shown and normalise(choice.text) == shown)
        or tuple(choice for choice in choices if squeezed and squeeze(choice.text) == squeezed)
        or tuple(choice for choice in choices if words and list_stems(choice.text) == words)
    )


STEPS = (
    *(_read_exact, _read_either, _read_verdicts, _read_corrected, _read_shares, _read_whole_lines, _read_leading),
    _read_mentioned,
)
"""How a text is read, the most explicit first."""
