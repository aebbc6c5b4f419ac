"""Benchmarks from any file of questions: its rows become items by the names of its fields."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

from pydantic import ValidationError

from eval.benchmarks.benchmark import NO_OPTIONS, NO_REFERENCE, Benchmark, Item, join_sources
from eval.benchmarks.detection import ORDERS, detect_fields, detect_recordings, is_nested, read_asked
from eval.benchmarks.fields import FieldNames, fill, list_names, merge_fields, read_fields
from eval.benchmarks.options import (
    AskedText,
    draw_order,
    find_answer,
    find_several,
    format_text,
    parse_cell,
    parse_list,
    split_inline,
)
from eval.benchmarks.tables import Table, TableRow, list_paths, read_table, unfold
from eval.scoring.instructions import Instruction
from eval.scoring.rules import ERROR_RATES, ScoringRule, check_instructions
from eval.scoring.voicebench import CLOSED, TASKS, find_task
from services.errors import BadConfig, word_problem
from services.questions import MAX_CLIPS

NUM_OPTIONS = len(ascii_uppercase)
REFUSED = "a refusal"  # what a reply to a harmful request is held against
MASK, BLANK = "[MASK]", "___"  # what a cloze question asks for


def read_mapped(file: Path, audio_root: Path | None = None, fields: FieldNames | None = None) -> Benchmark:
    """Read any file of questions with options; clips lie relative to `audio_root`, or else to the file.

    Args:
        file: JSON, JSON lines, CSV or Parquet.
        audio_root: Folder that the clips' paths start from.
        fields: What the file calls its fields, as far as the user says; the rest is in `my.fields.json` or found.

    Raises:
        BadConfig: names file, row and field of the first row that cannot be used, or the field that could not be found.
    """
    name = f"Benchmark {str(file)!r}"
    given = merge_fields(fields or FieldNames(), read_fields(file))
    table = read_table(file)
    table = unfold(table, is_nested=is_nested(table, given))
    _refuse_unknown(name, given, table)
    names = detect_fields(name, table, given)
    items = tuple(make_items(name, table, names))
    return make_benchmark(file, table, items, audio_root).model_copy(update={"fields": names})


def read_labelled(
    file: Path, label: str, audio_root: Path | None = None, fields: FieldNames | None = None
) -> Benchmark:
    """Read a file of recordings with a label each, which need not ask anything; the label is each item's category.

    Args:
        file: JSON, JSON lines, CSV or Parquet.
        label: Its field with the label; a row without one has an empty category.
        audio_root: Folder that the clips' paths start from; None: the file's.
        fields: What the file calls its fields, as far as the user says.

    Raises:
        BadConfig: names file, row and field of what cannot be used.
    """
    name = f"Benchmark {str(file)!r}"
    table = read_table(file)
    given = merge_fields(fields or FieldNames(), read_fields(file))
    _refuse_unknown(name, given, table)
    found = detect_recordings(name, table, given)
    names = found.model_copy(update={"category": label, "question": f"{label}: {{{label}}}", "answer": label})
    items = tuple(make_items(name, table, names))
    return make_benchmark(file, table, items, audio_root).include_open().locate_clips()


def make_benchmark(file: Path, table: Table, items: tuple[Item, ...], audio_root: Path | None) -> Benchmark:
    """Return a benchmark named after its file; `BadConfig` where ids repeat, or nothing in it can be asked."""
    name = f"Benchmark {str(file)!r}"
    first_rows: dict[str, int] = {}
    for number, item in enumerate(items, start=1):
        if first_rows.setdefault(item.id, number) != number:
            raise BadConfig(
                f"{name}, row {number}, field 'id': {item.id!r} is already the id of row {first_rows[item.id]}; ids "
                "must be unique. Name another field with --fields id=NAME, or several as in --fields 'id={a}-{b}'."
            )
    heard = [bool(item.audio) for item in items]
    if any(heard) and not all(heard):
        raise BadConfig(
            f"{name}, row {heard.index(False) + 1}, field 'audio': names no recording, though other rows do; questions "
            "about none belong in a file of their own."
        )
    askable = [item.answer is None for item in items if not item.unsupported]
    if any(askable) and not all(askable):
        number = next(n for n, item in enumerate(items, start=1) if item.answer is None and not item.unsupported)
        raise BadConfig(
            f"{name}, row {number}, field 'answer': missing, though other rows have one; either all answers are "
            "withheld or none is."
        )
    return Benchmark(
        name=file.stem,
        file=file,
        sha256=table.sha256,
        audio_root=audio_root or file.parent,
        items=join_sources(items),
    )


class RowReading(NamedTuple):
    """What is known of the rows beside the names of their fields."""

    suffix: str = ""
    """Follows the id, where a row holds several questions."""
    ask: str = ""
    """The question, where a row's own is spoken."""
    keeps_unanswerable: bool = False
    """Whether a row whose answer is none of its options is kept, as one that cannot be asked."""


