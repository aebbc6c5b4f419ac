"""Parser of replies: free text to a choice.

A reply is parsed in steps, from the most to the least explicit. The first step that finds any option decides; where it
finds two different ones, no choice can be read. It is never a guess.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from agents.reading.conclusions import drop_tail, find_conclusions, is_denied_somewhere
from agents.reading.marks import find_marked_answers, read_final_text
from agents.reading.numbers import find_numbers, spell_in_digits
from agents.reading.particles import FUNCTION_WORDS, compile_particle, find_joined
from agents.reading.pitches import spell_pitches_like_options
from agents.reading.plain_text import EDGES, list_stems, normalise, squeeze, straighten, strip_article
from agents.reading.quantities import spell_times_like_options
from services.questions import drop_own_letters, read_plain_letter
from services.types import Choice

Choices: TypeAlias = tuple[Choice, ...]

MAX_PROSE_WORDS = 60  # a longer text without a mark is reasoning: what it mentions is not what it answers
MAX_PROSE_CHARS = 1_000  # the same for words without spaces between them
LONGEST_REPLY = 20_000
"""Characters, without thoughts; of a longer reply only what its end marks or concludes as the answer is read."""
MAX_OBJECTS = 32  # opening braces that are tried as JSON
NUM_AROUND = 40  # characters that may stand around and between two options: letters, marks, "or"
NEGATION_REACH = 80  # characters before a mention in which a "not" may stand
ANSWER_KEYS = (
    *("answer", "final_answer", "correct_answer", "prediction", "choice", "option"),
    *("answer_letter", "selected_option", "selected_choice", "letter"),
)

BOX = re.compile(r"\\boxed\{(?:\\text\{)?([^{}]*)\}")
CONCLUSION = re.compile(r"\b(?:therefore|thus|hence|in conclusion|in summary|so),?\s", re.I)
LABEL = re.compile(
    r"""[(\["'*]*([A-Za-z])(?:[)\]"'*]+[.:]?|[.:,;])(?=\s)"""
    r"|\(?([A-Z])\)?(?=\s+(?:(?:because|since|[-–—])\s"
    r"|is (?:the |definitely |clearly |most |my )*(?:correct|right|best|answer|choice|option|likely|true)\b))"
)
LETTER = re.compile(
    r"\(([A-Z])\)"
    r"|\b(?i:option|choice|answer|letter|choose|chose|pick|select|go with)[:\s]\s*[\"'*(]*([A-Z])\b(?!['#])"
)
LEAD_IN = re.compile(r"\A(?:(?:(?:it|this|that)(?: is|'s)|most likely|likely|probably|an?|the)\s+)+", re.I)
REFUSAL = re.compile(
    r"\b(?:(?:can ?not|can't)"
    r"(?!\s+(?:possibly\s+)?be\s+(?:(?:an?|the)\s+)?(?:…|(?:option |choice |letter )?\(?[a-z]\b))"  # "can't be B"
    r"|unable|not sure|unsure|uncertain|do(?: not|n't) know"
    r"|impossible|insufficient|unclear|whether)\b",
    re.I,
)
NEGATED = re.compile(
    r"(?:\b(?:not|never|no(?!\s+(?:or|and)\b)|cannot|without|neither|nor|wrong|incorrect|except|rather than|instead of"
    r"|rul(?:e|ed|ing) out)|n't)"
    r"(?:\s+(?!(?:but|it)\b)(?:\w+|…)){0,6}[^\w.,;!?\n]*\Z"
    r"|(?:\bnot|n't)\s+(?:think|believe|suppose|say|call|hear)\b(?:(?!\bbut\b)[^.,;!?\n])*\Z",
    re.I,
)
DENIED = re.compile(
    r"\W*\b(?:is|are|was|were|does|can|could|sounds?|seems?)(?:n't|\s+(?:not|wrong|incorrect|false|unlikely|impossible"
    r"|implausible|inconsistent|irrelevant|unrelated|excluded|ruled out|out|too|less|never|no))\b",
    re.I,
)
GOES_ON = r"[\"'*)]*(?:[,.;:!\n(](?!\d)|\s+(?:because|since|[-–—])\s)"
JOINED_NUMBERS = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)(?:\s+[^\W\d]+)?\s*(?:,|/|\bor\b|\band\b)\s*(\d+(?:\.\d+)?)(?![\w.]\d)"
)
SEGMENT = re.compile(r"[,;/\n.]|\b(?:or|and)\b")
BARE_LETTER = re.compile(r"(?<![\w'#.&/-])\(?([A-Z])\)?(?![\w'#&/]|-\w)")
IS_RIGHT = re.compile(r"\)?\s+(?:is|must be|has to be) (?:the )?(?:correct|right|best|answer)\b", re.I)
ARTICLE_OR_PRONOUN = re.compile(  # after "A" or "I"
    r"\s+(?!(?:but|because|since|and|or|not|rather|instead|is|was|must|has)\b)[a-z]"
)
ASSERTS = re.compile(
    r"(?:\b(?:is|was|(?:must|should|would|will|has to|have to|got to) be|but|but rather|rather|it's|that's)\s+)"
    r"""(?:(?:the )?(?:option|choice|letter|answer) )?["'*(]*\Z""",
    re.I,
)
REASON = re.compile(r"\b(?:because|since|given that|as(?=\s+(?:(?:the )?(?:option|choice) )?\(?[A-Z]\b))\s", re.I)
SUPERSEDED = (  # these words in this order within a sentence
    re.compile(r"\b(?:first|initially|originally)\b", re.I),
    re.compile(r"\b(?:thought|believed|assumed|guessed|suspected|considered)\b", re.I),
    re.compile(r"\b(?=but|however)", re.I),
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
    text = None if text is None else spell_times_like_options(text, shown)
    if text is None:
        return None
    named = _find_named(text, shown) or _find_named(spell_pitches_like_options(text, shown), shown)
    if named := named + _find_by_number(text, shown, is_named=bool(named)):
        return _pick_first(named, choices)
    return None


def _find_last_answer(end: str) -> str | None:
    """Return what whole lines at the end of a long reply mark as the answer or conclude; None where they do neither."""
    _, _, lines = end.partition("\n")
    if (marked := next(_find_marked(lines), None)) is not None:
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
    marked = next(_find_marked(text), None)
    return _read_unmarked(text if marked is None else marked, choices)


def _find_by_number(text: str, choices: Choices, *, is_named: bool) -> Choices:
    """Read a reply that writes the number of an option in another way, as in `three` for 3 or `3` for "Three beats"."""
    spelled = tuple(choice.model_copy(update={"text": spell_in_digits(choice.text)}) for choice in choices)
    numbers = [find_numbers(choice.text) for choice in spelled]
    if not all(len(found) == 1 for found in numbers):
        return ()
    said = spell_in_digits(text)
    concluded = said[max(find_conclusions(said), default=0) :]
    offered = frozenset[str]().union(*numbers)
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


def _find_marked(text: str) -> Iterator[str]:
    """Yield what a tag, JSON or a box marks as the answer: the last one of each kind."""
    yield from find_marked_answers(text)
    yield from list(_find_json_answers(text))[-1:]
    yield from BOX.findall(text)[-1:]


def _find_json_answers(text: str) -> Iterator[str]:
    for brace in list(re.finditer(r"\{", text))[-MAX_OBJECTS:]:
        try:
            fields, _ = json.JSONDecoder().raw_decode(text, brace.start())
        except (ValueError, RecursionError):  # no JSON; a number of thousands of digits; nested without end
            continue
        values = {key.lower().replace(" ", "_"): value for key, value in fields.items()}
        yield from (str(values[key]) for key in ANSWER_KEYS if isinstance(values.get(key), str | int))


def _read_unmarked(text: str, choices: Choices) -> Choices:
    """Read what follows the last "answer:", in any language, else the whole."""
    ends = find_conclusions(text)
    if ends and (named := _read(drop_tail(text[max(ends) :]), choices)):
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
    sentences = re.split(r"[.;\n]", rest)
    for choice in opening:
        rest = re.sub(rf"(?<!\w){re.escape(normalise(choice.text))}(?!\w)", "…", rest, flags=re.I)
    parts = [*SEGMENT.split(rest), *sentences]
    others = [choice for part in parts for form in _list_forms(part.strip()) for choice in _read_exact(form, choices)]
    return (*opening, *others, *_find_letters(rest, choices), *_find_asserted_letters(rest, choices))


def _match_opening(text: str, choices: Choices) -> Choices:
    whole = text.lstrip(EDGES).casefold()
    found = [
        choice
        for choice in choices
        for form in _list_forms(whole)
        if (option := normalise(choice.text)) and re.match(re.escape(option) + GOES_ON, form)
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
    text = "".join(map(_drop_superseded, re.split(r"(?<=[.;!?\n])", text)))
    by_text, remainder = _find_texts(" ".join(text.casefold().split()), choices)
    if REFUSAL.search(remainder) or NOT_ONLY.search(remainder) or is_denied_somewhere(remainder):
        return ()
    if by_text and all(choice.text.replace(".", "").isdigit() for choice in choices):
        options = {normalise(choice.text) for choice in choices}
        if find_numbers(text) - options:  # what is counted may be another number than what is asked for
            return ()
    if by_text:  # a letter that stands alone may contradict it
        return by_text + _find_bare_letters(_mask_options(text, choices), choices)
    return _find_letters(text, choices) or _find_asserted_letters(text, choices)


def _drop_superseded(sentence: str) -> str:
    """Return a sentence without what was thought at first: "first I thought of a dog, but it is a cat"."""
    places: list[int] = []
    for words in SUPERSEDED:
        found = words.search(sentence, places[-1] if places else 0)
        if found is None:
            return sentence
        places.append(found.start())
    return sentence[: places[0]] + sentence[places[-1] :]


def _find_letters(text: str, choices: Choices) -> Choices:
    """Letters with "option" or "answer" before them; those in a reason count only where there is no other."""
    mentions = [match for match in LETTER.finditer(text) if not _is_denied(text, match)]
    stated = [match for match in mentions if not _is_reason(text, match)] or mentions
    letters = {match[1] or match[2] for match in stated}
    return tuple(choice for choice in choices if choice.letter in letters)


def _find_asserted_letters(text: str, choices: Choices) -> Choices:
    """Letters that a sentence says it is, as in "not B but C"; all that are left undenied where it says so of any."""
    words = {word for choice in choices for word in strip_article(choice.text).split()}
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
        if not (match[1] in "AI" and ARTICLE_OR_PRONOUN.match(text, match.end()))
        and not _is_denied(text, match)
        and not _is_reason(text, match)
    ]


def _mask_options(text: str, choices: Choices) -> str:
    """Return the text without the options that it mentions."""
    for choice in sorted(choices, key=lambda choice: -len(choice.text)):
        if option := normalise(choice.text):
            text = re.sub(rf"(?<!\w){re.escape(option)}(?!\w)", "…", text, flags=re.I)
    return text


def _is_reason(text: str, mention: re.Match[str]) -> bool:
    """Tell whether a mention stands in a clause that says why."""
    before = text[max(0, mention.start() - NEGATION_REACH) : mention.start()]
    clause = re.split(r"[.!?\n;]", before)[-1]
    return any(re.search(r"\w", clause[: why.start()]) for why in REASON.finditer(clause))


def _is_denied(text: str, mention: re.Match[str]) -> bool:
    before = text[max(0, mention.start() - NEGATION_REACH) : mention.start()]
    return bool(NEGATED.search(before) or DENIED.match(text, mention.end()))


class _Mentions(NamedTuple):
    named: Choices
    remainder: str
    """The text without the options that it mentions."""


def _find_texts(text: str, choices: Choices) -> _Mentions:
    named: Choices = ()
    reasons: Choices = ()
    whole = text
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
            named += (choice,) if joined and not _is_denied(whole, joined) else ()
        mentions = [match for match in phrase.finditer(text) if not _is_denied(text, match)]
        same = tuple(same for same in choices if same.text == choice.text)
        if any(not _is_reason(text, match) for match in mentions):
            named += same
        elif mentions:
            reasons += same
        text = phrase.sub(" … ", text)
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
