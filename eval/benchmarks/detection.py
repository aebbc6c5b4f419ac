"""Detection of a file's fields: by the names that benchmarks use, checked against what the fields hold."""

from collections.abc import Container, Iterable, Mapping, Sequence

from eval.benchmarks.fields import (
    AUDIO_NAMES,
    NAMES,
    AnswerForm,
    FieldNames,
    Part,
    fill,
    find_family,
    find_letter_place,
    normalise,
    unwrap,
)
from eval.benchmarks.options import (
    AskedText,
    find_answer,
    format_text,
    read_first_label,
    read_labels,
    read_options,
    split_inline,
)
from eval.benchmarks.tables import (
    KEY,
    Table,
    TableRow,
    is_empty,
    is_name,
    is_path,
    is_sampled,
    may_name,
    unfold,
)
from eval.scoring.rules import WITHOUT_OPTIONS
from services.errors import BadConfig

QUESTION_WORDS = ("question", "instruction", "prompt", "query")
AUDIO_STEMS = ("audiopath", "audio", "audiofile", "path", "file", "wav", "clip")
OPTION_STEMS = ("choice", "option", "opt", "answer", "candidate", "ans", "")
MAX_CLASSES, MIN_ROWS = 6, 4  # answers that are classes: at most so many, each on so many rows on average
NUM_LETTERS = 26
ORDERS = "answer_orders"  # MuChoMusic's field beside `answers`


def detect_fields(name: str, table: Table, given: FieldNames, *, asks: bool = True) -> FieldNames:
    """Find the fields that `given` does not name; `BadConfig`, which begins with `name`, where two are possible.

    Raises `BadConfig` too where there is no question, or no options are found in any row. Where nothing will be asked
    (`asks`), as of predictions, a question is taken if one field is known for it, and none is needed.
    """
    return _Detector(name, table, given, asks=asks).detect()


def detect_recordings(name: str, table: Table, given: FieldNames) -> FieldNames:
    """Find the fields that name recordings, their ids and their sources, of a file that need not ask anything.

    Raises `BadConfig`, which begins with `name`, where there is none or several are possible.
    """
    return _Detector(name, table, given, asks=False).detect_recordings()


def is_nested(table: Table, given: FieldNames) -> bool:
    """Whether the question, the recording or a field that is named stands inside an object of a row, not at its top."""
    named = [name for name in given.model_dump(exclude_none=True).values() if isinstance(name, str)]
    if any("." in name and name not in table.fields for name in named):
        return True
    texts = {normalise(field) for row in table.rows for field, value in row.items() if isinstance(value, str)}
    asks = any(name in NAMES["question"] or any(word in name for word in QUESTION_WORDS) for name in texts)
    return not (given.question or asks) or not (
        given.audio or _hears(table) or not _hears(unfold(table, is_nested=True))
    )


def _hears(table: Table) -> bool:
    """Whether some field names a recording."""
    return any(is_path(value) for row in table.rows for value in row.values())