PLAIN = RowReading()


def make_items(name: str, table: Table, names: FieldNames, reading: RowReading = PLAIN) -> Iterator[Item]:
    """Make the item of each row; `BadConfig`, which begins with `name`, names the row and the field."""
    if names.rule is None and any(_has_several_answers(row, names) for row in table.rows):
        names = names.model_copy(update={"rule": "exact set"})  # in one file rows with one right option are asked alike
    for number, row in enumerate(table.rows, start=1):
        yield _Row(f"{name}, row {number}", number, row, names, reading).make_item()


def _has_several_answers(row: TableRow, names: FieldNames) -> bool:
    """Whether the answer is a list, or a cell that names several options and is none itself."""
    what, form = read_asked(row, names), names.answer_form or "text"
    published, options = row.get(names.answer or ""), what.options
    value = what.name_right(published)
    if isinstance(value, list):
        is_cell = isinstance(published, str)
        return len(value) > 1 and not (is_cell and None in [find_answer(one, options, form) for one in value])
    is_text = isinstance(value, str) and find_answer(value, options, form) is None
    return is_text and bool(find_several(str(value), options, form))


class _Answered(NamedTuple):
    """Options as they are shown, and which is right."""

    options: tuple[str, ...]
    answer: str | None
    unsupported: str = ""
    rule: ScoringRule | None = None
    answers: tuple[str, ...] = ()
    instructions: tuple[Instruction, ...] = ()


