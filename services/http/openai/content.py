"""Messages and their parts, in every form in which clients send a text and a recording.

Chat completions have parts `text`, `input_audio`, `audio_url` (vLLM) and `file`; the Responses API `input_text`,
`input_audio` and `input_file`; chat templates and model hubs `audio`.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from services.audio.data_url import decode_base64, decode_data_url, is_data_url
from services.errors import BadRequest, Unsupported
from services.http.clips import AudioUpload
from services.questions import LONGEST_TEXT
from services.types import Message, Value

FETCHED = ("http://", "https://")
OTHER_RECORDINGS = "Recordings of earlier turns that are not heard again: {num}; the question is about the last ones."
OLD_TURNS = "Turns that are left out, because the conversation is long: the first {num}."
BESIDE = frozenset(
    {"cache_control", "description", "id", "index", "mime_type", "name", "source_type", "strict", "uuid"}
)
"""Fields inside of parts that change no answer: a schema is always followed, and what a recording is shows in it."""
NO_FILE_STORE = "This service keeps no files: send the recording itself, as base64."


class OpenValue(Value):
    """A record that may hold fields which this service does not know; they are ignored, with a warning."""

    model_config = ConfigDict(extra="allow")


class TextPart(OpenValue):
    """A text."""

    type: Literal["text", "input_text", "output_text"]
    text: str


class InputAudio(OpenValue):
    """A recording in base64, as a `data:` URL, or behind a URL."""

    data: str
    format: str | None = None
    """Ignored: the content tells the format."""


class AudioPart(OpenValue):
    """A recording."""

    type: Literal["input_audio"]
    input_audio: InputAudio


class AudioUrl(OpenValue):
    """The URL of a recording."""

    url: str


def _wrap_url(url: object) -> object:
    return {"url": url} if isinstance(url, str) else url


class AudioUrlPart(OpenValue):
    """A recording behind a URL, or in a `data:` URL."""

    type: Literal["audio_url"]
    audio_url: Annotated[AudioUrl, BeforeValidator(_wrap_url, json_schema_input_type=str | AudioUrl)]


class FileContent(OpenValue):
    """A file: its content in base64 or as a `data:` URL."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(OpenValue):
    """A file of a chat completion."""

    type: Literal["file"]
    file: FileContent


class InputFilePart(FileContent):
    """A file of the Responses API."""

    type: Literal["input_file"]
    file_url: str | None = None


class AudioBlock(OpenValue):
    """A recording as chat templates have it: base64, a `data:` URL or a URL."""

    type: Literal["audio"]
    audio: str | None = None
    audio_url: str | None = None
    base64: str | None = None
    data: str | None = None
    url: str | None = None


Part: TypeAlias = Annotated[
    TextPart | AudioPart | AudioUrlPart | FilePart | InputFilePart | AudioBlock, Field(discriminator="type")
]


def _wrap_text(content: object) -> object:
    if not isinstance(content, str | list | tuple):
        raise ValueError("text or a list of parts works")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


Parts: TypeAlias = Annotated[
    tuple[Part, ...], BeforeValidator(_wrap_text, json_schema_input_type=str | tuple[Part, ...])
]


class UserMessage(OpenValue):
    """What is asked."""

    role: Literal["user"]
    content: Parts


class InstructionMessage(OpenValue):
    """Instructions; only what they say about the form of the reply is followed."""

    role: Literal["system", "developer"]
    content: Parts


class EarlierReply(OpenValue):
    """A turn that was not the user's: it ends what was said before it. Of it the words of an assistant are read."""

    role: Literal["assistant", "tool", "function"]
    content: JsonValue = None


ChatMessage: TypeAlias = Annotated[UserMessage | InstructionMessage | EarlierReply, Field(discriminator="role")]


class Turn(NamedTuple):
    """What the messages of a request ask."""

    text: str
    """Of the last turn."""
    instructions: str
    """Texts of system and developer messages."""
    sounds: tuple[AudioUpload, ...]
    """The recordings of the last turn; without any, those of the last message before that has some."""
    earlier: tuple[Message, ...] = ()
    """What was said before, the latest `LONGEST_TEXT` characters of it in whole turns."""
    warnings: tuple[str, ...] = ()
    """What of the turns before is left out."""


def read_turn(messages: Sequence[ChatMessage], place: str) -> Turn:
    """Return the turn that is to be answered; `place` is the parameter that holds the messages.

    Turns are what the user says between replies of an assistant.
    """
    replies = [number for number, message in enumerate(messages) if isinstance(message, EarlierReply)]
    start = replies[-1] + 1 if replies else 0
    asked = [message for message in messages[start:] if isinstance(message, UserMessage)]
    if not any(message.content for message in asked):
        raise BadRequest("No message of role 'user' holds a question, after the last reply.", param=place)
    text = "\n".join(_list_texts(asked))
    if not text.strip():
        raise BadRequest("The messages hold no text; ask a question.", param=place)
    told = [message for message in messages if isinstance(message, InstructionMessage)]
    sounds, num_left = _find_sounds(messages, place, start)
    before = [turn for message in messages[:start] if (turn := _read_earlier(message))]
    earlier = _keep_latest(before)
    warnings = [OTHER_RECORDINGS.format(num=num_left)] if num_left else []
    if len(earlier) < len(before):
        warnings.append(OLD_TURNS.format(num=len(before) - len(earlier)))
    return Turn(text, "\n".join(_list_texts(told)), sounds, earlier, tuple(warnings))


