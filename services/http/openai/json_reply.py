"""Replies as JSON of a schema that the client sent: a field for the answer, and what else can be said of it.

The answer goes into a field whose values are the options (`enum`), or that is called answer, choice or the like; a
field for a reason gets the statement that decided, one for the confidence the probability. A required field that
nothing is known for is refused by name, before any model has worked.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import unquote

from pydantic import ConfigDict, Field, JsonValue
from pydantic_core import SchemaError, SchemaValidator

from services.errors import ModelError, Unsupported
from services.http.openai.content import OpenValue
from services.http.openai.prompt import ClientPrompt
from services.http.options.answer_words import compile_any, read_answer_words
from services.types import Answer, Choice, sort_by_use

Fill: TypeAlias = Callable[[Answer], JsonValue]
"""Answer -> the value of a field."""
Schema: TypeAlias = Mapping[str, JsonValue]

MOST_NESTED = 8
MOST_PARTS = 200  # of a schema, its references followed: one that refers to itself has parts without end
MOST_CONFIDENCE = 1000  # of a scale for confidence, such as per cent
SHORTEST_REASON = 10  # characters that every statement has
NOT_FOLLOWED = ("not", "if", "contains", "minProperties", "propertyNames", "dependentRequired", "dependentSchemas")
"""Rules of a schema that a value which was filled in might break."""
ANSWER_ALONE: dict[str, JsonValue] = {"type": "object", "properties": {"answer": {"type": "string"}}}
"""The schema of a reply as any JSON object."""
TRUTHS: Mapping[str, bool] = {"yes": True, "true": True, "no": False, "false": False}
SHOWN = "The reply is not the JSON that the prompt shows: {why}"
NO_EVIDENCE = "No statement about the recording decided."


class NamedSchema(OpenValue):
    """A JSON schema under a name."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    name: str = ""
    content: dict[str, JsonValue] = Field(alias="schema")


class TextFormat(OpenValue):
    """A reply in words."""

    type: Literal["text"]


class JSONObjectFormat(OpenValue):
    """A reply in JSON of any fields: those that the prompt shows, or one for the answer."""

    type: Literal["json_object"]


