"""Request bodies: a multipart form or JSON, read to its end and validated, with errors that name the field."""

import asyncio
import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import AsyncGenerator, Callable, Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypeAlias, TypeVar
from urllib.parse import unquote_to_bytes

from fastapi import Request
from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from services.errors import BadRequest, Unsupported, word_problem
from services.http.access.limits import Limits
from services.http.access.uploads import find_upload_place
from services.http.json_keys import check_keys
from services.http.json_measure import check_measure
from services.types import Value

MAX_FIELDS = 100
MAX_FIELD_BYTES = 100_000  # of a field that is not a file
PLAIN_NAME = re.compile(rb";\s*filename\s*=", re.I)
ENCODED_NAME = re.compile(rb";\s*filename\*\s*=\s*([^';\s]*)'[^';\s]*'([^;\s]+)", re.I)
NUMBERED = re.compile(r"([^\[\]]+)\[(\d{1,3})\]")  # the name of an item of a list
LATIN_1 = (b"iso-8859-1", b"latin1", b"latin-1", b"windows-1252")

TAGGED = ("messages", "content", "input")  # lists of records of several kinds
TAGGED_FIELDS = ("response_format", "format")  # records of several kinds

LONGEST_VALUE = 60  # characters of a value that an error repeats
SAYS_VALUE = ("json_invalid", "union_tag_invalid", "value_error")  # errors whose message has the value

LEAVE_OUT = "is not supported here; leave it out"

# One body after the other: each step of several at once would keep the interpreter's lock from everybody else.
PARSER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="json")

AnyValue = TypeVar("AnyValue", bound=Value)
Parsed = TypeVar("Parsed")
Parameter = TypeVar("Parameter")


def accept_only(accepted: Container[object], hint: str) -> AfterValidator:
    """Return the validator of a parameter of OpenAI's that has no other values here; `hint` says what works."""

    def check(value: Parameter) -> Parameter:
        """Refuse any other value."""
        if value in accepted:
            return value
        raise PydanticCustomError("unsupported", hint)

    return AfterValidator(check)


def _fill_unset(value: object) -> object:
    return () if value is None else tuple(value) if isinstance(value, list) else value


Texts: TypeAlias = Annotated[
    tuple[str, ...], BeforeValidator(_fill_unset, json_schema_input_type=tuple[str, ...] | None)
]
"""A list of texts; null stands for a field that is not set, as clients write it."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a form."""

    name: str
    data: bytes