def _read_earlier(message: ChatMessage) -> Message | None:
    """Return what the user or the assistant said in an earlier turn; None where that is nothing."""
    if isinstance(message, UserMessage):
        text, role = "\n".join(_list_texts([message])), "user"
    elif isinstance(message, EarlierReply) and message.role == "assistant":
        text, role = "\n".join(_list_reply_texts(message.content)), "assistant"
    else:
        return None
    return Message.model_validate({"role": role, "content": text}) if text.strip() else None


def _list_reply_texts(content: JsonValue) -> Iterator[str]:
    """Yield the texts of a reply, in whatever parts it came."""
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(text := part.get("text"), str):
            yield text


def _keep_latest(turns: Sequence[Message]) -> tuple[Message, ...]:
    lengths = list(accumulate(len(turn.content) for turn in reversed(turns)))
    num = sum(length <= LONGEST_TEXT for length in lengths)
    return tuple(turns[len(turns) - num :])


def _list_texts(messages: Sequence[UserMessage | InstructionMessage]) -> Iterator[str]:
    for message in messages:
        yield from (part.text for part in message.content if isinstance(part, TextPart))


class _KeptSounds(NamedTuple):
    kept: tuple[AudioUpload, ...]
    num_left: int
    """Other recordings that came before."""


def _find_sounds(messages: Sequence[ChatMessage], place: str, start: int) -> _KeptSounds:
    """Find the recordings of the last turn, which begins at message `start`, or else of the last message before it.

    All that came are opened, so that one that is malformed is refused wherever it stands.
    """
    found = [
        (number, _open_part(part, f"{place}[{number}].content[{index}]"))
        for number, message in enumerate(messages)
        if isinstance(message, UserMessage)
        for index, part in enumerate(message.content)
        if not isinstance(part, TextPart)
    ]
    last = found[-1][0] if found else start
    kept = tuple(sound for number, sound in found if number >= min(start, last))
    if len(kept) == len(found):
        return _KeptSounds(kept, 0)
    known = {(sound.data, sound.url) for sound in kept}
    return _KeptSounds(kept, sum((sound.data, sound.url) not in known for _, sound in found))


def _open_part(part: AudioPart | AudioUrlPart | FilePart | InputFilePart | AudioBlock, place: str) -> AudioUpload:
    if isinstance(part, AudioPart):
        return _open_text(part.input_audio.data, f"{place}.input_audio", "data")
    if isinstance(part, AudioUrlPart):
        return AudioUpload(url=part.audio_url.url, param=f"{place}.audio_url")
    if isinstance(part, AudioBlock):
        return _open_block(part, place)
    file, param = (part.file, f"{place}.file") if isinstance(part, FilePart) else (part, place)
    if isinstance(file, InputFilePart) and file.file_url:
        return AudioUpload(url=file.file_url, param=f"{param}.file_url")
    if file.file_data is None:
        raise Unsupported(NO_FILE_STORE, param=f"{param}.file_id")
    sound = _open_text(file.file_data, param, "file_data")
    return AudioUpload(sound.data, sound.url, file.filename or sound.name, sound.param)


def _open_block(part: AudioBlock, place: str) -> AudioUpload:
    fields = ("audio", "audio_url", "base64", "data", "url")
    given = [(name, text) for name in fields if (text := getattr(part, name)) is not None]
    if len(given) != 1:
        raise BadRequest(f"{place}: one of {', '.join(fields)} has to hold the recording.", param=place)
    return _open_text(given[0][1], place, given[0][0])


def _open_text(text: str, param: str, field: str) -> AudioUpload:
    """Return a recording that is written as base64, as a `data:` URL, or as a URL to fetch it from."""
    if text.startswith(FETCHED):
        return AudioUpload(url=text, param=param)
    try:
        data = decode_data_url(text) if is_data_url(text) else decode_base64(text)
    except ValueError as error:
        raise BadRequest(f"{param}.{field}: {error}.", param=f"{param}.{field}") from None
    return AudioUpload(data, param=param)


def list_unknown_fields(value: object, place: str = "") -> Iterator[str]:
    """Yield the place of every field in a record, and in the records that it holds, which this service does not know.

    Replies of an assistant are not looked into: of them only the words are read.
    """
    if isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from list_unknown_fields(one, f"{place}[{number}]")
    elif isinstance(value, BaseModel) and not isinstance(value, EarlierReply):
        before = f"{place}." if place else ""
        known = type(value).model_fields
        extra = value.model_extra or {}
        yield from (
            f"{before}{name}" for name, one in extra.items() if place and one is not None and name not in BESIDE
        )
        for name in known:
            yield from list_unknown_fields(getattr(value, name), f"{before}{name}")
