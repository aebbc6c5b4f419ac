"""Official scores: the rules by which the scripts of benchmarks' authors call a prediction right, traps included.

Each is transcribed from the script that is named with its commit, and returns what that script would count. Some leave
rows out of their denominator: `is_dropped`. Our strict score stands beside every one of them.
"""

import re
from collections.abc import Iterable, Sequence
from random import Random
from string import ascii_uppercase
from typing import Literal, NamedTuple, TypeAlias

from eval.scoring.voicebench import read_voicebench

OfficialRule: TypeAlias = Literal[
    "word sets", "mmsu", "air-bench", "speechr", "muchomusic", "star-bench", "mmlu-pro", "voicebench", "audiobench"
]
READS_LETTERS = frozenset({"mmsu", "air-bench", "speechr", "muchomusic", "star-bench", "mmlu-pro", "voicebench"})
"""Rules whose prompts ask for a letter: they are given the letter that was read, "word sets" the option's text."""
LETTERS = "ABCD"  # the only ones that MMSU's, AIR-Bench's and MuChoMusic's scripts know
MUCHOMUSIC_PREFIX = "The correct answer is:"
SPEECHR_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"Answer[:：]?\s*([A-Z])\b",
        r"Final Answer[:：]?\s*([A-Z])\b",
        r"Answer\s+is\s+([A-Z])\b",
        r"The answer is\s+([A-Z])\b",
        r"Choice[:：]?\s*([A-Z])\b",
        r"Selected[:：]?\s*([A-Z])\b",
    )
)


class OfficialVerdict(NamedTuple):
    """What a script counts for one row."""

    is_right: bool
    is_dropped: bool = False
    """Whether the row is left out of the script's denominator."""


def judge_officially(rule: OfficialRule, prediction: str, options: Sequence[str], right: int) -> OfficialVerdict:
    """Return the verdict of a script on a prediction.

    Args:
        rule: Which script.
        prediction: As its file holds it: a raw reply, a letter, or an option's text.
        options: As published, with the empty ones, in the order in which they are shown.
        right: Place of the right option, from 0.
    """
    match rule:
        case "word sets":
            return OfficialVerdict(string_match(prediction, options, options[right]))
        case "audiobench":
            return OfficialVerdict(_match_audiobench(prediction, options, right))
        case "mmsu":
            return _judge_mmsu(prediction, options, right)
        case "air-bench":
            return _judge_air_bench(prediction, options, right)
        case _:
            return OfficialVerdict(_read_place(rule, prediction, options, right) == right)


def string_match(prediction: str, choices: Iterable[str], answer: str) -> bool:
    """Return the verdict of MMAU's and MMAR's official script (`string_match` in their evaluation.py).

    It compares sets of words: all of the answer's have to occur, and none that only a wrong choice has.
    """
    predicted, right = _split_words(prediction), _split_words(answer)
    wrong = set[str]().union(*map(_split_words, choices)) - right
    return bool(predicted) and right <= predicted and not predicted & wrong


def _split_words(text: str) -> set[str]:
    return set(re.findall(r"\b\w+\b", text.lower()))


def _read_place(rule: OfficialRule, prediction: str, options: Sequence[str], right: int) -> int | None:
    """Return the place that a script reads which reads one, from 0; None, or -1, for none."""
    match rule:
        case "speechr":
            return read_speechr(prediction, options, right)
        case "muchomusic":
            return _read_muchomusic(prediction, options)
        case "voicebench":
            return read_voicebench(prediction)
        case "star-bench":
            return _read_star_bench(prediction, options)
        case _:
            return _read_mmlu_pro(prediction, len(options))


def _match_audiobench(prediction: str, options: Sequence[str], right: int) -> bool:
    """Match as mmau_string_match of string_match.py (AudioLLMs/AudioBench @ e991641).

    The first four characters of each option, "(A) ", are cut off unseen: an option without them loses its beginning.
    """
    return string_match(prediction, [option[4:] for option in options], options[right][4:])


def _read_letter(reply: str) -> str | None:
    """Return the first character if it is A to D, else the last but one if that is: "The answer is A." has it there."""
    if reply[0] in LETTERS:
        return reply[0]
    return reply[-2] if len(reply) > 1 and reply[-2] in LETTERS else None


def _judge_mmsu(prediction: str, options: Sequence[str], right: int) -> OfficialVerdict:
    """Judge as mmsu_evaluation.py (dingdongwang/MMSU @ 217d1d3).

    A reply without a letter in either place leaves the denominator, an empty one does not; any option with the right
    text is right.
    """
    reply = prediction.strip().replace("\n", "")
    if not reply or reply == "None":
        return OfficialVerdict(is_right=False)
    letter = _read_letter(reply)
    if letter is None:
        return OfficialVerdict(is_right=False, is_dropped=True)
    place = LETTERS.index(letter)
    return OfficialVerdict((options[place] if place < len(options) else "") == options[right])


