"""Tools about what is said: words and phrases counted and placed, numbers added up, other possible transcripts."""

from pydantic import Field, field_validator

from agents.listening import transcript
from agents.listening.options.times import place_in_options
from agents.listening.places import describe_place
from agents.listening.tool import ListenedClip, Listeners, ToolArguments, ToolInput, ToolResult
from agents.listening.transcript import SpokenUnit
from services.digest import hash_modules
from services.errors import ModelError
from services.longform.clock import WHOLE_S
from services.longform.hearing import hear_parts
from services.longform.split import split
from services.protocols import GuidableASR, TranscriptionGuide
from services.types import Evidence, Label, Question

LEAST_SHARE = 0.05  # of the probability, below which an alternative is not told


class PhraseArguments(ToolArguments):
    """A word or several."""

    phrase: str = Field(min_length=1, description="Word or words, as they are said.")

    @field_validator("phrase")
    @classmethod
    def _require_word(cls, phrase: str) -> str:
        if not any(map(str.isalnum, phrase)):
            raise ValueError("no word is in it")
        return phrase


class PlaceArguments(PhraseArguments):
    """A word or several, and the times at which they may be said."""

    options: tuple[str, ...] = Field(default=(), description="Times to tell apart, such as 'at 3 s'.")


class UnitArguments(ToolArguments):
    """What is counted or added up."""

    unit: SpokenUnit = Field(default="words", description="Whether words or single digits count.")


class CountArguments(UnitArguments):
    """What is counted: words, digits, or one phrase of them."""

    phrase: str | None = Field(default=None, description="Word or words that alone count; default: all.")


class SaidArguments(ToolArguments):
    """A question about what is said, with its options."""

    question: str = Field(default="What is said?", description="The question.")
    options: tuple[str, ...] = Field(min_length=1, description="Options, one of which may be said.")


def plan_phrase(tool_input: ToolInput) -> PhraseArguments | None:
    """Count the words that the question names."""
    phrase = transcript.find_phrase(tool_input.question.text)
    return PhraseArguments(phrase=phrase) if phrase else None


def plan_place(tool_input: ToolInput) -> PlaceArguments | None:
    """Look for the words that the question names, in a recording that is not long."""
    phrase = transcript.find_phrase(tool_input.question.text)
    if not phrase or tool_input.clip.duration_s > WHOLE_S:
        return None
    return PlaceArguments(phrase=phrase, options=tuple(choice.text for choice in tool_input.question.choices))


def plan_whole(tool_input: ToolInput) -> ToolArguments | None:
    """Hear all of a recording that is not long."""
    return ToolArguments() if tool_input.clip.duration_s <= WHOLE_S else None


def times_words(listeners: Listeners) -> bool:
    """Tell whether the ASR gives times of words."""
    return isinstance(listeners.asr, GuidableASR) and listeners.asr.takes_guide


def writes_alternatives(listeners: Listeners) -> bool:
    """Tell whether the ASR is one whose beam search can be read."""
    from services.measurement.alternatives import find_decoder  # loads CTranslate2

    return find_decoder(listeners.asr.name) is not None


def plan_unit(tool_input: ToolInput) -> UnitArguments:
    """Count digits where the question names them."""
    return UnitArguments(unit=transcript.find_unit(tool_input.question.text))


def plan_count(tool_input: ToolInput) -> CountArguments:
    """Count digits where the question names them; where it names a word that is said, that word alone."""
    text = tool_input.question.text
    return CountArguments(
        unit=transcript.find_unit(text), phrase=transcript.find_spoken_phrase(text, tool_input.evidence)
    )


def plan_said(tool_input: ToolInput) -> SaidArguments | None:
    """Look for the options of the question."""
    options = tuple(choice.text for choice in tool_input.question.choices)
    return SaidArguments(question=tool_input.question.text, options=options) if options else None


async def count_phrase(listeners: Listeners, heard: ListenedClip, arguments: PhraseArguments) -> ToolResult:
    """Count how often a phrase is said."""
    return ToolResult(transcript.count_phrase(arguments.phrase, await _transcribe(listeners, heard)))


async def count_words(listeners: Listeners, heard: ListenedClip, arguments: CountArguments) -> ToolResult:
    """Count the words or digits that are said, or one phrase."""
    said = await _transcribe(listeners, heard)
    if arguments.phrase is not None:
        return ToolResult(transcript.count_phrase(arguments.phrase, said))
    return ToolResult(transcript.count_words(arguments.unit, said))


async def sum_numbers(listeners: Listeners, heard: ListenedClip, arguments: UnitArguments) -> ToolResult:
    """Add up the numbers that are said."""
    return ToolResult(transcript.sum_numbers(arguments.unit, await _transcribe(listeners, heard)))


async def find_option(listeners: Listeners, heard: ListenedClip, arguments: SaidArguments) -> ToolResult:
    """Find the option that is said."""
    question = Question.ask(arguments.question, arguments.options)
    return ToolResult(transcript.find_spoken_option(question, await _transcribe(listeners, heard)))


async def place_phrase(listeners: Listeners, heard: ListenedClip, arguments: PlaceArguments) -> ToolResult:
    """Find when a phrase is said, by the times of the words, and which of some times that is."""
    asr = listeners.asr
    if not (isinstance(asr, GuidableASR) and asr.takes_guide):
        raise ModelError(f"The ASR {asr.name!r} gives no times of words; whisper-base does.")
    segments = await asr.transcribe_guided(heard.clip, TranscriptionGuide(with_words=True))
    words = [
        (token, word) for segment in segments for word in segment.words for token in transcript.split_words(word.text)
    ]
    phrase = transcript.split_words(arguments.phrase)
    found = []
    for place in transcript.find_runs([token for token, _ in words], phrase):
        run = [word for _, word in words[place : place + len(phrase)]]
        said = " ".join(phrase)
        found.append(
            Evidence(
                kind="speaker",
                source=asr.name,
                revision=asr.revision,
                text=f"{said!r} is said from {run[0].start_s:.2f} to {run[-1].end_s:.2f} s, "
                f"{describe_place(run[0].start_s, run[-1].end_s, heard.clip.duration_s)}.",
                labels=(Label(text=said),),
                start_s=run[0].start_s,
                end_s=run[-1].end_s,
                confidence=round(min(word.probability for word in run), 2),
            )
        )
    return ToolResult((*found, *place_in_options(found, arguments.options, heard.clip)))


async def tell_alternatives(listeners: Listeners, heard: ListenedClip, _: ToolArguments) -> ToolResult:
    """List what may be said in each stretch of speech, likeliest first, where there is more than one possibility."""
    from services.measurement.alternatives import list_alternatives  # loads CTranslate2

    revision = hash_modules("services.asr", "services.measurement.alternatives")[:8]
    return ToolResult(
        tuple(
            Evidence(
                kind="transcript",
                source=f"{listeners.asr.name}-alternatives",
                revision=revision,
                text=one.text,
                start_s=round(window.start_s, 2),
                end_s=round(window.end_s, 2),
                confidence=round(one.share, 2),
                language=window.language,
            )
            for window in await list_alternatives(heard.clip, listeners.asr.name)
            if len(window.texts) > 1
            for one in window.texts
            if one.share >= LEAST_SHARE
        )
    )


async def _transcribe(listeners: Listeners, heard: ListenedClip) -> tuple[Evidence, ...]:
    """Return what was heard, or transcribe the recording where nothing was heard yet."""
    if heard.evidence is not None:
        return heard.evidence
    return (await hear_parts(await split(heard.clip), listeners.asr.transcribe)).statements