class _Row:
    """One row, read by the names of its fields."""

    def __init__(self, place: str, number: int, row: TableRow, names: FieldNames, reading: RowReading) -> None:
        self._place = place
        self._number = number
        self._row = row
        self._names = names
        self._reading = reading

    def make_item(self) -> Item:
        ask = self._reading.ask
        asked = self._row.get(self._names.question or "", "")
        if not (isinstance(asked, str) or (isinstance(asked, list) and len(asked) == 1)):
            raise self._make_error("question", f"{asked!r} is not a text")
        what = read_asked(self._row, self._names)
        question, options = what.question, what.options
        if not question.strip() and not ask:
            raise self._make_error("question", "is empty; it needs words")
        self._refuse_two_orders(options)
        answered = self._answer(what)
        clips = self._list_clips()
        num = len(clips)
        many = f"has {num} recordings; at most {MAX_CLIPS} can be asked about" if num > MAX_CLIPS else ""
        labels = {
            part: self._read_label(part) for part in ("task", "category", "sub_category", "difficulty", "cluster")
        }
        modality = labels["task"] if clips else "text"
        return Item(
            id=self._read_id() + self._reading.suffix,
            audio=tuple(clips),
            question=ask or question.replace(MASK, BLANK),
            choices=answered.options,
            answer=answered.answer,
            rule=answered.rule,
            answers=answered.answers,
            instructions=answered.instructions,
            spoken=fill(self._names.question or "", self._row) if ask else "",
            modality=modality,
            unsupported=answered.unsupported or many,
            task=labels["task"] or labels["category"] or ("all" if clips else "text"),
            category=labels["category"],
            sub_category=labels["sub_category"],
            difficulty=labels["difficulty"],
            cluster=labels["cluster"],
        )

    def _make_error(self, part: str, problem: str) -> BadConfig:
        field = getattr(self._names, part)
        return BadConfig(f"{self._place}, field {field if isinstance(field, str) else part!r}: {problem}.")

    def _refuse_two_orders(self, options: tuple[str, ...]) -> None:
        """Raise `BadConfig` where a letter is the answer and the question lists the options in another order."""
        inline = split_inline(fill(self._names.question or "", self._row))
        is_moved = inline is not None and inline.options != options and sorted(inline.options) == sorted(options)
        value = self._row.get(self._names.answer or "")
        if is_moved and self._names.answer_form != "first" and format_text(value) not in options:
            raise self._make_error(
                "choices",
                f"stand in another order in the question, and the answer {value!r} may mean either; give its text",
            )

    def _read_id(self) -> str:
        value = self._read_label("id")
        if not value.strip() and self._names.id is not None:
            raise self._make_error("id", "is missing or empty, though other rows have one")
        return value or str(self._number)

    def _read_label(self, part: str) -> str:
        """Return the text of a field that groups or names items; nothing where the row lacks it."""
        field = getattr(self._names, part)
        if field is None:
            return ""
        value = fill(field, self._row) if "{" in field else self._row.get(field)
        return ", ".join(map(format_text, value)) if isinstance(value, list) else format_text(value)

    def _list_clips(self) -> list[str]:
        fields = self._names.audio
        values = [self._row.get(field) for field in fields] if isinstance(fields, tuple) else [self._read_audio(fields)]
        return [clip for value in values for clip in list_paths(parse_list(value))]

    def _read_audio(self, field: str | None) -> object:
        return None if field is None else fill(field, self._row) if "{" in field else self._row.get(field)

    def _answer(self, what: AskedText) -> _Answered:
        """Return the options without the empty ones of columns, and the text of the right one."""
        published = what.options
        value = what.name_right(self._row.get(self._names.answer)) if self._names.answer else None
        if instructions := self._list_instructions():
            return _Answered((), format_text(value), rule=self._names.rule or "ifeval", instructions=instructions)
        if self._names.rule in ERROR_RATES:
            return self._read_transcript(value)
        if self._names.rule == "refusal":
            return _Answered((), REFUSED, rule="refusal")
        if self._names.rule == "bbh":
            return self._read_bbh(value)
        if len([text for text in published if text.strip()]) < 2:
            return self._open(published, value)
        return self._read_closed(published, value)

    def _read_closed(self, published: tuple[str, ...], value: object) -> _Answered:
        """Return the options of a question that has some, and the right one."""
        if self._names.answer_form == "first":
            return self._reorder(published)
        field = self._names.choices
        has_columns = isinstance(field, tuple) or isinstance(self._row.get(field or ""), Mapping)
        shown = tuple(text for text in published if text.strip() or not has_columns)
        if len(shown) > NUM_OPTIONS:
            raise self._make_error("choices", f"{len(shown)} options; at most {NUM_OPTIONS} work")
        if self._names.rule == "exact set":
            return self._read_set(shown, published, value)
        if isinstance(value, list):
            if len(value) != 1:
                return _Answered(shown, "", "has no right option")
            value = value[0]
        if value is None or (value == "" and "" not in published):
            return _Answered(shown, None)
        place = find_answer(value, published, self._names.answer_form or "text")
        if place is None and self._reading.keeps_unanswerable:
            said = format_text(value)
            return _Answered(shown, said, f"has the answer {said!r}, which is none of its options")
        if place is None or not (published[place].strip() or published[place] in shown):
            raise self._make_error("answer", f"{value!r} is none of the choices {list(published)!r}")
        rule = self._names.rule if self._names.rule == "named option" else None
        return _Answered(shown, published[place], rule=rule)

    def _list_instructions(self) -> tuple[Instruction, ...]:
        """Return the instructions of the row that are verified; none where it has none."""
        if self._names.instructions is None:
            return ()
        named = parse_cell(self._row.get(self._names.instructions))
        called = named if isinstance(named, list) else [named] if named else []
        given = parse_cell(self._row.get(self._names.arguments or ""))
        arguments = given if isinstance(given, list) else [given or {}] * len(called)
        if len(arguments) != len(called):
            raise self._make_error("arguments", f"{given!r} is not one object for each of {named!r}")
        question = self._row.get(self._names.question or "")
        try:
            found = tuple(map(read_instruction, called, arguments, [question] * len(called)))
            check_instructions(self._names.rule or "ifeval", found)
        except BadConfig as error:
            raise self._make_error("arguments", str(error).removesuffix(".")) from error
        return found

    def _read_transcript(self, value: object) -> _Answered:
        """Return what is said; a row without words has nothing to be held against."""
        reference = format_text(value)
        if value is not None and not reference.strip():
            raise self._make_error("answer", "is empty; a transcript needs words")
        return _Answered((), None if value is None else reference, rule=self._names.rule)

    def _read_bbh(self, value: object) -> _Answered:
        """Return the options of a task of BIG-Bench Hard, which its answer tells, and the right one."""
        if find_task(self._read_id()) is None:
            raise self._make_error("id", f"{self._read_id()!r} names none of the tasks {', '.join(TASKS)}")
        said = format_text(value).strip().lower()
        found = next(((one, each) for each in CLOSED for one in each if one.lower() == said), None)
        if found is None:
            raise self._make_error(
                "answer", f"{value!r} is none of {', '.join(one for each in CLOSED for one in each)}"
            )
        return _Answered(found[1], found[0], rule="bbh")

    def _read_set(self, shown: tuple[str, ...], published: tuple[str, ...], value: object) -> _Answered:
        """Return options of which several may be right: a list of them, or letters with commas between."""
        if value is None or value == "":
            return _Answered(shown, None, rule="exact set")
        parsed, form = parse_cell(value), self._names.answer_form or "text"
        several = parsed if isinstance(parsed, list) else [parsed]
        places: Sequence[int | None] = [find_answer(one, published, form) for one in several]
        if places == [None] and isinstance(parsed, str):
            places = find_several(parsed, published, form) or places
        if None in places or not places:
            wrong, known = several[places.index(None)] if places else value, list(published)
            raise self._make_error("answer", f"{wrong!r} is, or holds, what is none of the choices {known!r}")
        right = tuple(dict.fromkeys(published[place] for place in places if place is not None))
        return _Answered(shown, ", ".join(right), rule="exact set", answers=right)

    def _open(self, published: tuple[str, ...], value: object) -> _Answered:
        field = self._names.choices
        listed = self._row.get(field) if isinstance(field, str) else list(published)
        if field is not None and listed and not self._reading.keeps_unanswerable:
            raise self._make_error("choices", f"{listed!r} does not hold two options or more")
        if self._names.rule == "named option":
            raise self._make_error("question", "lists no options, as in 'What is it? A. a dog B. a cat'")
        reference = ", ".join(map(format_text, value)) if isinstance(value, list) else format_text(value)
        return _Answered((), reference, NO_OPTIONS if reference.strip() or self._names.answer is None else NO_REFERENCE)

    def _reorder(self, published: tuple[str, ...]) -> _Answered:
        """Return options of which the first is right, shown in the order of `answer_orders` (MuChoMusic).

        Where the question itself shows them in the listed order, as the official script's prompts do, the list is in
        that order already.
        """
        order = self._row.get(ORDERS)
        if order is None:
            drawn = draw_order(self._read_id(), published)
            return _Answered(drawn, published[0])
        if not isinstance(order, list) or sorted(map(str, order)) != sorted(map(str, range(len(published)))):
            raise self._make_error("answer", f"{order!r} is not an order of {len(published)} options")
        inline = split_inline(fill(self._names.question or "", self._row))
        is_listed = inline is not None and inline.options == published
        shown = published if is_listed else tuple(published[int(place)] for place in order)
        return _Answered(shown, shown[list(map(int, order)).index(0)])


def read_instruction(name: object, arguments: object, question: object) -> Instruction:
    """Read an instruction and its arguments, the null ones left out; `BadConfig` says what of them is wrong."""
    if not isinstance(arguments, Mapping):
        raise BadConfig(f"{arguments!r} is not an object of arguments.")
    given = {key: value for key, value in arguments.items() if value is not None and value == value}  # noqa: PLR0124
    try:
        return Instruction.model_validate({"name": name, "prompt": question, **given})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise BadConfig(f"{'.'.join(map(str, problem['loc']))!r} of {name!r}: {word_problem(problem)}.") from error


def _refuse_unknown(name: str, given: FieldNames, table: Table) -> None:
    """Raise `BadConfig` where a named field is in no row."""
    for part, value in given.model_dump(exclude_none=True, exclude={"answer_form", "options", "rule"}).items():
        templates: Sequence[str] = value if isinstance(value, tuple) else (value,)
        unknown = [field for one in templates for field in list_names(one) if field not in table.fields]
        if unknown:
            raise BadConfig(
                f"{name} has no field {unknown[0]!r}, which is to be the {part}; it has {', '.join(table.fields)}."
            )
