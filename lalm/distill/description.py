"""Seed description of a clip, in DeSTA's format: `[mm:ss-mm:ss] transcript (Attribute: value, …)`, a line a segment."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from lalm.distill.captions import read_caption
from lalm.distill.metadata import Metadata, SpeechKind

Attribute: TypeAlias = Callable[[Metadata], str | None]

QUALITIES = {
    "clean": "clean recording",
    "noise": "loud background hiss",
    "telephone": "narrow telephone bandwidth",
    "muffled": "muffled, high frequencies missing",
    "dropouts": "short gaps in the signal",
    "clip": "harsh clipping distortion",
    "reverb": "strong reverberation",
}

SPEECH_KINDS: Mapping[SpeechKind, str] = {
    "audiobook": "Read speech (audiobook)",
    "read speech": "Read speech",
    "telephone announcement": "Telephone announcement",
}
"""A description of a picture has no kind: its words alone show what it is."""

SPEECH: Mapping[str, Attribute] = {
    "Gender": lambda row: row.speaker.gender,
    "Age": lambda row: row.speaker.age,
    "Accent": lambda row: row.speaker.accent,
    "Emotion": lambda row: row.speaker.emotion and row.speaker.emotion.lower(),
    "Language": lambda row: row.language,
    "English meaning": lambda row: read_caption(row).translation,
    "Kind": lambda row: SPEECH_KINDS.get(read_caption(row).speech_kind or "picture description"),
    "Background sound": lambda row: row.background and row.background.lower(),
    "Recording quality": lambda row: row.quality and QUALITIES.get(row.quality, row.quality),
}
MUSIC: Mapping[str, Attribute] = {
    "Tempo": lambda row: f"{row.bpm} BPM" if row.bpm else None,
    "Meter": lambda row: row.meter,
    "Title": lambda row: row.title and row.title.replace("_", " "),
}
SOUND: Mapping[str, Attribute] = {
    "Sound": lambda row: ", ".join(name.strip().lower() for name in row.labels) or row.caption.rstrip("."),
    "Reason": lambda row: row.reason and row.reason.replace("_", " "),
    "Age": lambda row: row.age,
}
KNOWN = {"speech": SPEECH, "music": MUSIC, "sound": SOUND}
SPAN_NAMES = {"speech": "Speaker", "music": "Sound", "sound": "Sound"}
WHOLE = "Audio"  # attribute of a clip with stated facts, whose caption is complete
PIECE = "Music"  # first word of captions of music, which are used unchanged
ATTRIBUTES = sorted({name for known in KNOWN.values() for name in (*known, *SPAN_NAMES.values(), PIECE, WHOLE)})
"""All attribute names of seed descriptions."""


def describe_clip(row: Metadata) -> str:
    """Describe a clip in the text that the backbone reads in its place (arXiv:2507.02768, section 3)."""
    if row.facts:
        return _format_line(0.0, row.duration, row.transcript.strip(), [f"{WHOLE}: {row.caption.rstrip('.')}"])
    captioned = read_caption(row)
    if captioned.spans:
        kind = SPAN_NAMES[row.task]
        return "\n".join(_format_line(one.start_s, one.end_s, "", [f"{kind}: {one.text}"]) for one in captioned.spans)
    found = ((name, read(row)) for name, read in KNOWN[row.task].items())
    attributes = [captioned.piece] if row.task == "music" else []
    attributes += [f"{name}: {value}" for name, value in found if value]
    return _format_line(0.0, row.duration, row.transcript.strip(), attributes)


def _format_line(start_s: float, end_s: float, transcript: str, attributes: list[str]) -> str:
    parts = (
        f"[{_format_clock(start_s)}-{_format_clock(max(end_s, start_s + 1))}]",
        transcript,
        f"({', '.join(attributes)})",
    )
    return " ".join(part for part in parts if part)


def _format_clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02}:{rest:02}"
