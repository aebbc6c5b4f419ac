"""Evidence as lines of a prompt: one statement a line, quoted speech, certainty in words.

Speech from a recording is quoted (prompt injection): it is data, never an instruction.
"""

from collections.abc import Callable, Iterable, Sequence

from services.longform.clock import WHOLE_S, format_clock
from services.types import Evidence

SAID = 'Somebody says: "{text}"'
UNQUOTED = str.maketrans(
    dict.fromkeys('"“”„‟«»＂″‶ʺ˝״❝❞❠〝〞〟⹂🙶🙷🙸', "'")
)  # every double quote, as it would end the quotation
SURE, LIKELY, MAYBE, HARDLY = "", " (likely)", " (maybe)", " (hardly)"  # above 0.8, 0.5, 0.25, and below
SPAN, LONG_SPAN = "{start:.1f}-{end:.1f} s", "{start}-{end}"
RECORDING = "recording {number}"  # one of several


def format_statement(statement: Evidence, spell: Callable[[str], str] = str, *, whole_s: float | None = None) -> str:
    """Format a statement as one line: quoted speech can neither close its quotes nor begin a new line.

    Args:
        statement: one statement about a clip.
        spell: what becomes of speech before it is quoted, such as its numbers spelled as a question spells them.
        whole_s: length of the recording in seconds, where every statement about a part of it needs its span; None: only
            events and speech have theirs.

    """
    line = " ".join(_format_labels(statement).split())
    if statement.kind == "transcript":
        line = quote_speech(spell(line))
    place = _format_place(statement, whole_s)
    return f"{place}: {line}" if place else line


def name_statements(evidence: Sequence[Evidence]) -> dict[str, Evidence]:
    """Return the statements of an answer by the ids under which claims and plans cite them."""
    return {f"S{number}": statement for number, statement in enumerate(evidence, start=1)}


def join_transcript(evidence: Iterable[Evidence]) -> str:
    """Join the texts of all transcripts among evidence, in order."""
    return " ".join(one.text for one in evidence if one.kind == "transcript")


def quote_speech(text: str) -> str:
    """Quote what was said, on one line."""
    return SAID.format(text=" ".join(text.split()).translate(UNQUOTED))


def _format_place(statement: Evidence, whole_s: float | None) -> str:
    """Format which of several recordings a statement is about, and of an event or of speech when; empty: neither."""
    is_part = whole_s is not None and statement.end_s is not None and statement.end_s - statement.start_s < whole_s
    parts = [] if statement.recording is None else [RECORDING.format(number=statement.recording)]
    if (is_part or statement.kind in {"absence", "event", "transcript"}) and statement.end_s is not None:
        parts.append(_format_span(statement.start_s, statement.end_s))
    return ", ".join(parts)


def _format_span(start_s: float, end_s: float) -> str:
    """Format a span in seconds, one beyond the length of a short recording as a player shows it."""
    if end_s > WHOLE_S:
        return LONG_SPAN.format(start=format_clock(start_s), end=format_clock(end_s))
    return SPAN.format(start=start_s, end=end_s)


def _format_labels(statement: Evidence) -> str:
    """Return the text with the probabilities of its labels as words, which small models read better than digits."""
    text = statement.text
    for label in statement.labels:
        if label.probability is not None:
            text = text.replace(str(label), label.text + _name_certainty(label.probability))
    return text


def _name_certainty(probability: float) -> str:
    if probability > 0.8:
        return SURE
    return LIKELY if probability > 0.5 else MAYBE if probability > 0.25 else HARDLY