class _Detector:
    """One file whose fields are looked for."""

    def __init__(self, name: str, table: Table, given: FieldNames, *, asks: bool) -> None:
        self._asks = asks
        self._name = name
        self._table = table
        self._given = given
        inner = [field for field in table.fields if "." in field]
        outer = [field for field in table.fields if "." not in field]  # which win over inner ones
        self._by_name = {normalise(field.rpartition(".")[2]): field for field in reversed((*outer, *inner))}

    def detect(self) -> FieldNames:
        given = self._given
        audio = given.audio or self._find_audio()
        question = given.question or self._find_question()
        instructions = given.instructions or next(iter(self._list_candidates("instructions")), None)
        is_open = instructions is not None or given.rule in WITHOUT_OPTIONS
        choices = given.choices or (None if given.options or is_open else self._find_choices(question))
        options = given.options
        if choices is None and options is None and not is_open and not self._asks_inline(question):
            options = self._list_answers()
            if options is None and not self._holds_references():
                raise self._make_missing_error(
                    "choices", "the options", ", or the answers of open ones with answer=NAME"
                )
        found = FieldNames(audio=audio, question=question, choices=choices, options=options, instructions=instructions)
        answer, form = (given.answer, None) if instructions or given.rule == "refusal" else self._find_answer(found)
        found = found.model_copy(update={"answer": answer, "answer_form": form})
        used = {question, found.answer, *_list(choices), *_list(audio)}
        rest: dict[str, str | None] = {part: getattr(given, part) or self._find_label(part, used) for part in _LABELS}
        rest["arguments"] = given.arguments or (self._find_label("arguments", used) if instructions else None)
        rest["rule"] = given.rule or ("ifeval" if instructions else None)
        return found.model_copy(update=rest | {"id": given.id or self._find_id(used)})

    def detect_recordings(self) -> FieldNames:
        given = self._given
        audio = given.audio or self._find_audio()
        if audio is None:
            raise self._make_missing_error("audio", "the recording")
        used = _list(audio)
        cluster = given.cluster or self._find_label("cluster", used)
        return FieldNames(audio=audio, id=given.id or self._find_id(used), cluster=cluster)

    def _list_candidates(self, part: Part) -> list[str]:
        """Return the fields whose names are usual ones of a part, the most usual first."""
        return [self._by_name[name] for name in NAMES[part] if name in self._by_name]

    def _list_values(self, field: str) -> list[object]:
        return [row[field] for row in self._table.rows if field in row]

    def _find_audio(self) -> str | tuple[str, ...] | None:
        """Return the field of the recordings, even where some rows have none: those will be named."""
        if family := find_family(self._table.fields, AUDIO_STEMS):
            return family
        values = {
            field: [row[field] for row in self._table.rows if not is_empty(row.get(field))]
            for field in self._table.fields
        }
        named = self._list_candidates("audio")
        paths = [field for field, those in values.items() if those and all(map(is_path, those))]
        found = (
            [field for field in named if field in paths]
            or [field for field in named if any(map(is_path, values[field]))]
            or paths
            or [field for field in named if values[field] and all(map(is_name, values[field]))]
        )
        if len(found) > 1 and found[0] not in named:
            raise self._make_ambiguity_error("audio", found)
        if samples := next(
            (field for field in named if field not in found and any(map(is_sampled, values[field]))), None
        ):
            raise BadConfig(
                f"{self._name}: its field {samples!r} holds decoded samples; export the recordings as they are "
                "(of the Hub's library: cast_column with Audio(decode=False)), or name their paths with --fields."
            )
        sure = [field for field in named if normalise(field.rpartition(".")[2]) in AUDIO_NAMES]
        return next(iter(found or [field for field in sure if any(map(may_name, values[field]))]), None)

    def _find_question(self) -> str | None:
        def asks(field: str) -> bool:
            return any(isinstance(value, str) and value.strip() for value in self._list_values(field))

        named = self._list_candidates("question")
        if not self._asks:  # one that cannot be asked is not needed
            named = [field for field in named if all(isinstance(value, str) for value in self._list_values(field))]
        if found := list(filter(asks, named)) or (named if self._asks else []):  # an empty one is named row by row
            return found[0]
        likely = [field for field in self._table.fields if any(word in normalise(field) for word in QUESTION_WORDS)]
        found = list(filter(asks, likely))
        if len(found) == 1:
            return found[0]
        if not self._asks:
            return None
        raise (
            self._make_ambiguity_error("question", found)
            if found
            else self._make_missing_error("question", "the question")
        )

    def _find_choices(self, question: str | None) -> str | tuple[str, ...] | None:
        for field in self._list_candidates("choices"):
            if field != self._given.answer and any(len(read_options(value)) > 1 for value in self._list_values(field)):
                return field
        if family := find_family([field for field in self._table.fields if field != question], OPTION_STEMS):
            return family
        unreadable = ("choices", "options")  # each row's value will be named
        return next((self._by_name[name] for name in unreadable if name in self._by_name), None)

    def _asks_inline(self, question: str | None) -> bool:
        """Whether the question itself lists options."""
        return question is not None and any(split_inline(fill(question, row)) for row in self._table.rows)

    def _holds_references(self) -> bool:
        """Whether the file has answers in words, so that its questions are open."""
        field = self._given.answer or next(iter(self._list_candidates("answer")), None)
        return field is not None and all(isinstance(value, str | list) for value in self._list_values(field))

    def _list_answers(self) -> tuple[str, ...] | None:
        """Return the answers of a file without options, if they are so few that they are its classes."""
        for field in [self._given.answer] if self._given.answer else self._list_candidates("answer"):
            answers = sorted({format_text(unwrap(value)) for value in self._list_values(field)})
            is_few = 2 <= len(answers) <= MAX_CLASSES and len(self._table.rows) >= MIN_ROWS * len(answers)
            if is_few and any(find_letter_place(answer, NUM_LETTERS) is None for answer in answers):
                return tuple(answers)  # letters alone stand for options that are elsewhere
        return None

    def _find_answer(self, names: FieldNames) -> tuple[str | None, AnswerForm | None]:
        """Return the field of the answers and how they are given; None where the file holds none."""
        asked = [(row, read_asked(row, names)) for row in self._table.rows]
        if not any(what.options for _, what in asked):  # open questions: the answer is a reference
            return self._given.answer or next(iter(self._list_candidates("answer")), None), "text"
        if self._given.answer:
            return self._given.answer, self._given.answer_form or self._find_form(self._given.answer, asked)
        taken = {names.question, *_list(names.choices), *_list(names.audio)}
        named = [field for field in self._list_candidates("answer") if field not in taken]
        answering = {field: forms for field in named if (forms := self._list_forms(field, asked))}
        if answering:
            self._require_agreement(answering, asked)
            field, forms = next(iter(answering.items()))
            return field, self._given.answer_form or self._choose_form(field, forms)
        if not named and names.choices and names.choices == self._by_name.get("answers"):
            return self._find_orders(names.choices), "first"
        told = [field for field in named if not self._is_withheld(field, asked)]
        if told:  # some row has an answer that is none of its options: that row will be named
            return told[0], self._given.answer_form or self._find_nearest_form(told[0], asked)
        if not named:
            self._refuse_unnamed(taken, asked)
        return None, None

    def _refuse_unnamed(self, taken: Container[object], asked: "_AskedRows") -> None:
        """Raise `BadConfig` where fields without a usual name may hold the answer, or what some model predicted."""
        others = [field for field in self._table.fields if field not in taken and self._answers_all(field, asked)]
        letters = [field for field in self._table.fields if field not in taken and self._holds_letters(field)]
        if others or letters:
            raise self._make_ambiguity_error("answer", others or letters)

    def _find_orders(self, choices: object) -> str:
        """Return MuChoMusic's field of orders; without it, `answers` may hold options or answers that are accepted."""
        if ORDERS in self._table.fields:
            return ORDERS
        if self._given.answer_form != "first":
            raise BadConfig(
                f"{self._name}: its field {choices!r} may hold options of which the first is right (say so with "
                f"--fields answer_form=first), or the answers to an open question (--fields answer={choices})."
            )
        return str(choices)

    def _require_agreement(self, answering: Mapping[str, Sequence[AnswerForm]], asked: "_AskedRows") -> None:
        """Raise `BadConfig` where two fields may hold the answer and no reading makes them say the same."""
        places = [
            {tuple(_find_place(row, what, field, form) for row, what in asked) for form in forms}
            for field, forms in answering.items()
        ]
        if any(places[0].isdisjoint(other) for other in places[1:]):
            raise self._make_ambiguity_error("answer", list(answering))

    def _is_withheld(self, field: str, asked: "_AskedRows") -> bool:
        """Whether the field holds one value in all of several rows, such as "?" or -1, and it answers none of them."""
        values = self._list_values(field)
        is_one = len(values) >= MIN_ROWS and len(values) == len(self._table.rows) and len(set(map(str, values))) == 1
        return is_one and all(_find_place(row, what, field, form) is None for row, what in asked for form in FORMS)

    def _holds_letters(self, field: str) -> bool:
        """Whether every row has a letter there, which may or may not be an answer's."""
        values = [row.get(field) for row in self._table.rows]
        return all(isinstance(value, str) and find_letter_place(value, NUM_LETTERS) is not None for value in values)

    def _answers_all(self, field: str, asked: "_AskedRows") -> bool:
        """Whether a field without a usual name holds an option's text in every one of several rows."""
        exact = [field in row and row[field] in what.options for row, what in asked]
        return len(exact) > 1 and all(exact)

    def _find_form(self, field: str, asked: "_AskedRows") -> AnswerForm:
        forms = self._list_forms(field, asked)
        return self._choose_form(field, forms) if forms else self._find_nearest_form(field, asked)

    def _find_nearest_form(self, field: str, asked: "_AskedRows") -> AnswerForm:
        """Return the form that reads the most rows, where none reads all: the first of the rest will be named."""
        return max(FORMS, key=lambda form: sum(_find_place(row, what, field, form) is not None for row, what in asked))

    def _choose_form(self, field: str, forms: Sequence[AnswerForm]) -> AnswerForm:
        if len(forms) == 1:
            return forms[0]
        raise BadConfig(
            f"{self._name}: its field {field!r} may give the right option as {' or '.join(map(repr, forms))}, and they "
            f"differ (text: the option itself; letter: its letter; index0 and index1: its place from 0 or from 1). Say "
            f"which with --fields answer_form={forms[-1]}."
        )

    def _list_forms(self, field: str, asked: "_AskedRows") -> list[AnswerForm]:
        """Return the ways in which the field's values answer every row that has one."""
        pairs = [(what.name_right(row[field]), what.options) for row, what in asked if field in row and what.options]
        single = [(one, options) for value, options in pairs for one in (value if isinstance(value, list) else [value])]
        if not single:
            return ["text"] if pairs else []
        found = [form for form in FORMS if all(find_answer(value, one, form) is not None for value, one in single)]
        if "text" in found and (lettered := _compare_letters(single)):
            return lettered
        starts = {str(what.first_label) for _, what in asked if what.options}
        if starts in ({"0"}, {"1"}):  # numbered options: a number is that of one
            found = [form for form in found if form in {"text", f"index{min(starts)}"}]
        is_plain = all(type(value) is int for value, _ in single) and not self._lists_numbers()
        if "text" in found and not is_plain and starts == {"None"}:
            return ["text"]
        places = {form: [find_answer(value, one, form) for value, one in single] for form in found}
        return [form for form in found if form == found[0] or places[form] != places[found[0]]]

    def _lists_numbers(self) -> bool:
        """Whether some field holds options that are numbers themselves, so that a number may be one of them."""
        lists = [value for field in self._list_candidates("choices") for value in self._list_values(field)]
        return bool(lists) and all(isinstance(one, list) and all(map(_is_number, one)) for one in lists)

    def _find_label(self, part: Part, used: Iterable[object]) -> str | None:
        taken = set(used)
        return next((field for field in self._list_candidates(part) if field not in taken), None)

    def _find_id(self, used: Iterable[object]) -> str | None:
        if found := self._find_label("id", used):
            return found
        return KEY if KEY in self._table.fields else None

    def _make_missing_error(self, part: Part, what: str, also: str = "") -> BadConfig:
        return BadConfig(
            f"{self._name}: none of its fields is known to hold {what} (field {part!r}); they are "
            f"{', '.join(self._table.fields)}. Name it with --fields {part}=NAME{also}."
        )

    def _make_ambiguity_error(self, part: Part, found: Sequence[str]) -> BadConfig:
        return BadConfig(
            f"{self._name}: {' or '.join(map(repr, found))} may be the {part}; say which with --fields "
            f"{part}={found[0]}."
        )


