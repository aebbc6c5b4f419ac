"""Field names of a file of questions: which field holds the question, its options, the answer and the recording.

A field is found by its name among those that benchmarks use and by what it holds: a recording is named by a path, an
answer is one of the options. Where two fields or two meanings are possible, `--fields` has to say which is meant.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Formatter, ascii_lowercase, ascii_uppercase
from typing import Literal, TypeAlias, get_args
from unicodedata import normalize

from pydantic import ValidationError, field_validator

from eval.scoring.rules import WITHOUT_OPTIONS, ScoringRule
from services.errors import BadConfig, word_problem
from services.json_lines import read_text
from services.types import Value

AnswerForm: TypeAlias = Literal["text", "letter", "index0", "index1", "first"]
"""How an answer is given: an option's text, or its letter where no option is that text; always its letter; its place
from 0 or from 1; or the first option is right, and `answer_orders` says in which order they are shown."""
Part: TypeAlias = Literal[
    "id",
    "audio",
    "question",
    "choices",
    "answer",
    "task",
    "category",
    "sub_category",
    "difficulty",
    "cluster",
    "instructions",
    "arguments",
]
PARTS: tuple[Part, ...] = get_args(Part)
AUDIO_NAMES = (
    *("audio", "audiopath", "audioid", "audiofile", "audiofilepath", "audiofilename", "audiopaths", "audios"),
    *("wav", "wavpath", "audiourl"),
)
"""Names that nothing but recordings has, in small letters without signs."""
NAMES: Mapping[Part, tuple[str, ...]] = {
    "id": ("id", "uid", "uniqid", "uniqueid", "questionid", "qid", "itemid", "sampleid", "index", "idx"),
    "audio": (*AUDIO_NAMES, "path", "filepath", "file", "filename", "clip", "sound", "recording"),
    "question": (
        *("question", "questiontext", "query", "prompt", "instruction", "sentence", "text", "input", "q", "stem"),
    ),
    "choices": (
        *("choices", "options", "choice", "option", "chosens", "candidates", "answerchoices", "answeroptions"),
        *("multiplechoice", "multichoice", "answers", "opts"),
    ),
    "answer": (
        *("answer", "answergt", "correctanswer", "rightanswer", "goldanswer", "groundtruth", "gold", "gt", "label"),
        *("answerkey", "key", "correct", "correctoption", "correctchoice", "officialanswer", "solution", "target"),
        *("answeridx", "answerindex", "correctindex", "correctidx", "labelidx", "labelindex", "answers", "a"),
        *("iscorrect", "isright", "isanswer", "ans", "answertext", "answerletter", "answerlabel", "answeroption"),
        *("correctans", "correctanswers", "goldlabel", "labels", "truth", "rightoption", "rightchoice", "right"),
        *("expected", "expectedanswer", "reference", "referenceanswer"),
    ),
    "task": ("task", "taskname", "modality", "tasktype", "domain", "dataset", "subset"),
    "category": ("category", "maincategory", "type", "skill", "questiontype", "qtype", "tag"),
    "sub_category": ("subcategory", "subcat", "subtype", "subskill"),
    "difficulty": ("difficulty", "level"),
    "cluster": ("url", "videoid", "youtubeid", "ytid", "video", "sourceid"),
    "instructions": ("instructionidlist",),
    "arguments": ("kwargs",),
}
"""Names of each part in small letters without signs, the usual ones first."""
MOST_MISSING = 2  # columns of options in a row that have no value in a whole table


class FieldNames(Value):
    """What a file calls its fields; None: it has none, or it is to be found."""

    id: str | None = None
    audio: str | tuple[str, ...] | None = None
    """Field with the recording's path, or one for each of several recordings; braces make a text of several fields, as
    in `clips/{dataset}/{file}`, here and in `id`, `question` and `task`."""
    question: str | None = None
    choices: str | tuple[str, ...] | None = None
    """One field with all options, or one for each; None: they stand in the question, as in "(a) a dog (b) a cat"."""
    options: tuple[str, ...] | None = None
    """Options of every question, where no field holds them."""
    answer: str | None = None
    answer_form: AnswerForm | None = None
    task: str | None = None
    category: str | None = None
    sub_category: str | None = None
    difficulty: str | None = None
    cluster: str | None = None
    """Items that share it stem from one source, such as a video."""
    rule: ScoringRule | None = None
    """How replies are scored; None: by the option that is read, as an exact set where a row has several right options,
    or by a judge where there are none."""
    instructions: str | None = None
    """Names of the instructions about the form of a reply; rows without any are scored as others."""
    arguments: str | None = None
    """What the instructions name: one object for each, or one for all."""

    @field_validator(*PARTS)
    @classmethod
    def _check_templates(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for template in (value,) if isinstance(value, str) else value or ():
            list_names(template)
        return value

    def format(self) -> str:
        """Return what is taken for what, in one line."""
        parts = {part: getattr(self, part) for part in PARTS if getattr(self, part)}
        if "choices" not in parts and self.rule not in WITHOUT_OPTIONS and not self.instructions:
            parts["choices"] = "/".join(self.options) if self.options else "in the question, or none"
        if not self.answer:
            parts["answer"] = "none" if self.instructions or self.rule == "refusal" else "none, so it is withheld"
        elif self.answer_form in {"index0", "index1"}:
            parts["answer"] += f" (places from {self.answer_form[-1]})"
        elif self.answer_form == "letter":
            parts["answer"] += " (letters)"
        if self.rule:
            parts["answer"] += f" (scored by {self.rule})"
        return ", ".join(f"{part} = {_join(value)}" for part, value in parts.items())


def list_names(template: str) -> tuple[str, ...]:
    """Return the fields that a template names; a text without braces is the name of one.

    Raises `ValueError` where braces hold no name of a field.
    """
    if "{" not in template:
        return (template,)
    try:
        parts = [(name, form, sign) for _, name, form, sign in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(f"{template!r} is not a text with fields in braces, such as '{{a}}-{{b}}': {error}") from error
    if wrong := next((name for name, form, sign in parts if form or sign), None):
        raise ValueError(f"{template!r} asks for more than the field {wrong!r}; braces hold a name alone")
    if any(not name for name, _, _ in parts):
        raise ValueError(f"{template!r} has braces without the name of a field")
    return tuple(name for name, _, _ in parts)


def _join(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " + ".join(value)


def read_fields(file: Path) -> FieldNames:
    """Return what `my.fields.json` says of `my.json`; raises `BadConfig` where it says nothing usable."""
    mapping = file.with_suffix(".fields.json")
    if not mapping.is_file():
        return FieldNames()
    try:
        return FieldNames.model_validate_json(read_text(mapping, f"Field names {str(mapping)!r}"))
    except ValidationError as error:
        raise _explain(repr(str(mapping)), error) from error


def parse_fields(pairs: Iterable[str]) -> FieldNames:
    """Read `--fields NAME=FIELD`; several fields for one name stand with commas between, as in choices=a,b,c."""
    named: dict[str, str | tuple[str, ...]] = {}
    for pair in pairs:
        name, is_pair, field = pair.partition("=")
        if not is_pair or not field:
            raise BadConfig(f"--fields {pair!r} is not a pair; one looks like answer=label or choices=a,b,c,d.")
        fields = tuple(part.strip() for part in field.split(","))
        named[name.strip()] = fields if len(fields) > 1 else fields[0]
    try:
        return FieldNames.model_validate(named)
    except ValidationError as error:
        raise _explain("--fields", error) from error


def _explain(name: str, error: ValidationError) -> BadConfig:
    problem = error.errors(include_url=False)[0]
    return BadConfig(
        f"{name}, {'.'.join(map(str, problem['loc']))!r}: {word_problem(problem)}; "
        f"fields that can be named are {', '.join(FieldNames.model_fields)}."
    )


def merge_fields(first: FieldNames, second: FieldNames) -> FieldNames:
    """Return the names of both; those of the first win."""
    return second.model_copy(update=first.model_dump(exclude_none=True))


def drop_word(text: str) -> str:
    """Return what names an option without the word before it: B of "Option B", "choice_b" and "Answer: B"."""
    return re.sub(r"^(?:option|choice|answer)[\s_:-]*(?=\W?\w\W?$|\d)", "", text.strip(), flags=re.IGNORECASE)


def find_letter_place(text: str, num_options: int) -> int | None:
    """Return the place of the option that B, (b), "b." or "Option B" stands for; None where it is not a letter."""
    bare = drop_word(normalize("NFKC", text)).strip("().:[]").strip().upper()
    return ascii_uppercase.index(bare) if len(bare) == 1 and bare in ascii_uppercase[:num_options] else None


def find_family(fields: Sequence[str], stems: Iterable[str]) -> tuple[str, ...]:
    """Return the fields such as choice_a, choice_b or A, B that differ in a last letter or number only.

    One or two between them may be missing, as where a table has no value there: their names are among those returned,
    so that every other one keeps its place.

    Args:
        fields: All fields of the file.
        stems: What may stand before it, in small letters without signs; "" for bare letters, none of which is missing.
    """
    for stem in stems:
        for pattern in (r"[a-z]", r"\d{1,3}"):
            found = {
                _read_ending(name.removeprefix(stem)): field
                for field in reversed(fields)
                if re.fullmatch(re.escape(stem) + pattern, name := normalise(field), re.ASCII)
            }
            if family := _list_family(found, longest_gap=MOST_MISSING if stem else 0):
                return family
    return ()


def _read_ending(ending: str) -> int:
    """Return the number of an ending; that of a is 1."""
    return int(ending) if ending.isdecimal() else ascii_lowercase.index(ending) + 1


def _list_family(found: dict[int, str], *, longest_gap: int) -> tuple[str, ...]:
    """Return the names of fields from the first number to the last that no longer gap parts from them."""
    start = 0 if 0 in found else 1
    last = start - 1
    for number in sorted(found):
        if number - last - 1 > longest_gap:
            break
        last = number
    if len([number for number in found if number <= last]) < 2:
        return ()
    return tuple(found.get(number) or _name_missing(found, number) for number in range(start, last + 1))


def _name_missing(found: dict[int, str], number: int) -> str:
    """Return what a field of a number would be called, after the nearest that is there."""
    like = found[min(found, key=lambda other: abs(other - number))]
    if like[-1].isdecimal():
        return re.sub(r"\d+$", str(number), like)
    return like[:-1] + (ascii_uppercase if like[-1].isupper() else ascii_lowercase)[number - 1]


def normalise(field: str) -> str:
    """Return a field's name in small letters without signs: Sub-Category and sub_category are one name."""
    return "".join(char for char in field.casefold() if char.isalnum())


def fill(template: str, row: Mapping[str, object]) -> str:
    """Return the text of a field, or of a template that names fields in braces; nothing where the row lacks it."""
    if "{" not in template:
        value = unwrap(row.get(template, ""))
        return value if isinstance(value, str) else str(value)
    parsed = Formatter().parse(template)
    return "".join(text + (str(row.get(name, "")) if name else "") for text, name, _, _ in parsed)


def unwrap(value: object) -> object:
    """Return the one value of a list of one; any other value stays as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