def _judge_air_bench(prediction: str, options: Sequence[str], right: int) -> OfficialVerdict:
    """Judge as score_foundation.py (OFA-Sys/AIR-Bench @ 9832476): what holds no letter leaves the denominator."""
    reply = prediction.strip().replace("\n", "")
    letter = _read_letter(reply) if reply and reply != "None" else None
    if letter is None:
        return OfficialVerdict(is_right=False, is_dropped=True)
    place = list(options).index(options[right])
    return OfficialVerdict(place == LETTERS.index(letter))


def read_speechr(prediction: str, options: Sequence[str], right: int) -> int | None:
    """Return the place that `strict_map` of discrete-choice_eval.py reads (Yanda95/SpeechR @ d449856).

    Its last step looks at the right answer: with the options yes and no, or true and false, a reply that holds a word
    of the right polarity counts as right where nothing else was found.
    """
    text = prediction.strip()
    letters = ascii_uppercase[: len(options)]
    for pattern in SPEECHR_PATTERNS:
        found = pattern.search(text)
        if found and found[1].upper() in letters:
            return letters.index(found[1].upper())
    single = [letter for letter in re.findall(r"\b([A-Z])[.)]?\b", text.upper()) if letter in letters]
    if len(single) == 1:
        return letters.index(single[0])
    bare = [option.lower().strip().strip(".") for option in options]
    named = next((place for place, option in enumerate(bare) if option in text.lower()), None)
    return _guess_polarity(text.lower(), bare, right) if named is None else named


def _guess_polarity(text: str, options: list[str], right: int) -> int | None:
    if set(options) not in ({"yes", "no"}, {"true", "false"}):
        return None
    says_yes, says_no = (any(word in text for word in words) for words in (("yes", "true"), ("no", "false")))
    if says_yes == says_no:
        return None
    is_yes = options[right] in {"yes", "true"}
    return right if (says_yes if is_yes else says_no) else None


def _read_muchomusic(prediction: str, options: Sequence[str]) -> int:
    """Return the place that `extract_responses` of scoring.py reads (mulab-mir/muchomusic @ d3c9a42); -1 for none.

    A capital letter A to D anywhere in the reply counts, as in "Dixieland", where it is the only one.
    """
    text = prediction.rsplit(MUCHOMUSIC_PREFIX, maxsplit=1)[-1].strip()
    letters = set(LETTERS).intersection(text)
    if len(letters) == 1:
        return LETTERS.index(letters.pop())
    return next((place for place, option in enumerate(options) if option.lower().strip() in text.lower().strip()), -1)


def _read_star_bench(prediction: str, options: Sequence[str]) -> int | None:
    """Return the place that `parse_multi_choice_response` of starbench.py reads (InternLM/StarBench @ 0daf8b0).

    A letter behind a word such as "option" counts before one in brackets, that before an option's text (in replies of
    more than two words), and that before a letter alone, so that "A" in "A dog" may count; the last of each kind.
    """
    letters = ascii_uppercase[: len(options)]
    marked = rf"[(<\[{{]\s*([{letters}])\s*[)\]>}}]"
    named = re.compile(
        rf"(?i)(?:answer|<answer>|solution|choice|option|correct option is|answer is|答案是|选项是)\s*[:：]*\s*"
        rf"(?:{marked}|\b([{letters}])\b)"
    )
    found = [(1 if one[1] else 0, one.start(), one[1] or one[2]) for one in named.finditer(prediction)]
    if not found:
        alone = re.finditer(rf"{marked}|\b([{letters}])\b", prediction)
        found = [(2 if one[1] else 0, one.start(), one[1] or one[2]) for one in alone]
        if len(prediction.split()) > 2:
            texts = ((letter, re.escape(text)) for letter, text in zip(letters, options, strict=True))
            found += [
                (1, one.start(), letter)
                for letter, text in texts
                for one in re.finditer(rf"(?<![A-Za-z]){text}(?![A-Za-z])", prediction, re.IGNORECASE)
            ]
    # A stable sort by kind and place, as the script's: of two at one place the one found later counts.
    letter = max(enumerate(found), key=lambda one: (one[1][:2], one[0]))[1][2] if found else None
    return letters.index(letter) if letter and letter in letters else None  # "option a": the script says "<a>", wrong


def _read_mmlu_pro(prediction: str, num_options: int) -> int | None:
    """Return the place that evaluate_from_local.py counts (TIGER-AI-Lab/MMLU-Pro @ 05c6997).

    Where no letter is found, the script guesses: always the same draw, seeded with 12345.
    """
    for pattern in (r"answer is \(?([A-J])\)?", r".*[aA]nswer:\s*([A-J])", r"([A-J])(?=[^A-J]*$)"):
        if found := re.search(pattern, prediction):
            return ascii_uppercase.index(found[1])
    return Random(12345).randint(0, num_options - 1)  # noqa: S311 - the script's