_AskedRows = Sequence[tuple[TableRow, AskedText]]
FORMS: tuple[AnswerForm, ...] = ("text", "index0", "index1")
"""In which answers are looked for; a letter counts as text, unless options are letters themselves."""


def _find_place(row: TableRow, what: AskedText, field: str, form: AnswerForm) -> int | None:
    """Return which option a field calls the right one; None where the row has none, or it is none of the options."""
    value = unwrap(what.name_right(row.get(field)))
    return None if value is None else find_answer(value, what.options, form)


def _compare_letters(answers: Sequence[tuple[object, Sequence[str]]]) -> list[AnswerForm]:
    """Return how answers are meant that name an option and are another's letter, such as a note; else nothing."""
    texts = [format_text(value) for value, _ in answers]
    letters = [find_answer(value, options, "letter") for value, options in answers]
    exact = [
        options.index(text) if text in options else None for text, (_, options) in zip(texts, answers, strict=True)
    ]
    if all(None in {place, letter} or place == letter for place, letter in zip(exact, letters, strict=True)):
        return []
    forms: list[AnswerForm] = []
    if None not in exact:
        forms.append("text")
    if None not in letters:
        forms.append("letter")
    return forms or ["text"]


_LABELS: tuple[Part, ...] = ("task", "category", "sub_category", "difficulty", "cluster")


def read_asked(row: TableRow, names: FieldNames) -> AskedText:
    """Return the question of a row and its options, with the empty ones; options that the question repeats are cut."""
    question = fill(names.question or "", row)
    inline, label = split_inline(question), None
    labels: tuple[str, ...] = ()
    if isinstance(names.choices, tuple):
        labels = names.choices
        options = tuple(text for field in labels for text in (read_options([row.get(field)])))
    elif names.choices is None:
        return AskedText(question, names.options) if names.options else inline or AskedText(question, ())
    else:
        options = read_options(row.get(names.choices))
        label = read_first_label(row.get(names.choices))
        labels = read_labels(row.get(names.choices))
    is_repeated = inline is not None and bool(inline.question) and len(inline.options) == len(options)
    labels = labels if len(labels) == len(options) else ()
    return AskedText(inline.question if inline and is_repeated else question, options, label, labels)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _list(fields: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (fields,) if isinstance(fields, str) else fields or ()
