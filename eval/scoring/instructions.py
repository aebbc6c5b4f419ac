"""IFEval's verifiable instructions: rules about the form of a reply, such as its length or its capitals.

Source: Zhou et al. 2023, arXiv:2311.07911, table 4; behaviour as instructions.py of google-research, in the copy of
MatthewCYM/VoiceBench @ 5338154. `speech-ifeval` has the changes of kehanlu/Speech-IFEval @ e2e9c14: languages are not
detected, bullets may be dots or numbers, paragraphs end with their line, and quotes may stand before a repeated prompt.

What the scripts get wrong, and our strict verdict does not: keywords are patterns there, and "art" is in "start"; a
reply in which no language can be found counts as English. Sentences are counted by a rule here, where the scripts need
NLTK's trained model: of 200 published replies about numbers of sentences both give one verdict.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from services.errors import BadConfig
from services.types import Value

InstructionSet: TypeAlias = Literal["ifeval", "speech-ifeval", "mmau-pro"]
Relation: TypeAlias = Literal["less than", "at least"]
CONSTRAINED = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
FENCES = ("```json", "```Json", "```JSON", "```")
ABBREVIATED = re.compile(r"[^\W\d_]|[^\W\d_aeiouyAEIOUY]{2,3}")  # initials; St, Mr, Mrs
SENTENCE_END = re.compile(r"(?:(?<!\w)(\w++)|(?<![\w.!?]))([.!?]++)[\"'”’)\]*]*+\s++")
NEEDS_LANGUAGE = frozenset(
    {"language:response_language", "change_case:english_capital", "change_case:english_lowercase"}
)


class Instruction(Value):
    """One instruction and its arguments, called as in the files of IFEval and MMAU-Pro; None: it has no such one."""

    model_config = ConfigDict(populate_by_name=True)

    name: str
    """Such as "length_constraints:number_words"."""
    language: str | None = None
    """ISO 639-1, as langdetect has it."""
    relation: Relation | None = None
    num_words: int | None = None
    num_sentences: int | None = None
    num_paragraphs: int | None = None
    num_placeholders: int | None = None
    num_bullets: int | None = None
    num_highlights: int | None = None
    num_sections: int | None = None
    nth_paragraph: int | None = None
    """From 1."""
    first_word: str | None = None
    section_spliter: str | None = None
    postscript_marker: str | None = None
    keywords: tuple[str, ...] | str | None = None
    keyword: str | None = None
    frequency: int | None = None
    forbidden_words: tuple[str, ...] | str | None = None
    letter: str | None = None
    let_frequency: int | None = None
    let_relation: Relation | None = None
    capital_frequency: int | None = None
    capital_relation: Relation | None = None
    prompt_to_repeat: str | None = None
    end_phrase: str | None = None
    start_phrase: str | None = None
    section_splitter: str | None = None
    """Of MMAU-Pro, as the four below."""
    num: int | None = Field(default=None, alias="N")
    num_min: int | None = Field(default=None, alias="N1")
    num_max: int | None = Field(default=None, alias="N2")
    prompt: str | None = None
    """What was asked, where it is to be repeated."""

    @model_serializer(mode="wrap")
    def _leave_out_none(self, serialise: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in serialise(self).items() if value is not None}


Check: TypeAlias = Callable[[str, Instruction], bool]


class InstructionRule(NamedTuple):
    """How one instruction is verified."""

    follows: Check
    needs: tuple[str, ...] = ()
    """Arguments without which it says nothing; the scripts draw them at random."""


def count_sentences(text: str) -> int:
    """Return the number of sentences, each of which ends in a mark before a space or the end.

    A full stop behind one letter, or behind up to three without a vowel, such as St. or Mrs., ends none.
    """
    bare = text.strip()
    return bool(bare) + sum(
        not (end[2].startswith(".") and ABBREVIATED.fullmatch(end[1] or "")) for end in SENTENCE_END.finditer(bare)
    )


def _compare(num: int, relation: Relation | None, bound: int | None) -> bool:
    assert bound is not None
    return num < bound if relation == "less than" else num >= bound


def list_words(words: Sequence[str] | str | None) -> list[str]:
    """List the words of a row, which has them as a list or as one text with commas; none for None."""
    return words.split(", ") if isinstance(words, str) else list(words or ())


def _is_json(reply: str) -> bool:
    bare = reply.strip()
    for fence in FENCES:
        bare = bare.removeprefix(fence)
    try:
        json.loads(bare.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def _has_title(reply: str) -> bool:
    return any(title.lstrip("<").rstrip(">").strip() for title in re.findall(r"<<[^\n]+>>", reply))


def _count_highlights(reply: str) -> int:
    single = [one.strip("*") for one in re.findall(r"\*[^\n\*]*\*", reply)]
    double = [one.removeprefix("**").removesuffix("**") for one in re.findall(r"\*\*[^\n\*]*\*\*", reply)]
    return sum(bool(one.strip()) for one in single + double)


def _count_parts(parts: Sequence[str]) -> int | None:
    """Return how many parts have words; None where one inside has none, at an end it may."""
    if any(not part.strip() for part in parts[1:-1]):
        return None
    return sum(bool(part.strip()) for part in parts)


def _has_paragraph_word(reply: str, one: Instruction) -> bool:
    assert one.nth_paragraph is not None and one.first_word is not None
    paragraphs = reply.split("\n\n")
    num = sum(bool(paragraph.strip()) for paragraph in paragraphs)
    if not 0 < one.nth_paragraph <= num or not paragraphs[one.nth_paragraph - 1].strip():
        return False
    word = paragraphs[one.nth_paragraph - 1].split()[0].lstrip("'").lstrip('"')
    return num == one.num_paragraphs and re.split(r"[.,?!'\"]", word)[0].lower() == one.first_word.lower()


def _has_postscript(reply: str, one: Instruction) -> bool:
    marker = (one.postscript_marker or "").strip()
    known = {"P.P.S": r"p\.\s?p\.\s?s.*$", "P.S.": r"p\.\s?s\..*$"}
    return bool(re.search(known.get(marker, re.escape(marker.lower())), reply.lower(), re.MULTILINE))


def _has_two_responses(reply: str, _: Instruction) -> bool:
    parts = reply.split("******")
    answers = [part.strip() for part in parts if part.strip()]
    return _count_parts(parts) == 2 and answers[0] != answers[1]


def _is_repeated(reply: str, one: Instruction) -> bool:
    return reply.strip().lower().startswith((one.prompt_to_repeat or "").strip().lower())


def _is_wrapped(reply: str, _: Instruction) -> bool:
    bare = reply.strip()
    return len(bare) > 1 and bare[0] == bare[-1] == '"'


def detect_language(text: str) -> str | None:
    """Return the language of a text by langdetect, always the same for the same text; None where it finds none."""
    import langdetect

    langdetect.DetectorFactory.seed = 0  # it draws otherwise, and so do the scripts
    try:
        return str(langdetect.detect(text))
    except langdetect.LangDetectException:
        return None


def _is_language(reply: str, language: str | None, *, is_lenient: bool) -> bool:
    found = detect_language(reply)
    return is_lenient if found is None else found == language


def _has_keywords(reply: str, one: Instruction) -> bool:
    return all(re.search(word, reply, re.IGNORECASE) for word in list_words(one.keywords))


def _is_without_words(reply: str, one: Instruction) -> bool:
    return not any(re.search(rf"\b{word}\b", reply, re.IGNORECASE) for word in list_words(one.forbidden_words))


def _count_keyword(reply: str, one: Instruction) -> bool:
    return _compare(len(re.findall(one.keyword or "", reply, re.IGNORECASE)), one.relation, one.frequency)


def _count_word(reply: str, word: str) -> int:
    """Return how often a word or phrase occurs as a whole."""
    return len(re.findall(rf"(?<!\w){re.escape(word.strip())}(?!\w)", reply, re.IGNORECASE))


def _count_sections(reply: str, splitter: str) -> int:
    return len(re.split(rf"\s?{splitter}\s?\d+\s?", reply)) - 1


def _count_bullets(reply: str, marks: Iterable[str]) -> int:
    return sum(len(re.findall(rf"^\s*{mark}.*$", reply, re.MULTILINE)) for mark in marks)


def _split_paragraphs(pattern: str) -> Check:
    return lambda reply, one: _count_parts(re.split(pattern, reply)) == one.num_paragraphs


IFEVAL: Mapping[str, InstructionRule] = {
    "keywords:existence": InstructionRule(_has_keywords, ("keywords",)),
    "keywords:frequency": InstructionRule(_count_keyword, ("keyword", "frequency", "relation")),
    "keywords:forbidden_words": InstructionRule(_is_without_words, ("forbidden_words",)),
    "keywords:letter_frequency": InstructionRule(
        lambda reply, one: _compare(
            reply.lower().count((one.letter or "").strip().lower()), one.let_relation, one.let_frequency
        ),
        ("letter", "let_frequency", "let_relation"),
    ),
    "language:response_language": InstructionRule(
        lambda reply, one: _is_language(reply, one.language, is_lenient=True), ("language",)
    ),
    "length_constraints:number_sentences": InstructionRule(
        lambda reply, one: _compare(count_sentences(reply), one.relation, one.num_sentences),
        ("num_sentences", "relation"),
    ),
    "length_constraints:number_words": InstructionRule(
        lambda reply, one: _compare(len(re.findall(r"\w+", reply)), one.relation, one.num_words),
        ("num_words", "relation"),
    ),
    "length_constraints:number_paragraphs": InstructionRule(_split_paragraphs(r"\s?\*\*\*\s?"), ("num_paragraphs",)),
    "length_constraints:nth_paragraph_first_word": InstructionRule(
        _has_paragraph_word, ("num_paragraphs", "nth_paragraph", "first_word")
    ),
    "detectable_content:number_placeholders": InstructionRule(
        lambda reply, one: len(re.findall(r"\[.*?\]", reply)) >= (one.num_placeholders or 0), ("num_placeholders",)
    ),
    "detectable_content:postscript": InstructionRule(_has_postscript, ("postscript_marker",)),
    "detectable_format:number_bullet_lists": InstructionRule(
        lambda reply, one: _count_bullets(reply, (r"\*[^\*]", "-")) == one.num_bullets, ("num_bullets",)
    ),
    "detectable_format:constrained_response": InstructionRule(
        lambda reply, _: any(answer in reply for answer in CONSTRAINED)
    ),
    "detectable_format:number_highlighted_sections": InstructionRule(
        lambda reply, one: _count_highlights(reply) >= (one.num_highlights or 0), ("num_highlights",)
    ),
    "detectable_format:multiple_sections": InstructionRule(
        lambda reply, one: _count_sections(reply, (one.section_spliter or "").strip()) >= (one.num_sections or 0),
        ("section_spliter", "num_sections"),
    ),
    "detectable_format:json_format": InstructionRule(lambda reply, _: _is_json(reply)),
    "detectable_format:title": InstructionRule(lambda reply, _: _has_title(reply)),
    "combination:two_responses": InstructionRule(_has_two_responses),
    "combination:repeat_prompt": InstructionRule(_is_repeated, ("prompt_to_repeat",)),
    "startend:end_checker": InstructionRule(
        lambda reply, one: reply.strip().strip('"').lower().endswith((one.end_phrase or "").strip().lower()),
        ("end_phrase",),
    ),
    "startend:quotation": InstructionRule(_is_wrapped),
    "change_case:capital_word_frequency": InstructionRule(
        lambda reply, one: _compare(
            sum(word.isupper() for word in re.findall(r"[\w'’-]+", reply)), one.capital_relation, one.capital_frequency
        ),
        ("capital_frequency", "capital_relation"),
    ),
    "change_case:english_capital": InstructionRule(
        lambda reply, _: reply.isupper() and _is_language(reply, "en", is_lenient=True)
    ),
    "change_case:english_lowercase": InstructionRule(
        lambda reply, _: reply.islower() and _is_language(reply, "en", is_lenient=True)
    ),
    "punctuation:no_comma": InstructionRule(lambda reply, _: "," not in reply),
}
SPEECH_IFEVAL: Mapping[str, InstructionRule] = {
    **IFEVAL,
    "detectable_format:number_bullet_lists": InstructionRule(
        lambda reply, one: _count_bullets(reply.replace("\\n", "\n"), (r"\*[^\*]", "-", "•", r"\d")) == one.num_bullets,
        ("num_bullets",),
    ),
    "length_constraints:number_paragraphs": InstructionRule(
        lambda reply, one: _split_paragraphs(r"\s*\*\*\*\s*|\n{1,}")(reply.strip(), one), ("num_paragraphs",)
    ),
    "combination:repeat_prompt": InstructionRule(
        lambda reply, one: reply.strip().lower().strip("\"'").startswith((one.prompt_to_repeat or "").strip().lower()),
        ("prompt_to_repeat",),
    ),
    "change_case:english_capital": InstructionRule(lambda reply, _: reply.isupper()),
    "change_case:english_lowercase": InstructionRule(lambda reply, _: reply.islower()),
}
STRICTER: Mapping[str, Check] = {
    "keywords:existence": lambda reply, one: all(_count_word(reply, word) for word in list_words(one.keywords)),
    "keywords:frequency": lambda reply, one: _compare(
        _count_word(reply, one.keyword or ""), one.relation, one.frequency
    ),
    "keywords:forbidden_words": lambda reply, one: (
        not any(_count_word(reply, w) for w in list_words(one.forbidden_words))
    ),
    "language:response_language": lambda reply, one: _is_language(reply, one.language, is_lenient=False),
}
"""What our strict verdict asks instead."""


def follows(
    reply: str,
    one: Instruction,
    rules: Mapping[str, InstructionRule],
    *,
    stricter: Mapping[str, Check] | None = None,
) -> bool:
    """Whether a reply follows an instruction, by `stricter` where that has it; one without words follows none."""
    if not reply.strip():
        return False
    check = (stricter or {}).get(one.name, rules[one.name].follows)
    return check(reply, one)


def loosen(reply: str) -> tuple[str, ...]:
    """Return the readings of a reply of which one has to follow, loosely: without stars, its first or last line."""
    lines = reply.split("\n")
    cut = [reply, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return tuple(dict.fromkeys(cut + [one.replace("*", "") for one in cut]))


def check_instruction(one: Instruction, rules: Mapping[str, InstructionRule]) -> None:
    """Raise `BadConfig` for an instruction that is not known, or lacks an argument."""
    if one.name not in rules:
        raise BadConfig(f"{one.name!r} is not an instruction that can be verified; these are: {', '.join(rules)}.")
    lacking = [need for need in rules[one.name].needs if getattr(one, need) is None]
    if lacking:
        raise BadConfig(f"the instruction {one.name!r} lacks its argument {lacking[0]!r}.")
    for word in (
        one.keyword or "",
        one.section_spliter or "",
        *list_words(one.keywords),
        *list_words(one.forbidden_words),
    ):
        try:
            re.compile(word)
        except re.error as error:
            raise BadConfig(
                f"the instruction {one.name!r} has the argument {word!r}, which the scripts take for a pattern, and it "
                f"is none: {error}."
            ) from error
