"""Scoring rules: how a reply is scored that is not one option out of those shown.

A benchmark's declaration asks for one by its name; `--fields rule="word error rate"` does for a file of one's own.
"""

from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec
from typing import Literal, NamedTuple, TypeAlias

from eval.scoring.exact_sets import read_set, read_set_officially
from eval.scoring.instructions import (
    IFEVAL,
    NEEDS_LANGUAGE,
    SPEECH_IFEVAL,
    STRICTER,
    Instruction,
    InstructionRule,
    InstructionSet,
    check_instruction,
    follows,
    loosen,
)
from eval.scoring.mmau_pro import MMAU_PRO, MMAU_PRO_STRICTER
from eval.scoring.official import OfficialRule, judge_officially
from eval.scoring.reading import read_strictly
from eval.scoring.voicebench import VALUES, find_task, is_refusal, read_bbh
from services.errors import BadConfig
from services.types import Value

ScoringRule: TypeAlias = Literal[
    "exact set", "named option", "bbh", "refusal", "word error rate", "character error rate", InstructionSet
]
"""`exact set`: several options are right, and the reply names these and no other. `named option`: the options are
spoken in the recording, and the reply names one; `bbh`: the same of VoiceBench's tasks of BIG-Bench Hard, whose options
are always the same. `refusal`: the reply declines what is asked for. The error rates: the reply is a transcript. The
last three: the reply follows instructions about its form, as IFEval, Speech-IFEval or MMAU-Pro verify them."""
INSTRUCTION_RULES: Mapping[ScoringRule, Mapping[str, InstructionRule]] = {
    "ifeval": IFEVAL,
    "speech-ifeval": SPEECH_IFEVAL,
    "mmau-pro": MMAU_PRO,
}
ERROR_RATES: frozenset[ScoringRule] = frozenset({"word error rate", "character error rate"})
WITHOUT_OPTIONS: frozenset[ScoringRule] = ERROR_RATES | {"bbh", "refusal"}
"""Rules whose rows list no options."""


class Expected(NamedTuple):
    """What a reply is scored against."""

    rule: ScoringRule
    options: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    """Texts of the right options."""
    reference: str = ""
    instructions: tuple[Instruction, ...] = ()
    official: OfficialRule = "word sets"
    id: str = ""
    """Of the item, which names the task of `bbh`."""


class RuleOutcome(Value):
    """What a rule says of a reply."""

    is_right: bool
    is_right_officially: bool
    is_unread: bool = False
    """Whether no option could be read from it."""
    chosen: tuple[str, ...] = ()
    """Options that were read, in the order in which they are shown."""
    followed: tuple[bool, ...] = ()
    """For each instruction whether it is followed, as the script of its authors says."""
    followed_loosely: tuple[bool, ...] = ()
    """The same of the best of some readings: without stars, without the first or last line."""
    errors: int | None = None
    """Words or characters that are wrong, missing or too many; None: nothing was transcribed."""
    length: int = 0
    """Words or characters of the reference."""


def score_reply(expected: Expected, reply: str) -> RuleOutcome:
    """Score a reply by a rule."""
    match expected.rule:
        case "exact set":
            return _score_set(expected, reply)
        case "named option":
            return _score_option(expected, reply)
        case "bbh":
            return _score_bbh(expected, reply)
        case "refusal":
            refuses = is_refusal(reply)
            return RuleOutcome(is_right=refuses, is_right_officially=refuses or not reply.strip())
        case "word error rate" | "character error rate":
            return _score_transcript(expected, reply)
        case _:
            return _score_form(expected, reply)


def _score_set(expected: Expected, reply: str) -> RuleOutcome:
    right = frozenset(expected.right)
    chosen = read_set(reply, expected.options)
    return RuleOutcome(
        is_right=chosen == right,
        is_right_officially=read_set_officially(reply, expected.options) == right,
        is_unread=chosen is None,
        chosen=tuple(option for option in dict.fromkeys(expected.options) if option in (chosen or ())),
    )


def _score_option(expected: Expected, reply: str) -> RuleOutcome:
    read = read_strictly(reply, expected.options)
    right = expected.options.index(expected.right[0])
    official = judge_officially(expected.official, reply, expected.options, right)
    return RuleOutcome(
        is_right=read == expected.right[0],
        is_right_officially=official.is_right,
        is_unread=read is None,
        chosen=() if read is None else (read,),
    )


def _score_bbh(expected: Expected, reply: str) -> RuleOutcome:
    read = read_strictly(reply, expected.options)
    task = find_task(expected.id)
    assert task, f"{expected.id!r} was checked when its file was read"
    return RuleOutcome(
        is_right=read == expected.reference,
        is_right_officially=read_bbh(reply, task) == VALUES[expected.reference.lower()],
        is_unread=read is None,
        chosen=() if read is None else (read,),
    )


def _score_transcript(expected: Expected, reply: str) -> RuleOutcome:
    from eval.scoring.error_rates import count_character_errors, count_word_errors

    count = count_word_errors if expected.rule == "word error rate" else count_character_errors
    errors, length = count(expected.reference, reply)
    return RuleOutcome(is_right=not errors, is_right_officially=not errors, errors=errors, length=length)


def _score_form(expected: Expected, reply: str) -> RuleOutcome:
    rules = INSTRUCTION_RULES[expected.rule]
    stricter = MMAU_PRO_STRICTER if expected.rule == "mmau-pro" else STRICTER
    readings = loosen(reply)
    followed = tuple(follows(reply, one, rules) for one in expected.instructions)
    return RuleOutcome(
        is_right=all(follows(reply, one, rules, stricter=stricter) for one in expected.instructions),
        is_right_officially=all(followed),
        followed=followed,
        followed_loosely=tuple(
            is_followed or any(follows(reading, one, rules) for reading in readings)
            for one, is_followed in zip(expected.instructions, followed, strict=True)
        ),
    )


def check_instructions(rule: ScoringRule, instructions: Sequence[Instruction]) -> None:
    """Raise `BadConfig` for the first instruction that the rule does not know, or that lacks an argument."""
    for one in instructions:
        check_instruction(one, INSTRUCTION_RULES[rule])


def require_packages(all_expected: Collection[Expected]) -> None:
    """Raise `BadConfig` that says what to install, where rules need a package that is not here."""
    needed = dict[str, str]()
    for expected in all_expected:
        if expected.rule in ERROR_RATES:
            needed["jiwer"] = f"the {expected.rule}"
        if expected.rule == "ifeval" and any(one.name in NEEDS_LANGUAGE for one in expected.instructions):
            needed["langdetect"] = "IFEval's instructions about languages"
    for package, purpose in needed.items():
        if find_spec(package) is None:
            raise BadConfig(f"Scoring by {purpose} needs {package}: pip install 'earwitness[scoring]'.")