class JSONSchemaFormat(OpenValue):
    """A reply in JSON, as chat completions ask for it."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


class JSONReply:
    """The reply to a question with options as JSON of a schema.

    Args:
        schema: that the reply has to follow.
        prompt: the question with its options.
        param: the parameter that holds the schema.
    """

    def __init__(self, schema: Schema, prompt: ClientPrompt, param: str) -> None:
        self._schema, self._prompt, self._param = schema, prompt, param
        if not prompt.question.choices:
            raise Unsupported(
                "Only a question with options can be answered as JSON: list them in the text, or give 'choices'.",
                param=param,
            )
        self._num_parts = 0
        self._holds_answer = False
        self._fill = self._plan(schema, "", (), is_only=True)
        if self._num_parts > MOST_PARTS:  # some may have been left out
            raise self._refuse_size()
        if not self._holds_answer:
            raise self._refuse((), "has no field for the answer")

    def write(self, answer: Answer) -> str:
        """Return the reply; `ModelError` where the model chose no option."""
        if answer.choice is None:
            raise ModelError("The model's reply names none of the options, so it cannot be put into JSON.")
        return json.dumps(self._fill(answer), ensure_ascii=False)

    def _plan(self, schema: Schema, name: str, path: tuple[str, ...], *, is_only: bool) -> Fill:
        """Return how to fill a field; `is_only`: it is the only one that can hold the answer."""
        self._count_parts(1)
        schema = self._resolve(schema)
        if len(path) > MOST_NESTED:
            raise self._refuse(path, "is nested too deeply")
        if rule := next((name for name in NOT_FOLLOWED if name in schema), None):
            raise self._refuse(path, f"has the rule {rule!r}, which is not followed here")
        if alternatives := _list_alternatives(schema):
            return self._plan_first(alternatives, name, path, is_only=is_only)
        if "const" in schema:
            return _fill_with(schema["const"])
        if isinstance(values := schema.get("enum"), list):
            return self._plan_enum(values, path)
        if schema.get("type") == "object" or "properties" in schema:
            is_evidence = _has_any_word(read_answer_words().evidence, name)
            return self._plan_statement(schema, path) if is_evidence else self._plan_object(schema, path)
        if schema.get("type") == "array":
            return self._plan_array(schema, name, path, is_only=is_only)
        return self._plan_value(schema, name, path, is_only=is_only)

    def _plan_first(self, alternatives: Sequence[Schema], name: str, path: tuple[str, ...], *, is_only: bool) -> Fill:
        """Return how to fill the first of these that can be filled, at worst null."""
        refused: Unsupported | None = None
        for schema in alternatives:
            if schema.get("type") == "null":
                continue
            try:
                return self._plan(schema, name, path, is_only=is_only)
            except Unsupported as error:
                refused = refused or error
        if any(schema.get("type") == "null" for schema in alternatives):
            return _fill_with(None)
        raise refused or self._refuse(path, "has no alternative that can be filled")

    def _plan_object(self, schema: Schema, path: tuple[str, ...]) -> Fill:
        fields, needed = self._read_fields(schema, path)
        unsaid = [name for name, one in fields.items() if self._may_be_answer(name, one)]
        fills: dict[str, Fill] = {}
        for name, one in fields.items():
            try:
                fills[name] = self._plan(_require_schema(one), name, (*path, name), is_only=unsaid == [name])
            except Unsupported:
                if name in needed:
                    raise
        return lambda answer: {name: fill(answer) for name, fill in fills.items()}

    def _plan_statement(self, schema: Schema, path: tuple[str, ...]) -> Fill:
        """Return how to fill an object that stands for a statement: its only text is that statement."""
        fields, needed = self._read_fields(schema, path)
        texts = [name for name, one in fields.items() if self._resolve(_require_schema(one)).get("type") == "string"]
        if len(texts) != 1 or needed - set(texts):
            raise self._refuse(path, "wants more of a statement than its text")
        return lambda answer: {texts[0]: _find_reason(answer)}

    def _read_fields(self, schema: Schema, path: tuple[str, ...]) -> tuple[dict[str, JsonValue], set[str]]:
        """Return the fields of an object, and the names of those that are required."""
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise self._refuse(path, "is not described as JSON Schema has it")
        needed = {name for name in required if isinstance(name, str)}
        fields: dict[str, JsonValue] = {**properties, **{name: {} for name in sorted(needed - properties.keys())}}
        self._count_parts(len(fields))
        return fields, needed

    def _may_be_answer(self, name: str, schema: JsonValue) -> bool:
        kind = self._resolve(_require_schema(schema)).get("type", "string")
        words = read_answer_words()
        kinds = kind if isinstance(kind, list) else [kind]
        return ("string" in kinds or "array" in kinds) and not _has_any_word(words.evidence + words.confidence, name)

    def _plan_array(self, schema: Schema, name: str, path: tuple[str, ...], *, is_only: bool) -> Fill:
        items = self._resolve(_require_schema(schema.get("items", {})))
        if _has_any_word(read_answer_words().evidence, name) and items.get("type", "string") == "string":
            reason = self._plan_reason(items, path)
            return lambda answer: [reason(answer)]
        fill = self._plan(items, name, path, is_only=is_only)
        if (least := schema.get("minItems")) and isinstance(least, int | float) and least > 1:
            raise self._refuse(path, "wants several values, and there is one answer")
        return lambda answer: [fill(answer)]

    def _plan_enum(self, values: Sequence[JsonValue], path: tuple[str, ...]) -> Fill:
        """Return how to fill a field whose values are the options."""
        by_letter: dict[str, JsonValue] = {}
        for choice in self._prompt.question.choices:
            names = set(map(_fold, self._list_spellings(choice)))
            value = next((one for one in values if _fold(str(one)) in names), None)
            if value is None:
                raise self._refuse(path, f"has no value for the option {choice.text!r}")
            by_letter[choice.letter] = value
        self._holds_answer = True
        return lambda answer: by_letter[_require_choice(answer).letter]

    def _list_spellings(self, choice: Choice) -> Iterator[str]:
        mark = self._mark(choice)
        yield from (choice.text, mark, choice.letter)
        for one in (mark, choice.letter):
            yield from (f"({one})", f"{one}.", f"{one})", f"({one}) {choice.text}", f"{one}. {choice.text}")
            yield from (f"{one}) {choice.text}", f"{one}: {choice.text}", f"option {one}")

    def _mark(self, choice: Choice) -> str:
        return self._prompt.marks[ascii_uppercase.index(choice.letter)]

    def _plan_value(self, schema: Schema, name: str, path: tuple[str, ...], *, is_only: bool) -> Fill:
        words, kind = read_answer_words(), schema.get("type", "string")
        if kind in ("number", "integer") and _has_any_word(words.confidence, name):
            most, least = schema.get("maximum"), schema.get("minimum")
            high = float(most) if isinstance(most, int | float) and 0 < most <= MOST_CONFIDENCE else 1.0
            low = float(least) if isinstance(least, int | float) and 0 < least < high else 0.0
            return lambda answer: _scale_confidence(answer, low, high, is_whole=kind == "integer")
        if kind == "string" and _has_any_word(words.evidence, name):
            return self._plan_reason(schema, path)
        is_answer = is_only or _has_any_word(words.answer + words.option, name)
        if is_answer and kind == "string":
            return self._plan_answer(schema, name, path)
        texts = [choice.text.strip().lower() for choice in self._prompt.question.choices]
        if kind == "boolean" and all(text in TRUTHS for text in texts):
            self._holds_answer = True
            return lambda answer: TRUTHS[_require_choice(answer).text.strip().lower()]
        if is_answer and kind == "integer" and all(mark.isdecimal() for mark in self._prompt.marks):
            self._holds_answer = True
            return lambda answer: int(self._mark(_require_choice(answer)))
        raise self._refuse(path, "is required, and nothing is known for it")

    def _plan_reason(self, schema: Schema, path: tuple[str, ...]) -> Fill:
        """Return how to fill a field for a reason, cut where it may be no longer."""
        self._compile_bounds(schema, path)
        least, most = schema.get("minLength"), schema.get("maxLength")
        if "pattern" in schema or (isinstance(least, int) and least > SHORTEST_REASON):
            raise self._refuse(path, "wants a reason in a form that a statement about a recording may not have")
        end = most if isinstance(most, int) else None
        return lambda answer: _find_reason(answer)[:end]

    def _plan_answer(self, schema: Schema, name: str, path: tuple[str, ...]) -> Fill:
        """Return how to fill a field of any text with the answer: its letter where that is asked for, or has to be."""
        told = " ".join([name, str(schema.get("title", "")), str(schema.get("description", ""))])
        is_asked = self._prompt.form.kind == "letter" and not _has_any_word(("text",), told)
        by_letter = {choice.letter: self._mark(choice) for choice in self._prompt.question.choices}
        by_text = {choice.letter: choice.text for choice in self._prompt.question.choices}
        forms = (
            [by_letter, by_text]
            if is_asked or _has_any_word(read_answer_words().letter, told)
            else [by_text, by_letter]
        )
        check = self._compile_bounds(schema, path)
        fitting = next((form for form in forms if all(map(check, form.values()))), None)
        if fitting is None:
            raise self._refuse(path, "can hold neither the letters of the options nor their texts")
        self._holds_answer = True
        return lambda answer: fitting[_require_choice(answer).letter]

    def _compile_bounds(self, schema: Schema, path: tuple[str, ...]) -> Callable[[str], bool]:
        """Return the check of a text by the length and the pattern of a field, which takes linear time."""
        given = {"pattern": "pattern", "minLength": "min_length", "maxLength": "max_length"}
        bounds = {own: schema[key] for key, own in given.items() if schema.get(key) is not None}
        try:
            validator = SchemaValidator({"type": "str", **bounds})
        except SchemaError:
            raise self._refuse(path, "has a pattern or a length that cannot be read") from None
        return validator.isinstance_python

    def _count_parts(self, number: int) -> None:
        """Count parts of the schema, and refuse one of too many before any more is read."""
        self._num_parts += number
        if self._num_parts > MOST_PARTS:
            raise self._refuse_size()

    def _refuse_size(self) -> Unsupported:
        return self._refuse((), f"has more than {MOST_PARTS} parts, or refers to itself")

    def _resolve(self, schema: Schema) -> Schema:
        """Follow references within the schema, such as `#/$defs/Answer`."""
        for _ in range(MOST_NESTED):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            found: JsonValue = dict(self._schema)
            for part in reference.removeprefix("#").strip("/").split("/"):
                name = unquote(part).replace("~1", "/").replace("~0", "~")
                found = found.get(name) if name and isinstance(found, dict) else found
            if not reference.startswith("#") or not isinstance(found, dict):
                raise self._refuse((), f"refers to {reference!r}, which is not in it")
            schema = {**found, **{key: one for key, one in schema.items() if key != "$ref"}}
        raise self._refuse((), "refers to itself")

    def _refuse(self, path: tuple[str, ...], why: str) -> Unsupported:
        field = f"{'.'.join(path)!r}" if path else "it"
        return Unsupported(f"{self._param}: the schema cannot be filled, as {field} {why}.", param=self._param)


def _fill_with(value: JsonValue) -> Fill:
    return lambda _: value


def _require_choice(answer: Answer) -> Choice:
    assert answer.choice, "`write` refuses an answer without a choice"
    return answer.choice


def _find_reason(answer: Answer) -> str:
    """Return the statement that decided."""
    return next((one.text for one in sort_by_use(answer.evidence)), NO_EVIDENCE)


def _scale_confidence(answer: Answer, low: float, high: float, *, is_whole: bool) -> JsonValue:
    """Return the probability of the answer on a scale, such as per cent or 1 to 5."""
    confidence = low + (high - low) * answer.probabilities.get(_require_choice(answer).letter, 1.0)
    return round(confidence) if is_whole else round(confidence, 4)


def _list_alternatives(schema: Schema) -> list[Schema]:
    """Return the schemas of which a value has to follow one, or (`allOf`) which are mostly one."""
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(alternatives := schema.get(key), list):
            return [_require_schema(one) for one in alternatives]
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else []


def _require_schema(value: JsonValue) -> Schema:
    return value if isinstance(value, dict) else {}


def _fold(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _has_any_word(words: tuple[str, ...], name: str) -> bool:
    """Say whether the name of a field, such as `finalAnswer` or `final_answer`, has one of these words in it."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name)
    return bool(compile_any(words).search(spaced))


class JSONForm(NamedTuple):
    """How a reply is written as JSON."""

    reply: JSONReply | None = None
    """None: in words."""
    warnings: tuple[str, ...] = ()


def plan_object(prompt: ClientPrompt, param: str) -> JSONReply | None:
    """Return how to write a reply as some JSON object; None where the form that the prompt asks for is one already."""
    if prompt.question.choices and not prompt.shown and prompt.form.before.startswith("{"):
        return None
    return JSONReply(prompt.shown or ANSWER_ALONE, prompt, param)


def follow_example(prompt: ClientPrompt) -> JSONForm:
    """Return how to write the JSON that a prompt shows; a warning says which of its fields cannot be filled."""
    if prompt.shown is None:
        return JSONForm()
    try:
        return JSONForm(JSONReply(prompt.shown, prompt, "messages"))
    except Unsupported as error:
        return JSONForm(warnings=(SHOWN.format(why=error),))