class MultipartForm:
    """A multipart form: its text fields and its files."""

    def __init__(self, fields: FormData, files: tuple[UploadedFile, ...]) -> None:
        self._fields = fields
        self.files = files

    @property
    def file(self) -> UploadedFile | None:
        """The one file of a form that may hold no more; None without one."""
        return next(iter(self.files), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its fields."""
        return tuple(dict.fromkeys(self._fields))

    def get_text(self, name: str) -> str | None:
        """Return the text of the field of that name, None without one; `BadRequest` where it was sent twice."""
        texts = self.get_texts(name)
        if len(texts) > 1:
            raise BadRequest(f"{name!r} was sent {len(texts)} times; send it once.", param=name)
        return next(iter(texts), None)

    def get_list(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list, whose fields may be called `name[]` or `name[0]` too, as many clients do."""
        numbered = sorted(
            (int(found[2]), known) for known in self.names if (found := NUMBERED.fullmatch(known)) and found[1] == name
        )
        texts = (text for _, known in numbered for text in self.get_texts(known))
        return (*self.get_texts(f"{name}[]"), *texts, *self.get_texts(name))

    def get_texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of all fields of that name."""
        values = self._fields.getlist(name)
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) != len(values):
            raise BadRequest(f"{name!r} has to be text, not a file.", param=name)
        return texts


class _FormParser(MultiPartParser):
    """Starlette's parser, which otherwise takes a file for text where no plain `filename` names it.

    It would also leave out a last part that is cut off, and read bytes that are not UTF-8 as Latin-1.
    """

    is_whole = False
    """Whether the boundary came that ends the form."""

    def on_end(self) -> None:
        """Take note of the last boundary."""
        self.is_whole = True
        super().on_end()

    def on_part_end(self) -> None:
        """End a part; text has to be in the charset of the form, which is UTF-8 unless its header says otherwise."""
        part = self._current_part
        if part.file is None and part.field_name != "file":  # of a recording without a name that is said elsewhere
            try:
                part.data.decode(self._charset)
            except (UnicodeDecodeError, LookupError):
                raise MultiPartException(f"{part.field_name!r} is not {self._charset.upper()}.") from None
        super().on_part_end()

    def on_headers_finished(self) -> None:
        """Name a file by its encoded name (RFC 5987, `filename*=UTF-8''%e4.wav`), or by its type where it has none."""
        part = self._current_part
        disposition = part.content_disposition or b""
        types = [value for name, value in part.item_headers if name == b"content-type"]
        if not PLAIN_NAME.search(disposition):
            if encoded := ENCODED_NAME.search(disposition):
                part.content_disposition = disposition + b'; filename="%s"' % _decode_name(encoded)
            elif types and not types[0].lower().startswith(b"text/"):
                part.content_disposition = disposition + b'; filename="file"'
        super().on_headers_finished()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take some more of a part; one that is too large is named."""
        part = self._current_part
        if part.file is None and len(part.data) + end - start > MAX_FIELD_BYTES:
            raise MultiPartException(
                f"{part.field_name!r} has more than {MAX_FIELD_BYTES} bytes; only a file with a name may."
            )
        super().on_part_data(data, start, end)


def drop_number(name: str) -> str:
    """Return the name of a list of which a field, such as `choices[0]`, is one item."""
    return NUMBERED.sub(r"\1[]", name)


def _decode_name(encoded: re.Match[bytes]) -> bytes:
    """Decode the name of a file that is percent-encoded, in one of the two charsets of RFC 5987; any other is UTF-8."""
    charset = "latin-1" if encoded[1].lower() in LATIN_1 else "utf-8"
    text = unquote_to_bytes(encoded[2]).decode(charset, "replace")
    return re.sub(r'["\\\x00-\x1f]', "_", text).encode()


async def read_json(request: Request, limits: Limits, parse: Callable[[bytes], Parsed]) -> Parsed:
    """Read a JSON body to its end and parse it in the thread for that, as it may hold an hour of sound."""
    kind = read_content_type(request)
    if kind != "application/json":
        raise refuse_content_type(kind, "application/json works")
    chunks = [chunk async for chunk in _stream_within_limits(request, limits)]
    return await asyncio.get_running_loop().run_in_executor(PARSER, _parse_measured, parse, chunks)


def _parse_measured(parse: Callable[[bytes], Parsed], chunks: list[bytes]) -> Parsed:
    body = b"".join(chunks).removeprefix(BOM_UTF8)
    chunks.clear()
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise BadRequest("The JSON is in UTF-16; send it as UTF-8.")
    check_measure(body)
    return parse(body)


def refuse_content_type(kind: str, works: str) -> HTTPException:
    """Return the error that refuses a media type; `works` says which do."""
    given = f"Content-Type is {kind!r}" if kind else "The request has no Content-Type"
    return HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{given}; {works}")


def read_content_type(request: Request) -> str:
    """Return the media type of a request's body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_form(
    request: Request, limits: Limits, known: tuple[str, ...] | None, *, max_files: int = 1
) -> MultipartForm:
    """Read a form whose fields have `known` names, None: any; its files are named 'file'."""
    body = _stream_within_limits(request, limits)
    parser = _FormParser(
        request.headers, body, max_files=max_files, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
    )
    try:
        fields = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(f"The form cannot be read: {error.message}") from None
    try:
        if not parser.is_whole:
            raise BadRequest("The form breaks off before the boundary that ends it.")
        for name in fields:
            if known is not None and name not in known and drop_number(name) not in known:
                raise Unsupported(f"No field named {name!r}. Known: {', '.join(known)}.", param=name)
        return MultipartForm(fields, tuple([await _read_file(file) for file in fields.getlist("file")]))
    finally:
        await fields.close()


def parse_json(kind: type[AnyValue], body: bytes) -> AnyValue:
    """Validate a JSON body."""
    try:
        parsed = kind.model_validate_json(body)
    except ValidationError as error:
        raise make_bad_request(error) from None
    check_keys(body)
    return parsed


def make_bad_request(error: ValidationError) -> BadRequest:
    """Return the error that says in one line what is wrong with the first field that is not valid."""
    first = error.errors(include_url=False)[0]
    param = _name_place(first["loc"]) or None
    if first["type"] == "extra_forbidden":
        return make_parameter_error(param)
    kind = Unsupported if first["type"] == "unsupported" else BadRequest
    return kind(f"{param or 'The JSON'}: {word_problem(first).rstrip('.')}{_word_value(first)}.", param=param)


def _word_value(problem: ErrorDetails) -> str:
    """Return the value that is not valid, where it is short and the message does not name it."""
    value = problem["input"]
    if problem["type"] in SAYS_VALUE or not isinstance(value, str | int | float) or len(str(value)) > LONGEST_VALUE:
        return ""
    return f", not {json.dumps(value, ensure_ascii=False)}"


def make_parameter_error(param: str | None) -> Unsupported:
    """Return the error that refuses a parameter of an unknown name."""
    return Unsupported(f"{param}: no parameter of that name is known.", param=param)


def _name_place(place: tuple[int | str, ...]) -> str:
    """Return the name of a place, such as `messages[0].content[1].text`."""
    name = ""
    for number, part in enumerate(place):
        if isinstance(part, int):
            name += f"[{part}]"
        elif not _is_tag(place, number):
            name += f".{part}" if name else part
    return name


def _is_tag(place: tuple[int | str, ...], number: int) -> bool:
    """Say whether this is the kind of a message or a content part, which pydantic puts into a place, and not a key."""
    if number >= 1 and place[number - 1] in TAGGED_FIELDS:
        return True
    return number >= 2 and place[number - 2] in TAGGED and isinstance(place[number - 1], int)


async def _stream_within_limits(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    if (coding := request.headers.get("content-encoding", "identity").strip().lower()) not in ("", "identity"):
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding is {coding!r}; send the body as it is, not compressed"
        )
    announced, num_bytes = _read_announced_size(request), 0
    limits.check_bytes(announced)
    place = find_upload_place(request)
    place.grow_to(announced)
    async for chunk in request.stream():
        num_bytes += len(chunk)
        limits.check_bytes(num_bytes)
        place.grow_to(num_bytes)
        yield chunk


def _read_announced_size(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() and length.isascii() else 0


async def _read_file(file: UploadFile | str) -> UploadedFile:
    if isinstance(file, str):
        raise BadRequest("'file' has to be a file with a name, as `curl -F file=@clip.wav` sends it.", param="file")
    return UploadedFile(file.filename or "audio", await file.read())
