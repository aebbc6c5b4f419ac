"""A clip in words, as DeSTA writes it: `[mm:ss-mm:ss] transcript (Attribute: value, …)`, one line a segment."""

from lalm.metadata import Metadata

QUALITIES = {
    "clean": "clean recording",
    "noise": "loud background hiss",
    "telephone": "narrow telephone bandwidth",
    "muffled": "muffled, high frequencies missing",
    "dropouts": "short gaps in the signal",
    "clip": "harsh clipping distortion",
    "reverb": "strong reverberation",
}


def seed_description(row: Metadata) -> str:
    """Return what the backbone reads in place of the clip."""
    if spans := row.spans:
        kind = "Speaker" if row.task == "speech" else "Sound"
        lines = [
            _line(span.start_s, span.end_s, "", [f"{kind}: {span.text.removesuffix(' speaker')}"]) for span in spans
        ]
        return "\n".join(lines)
    attributes = {"speech": _of_speech, "music": _of_music, "sound": _of_sound}[row.task](row)
    return _line(0.0, row.duration, row.transcript.strip(), attributes)


def _line(start_s: float, end_s: float, transcript: str, attributes: list[str]) -> str:
    parts = (f"[{_clock(start_s)}-{_clock(max(end_s, start_s + 1))}]", transcript, f"({', '.join(attributes)})")
    return " ".join(part for part in parts if part)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02}:{rest:02}"


def _of_speech(row: Metadata) -> list[str]:
    speaker = row.speaker
    known = {
        "Gender": speaker.gender,
        "Age": speaker.age,
        "Accent": speaker.accent,
        "Emotion": speaker.emotion and speaker.emotion.lower(),
        "Language": row.language,
        "English meaning": row.meaning,
        "Kind": row.caption.split(",")[0].split(" by ")[0] if row.caption.startswith(("Telephone", "Read")) else None,
        "Background sound": row.background and row.background.lower(),
        "Recording quality": row.quality and QUALITIES.get(row.quality, row.quality),
    }
    return [f"{name}: {value}" for name, value in known.items() if value]


def _of_music(row: Metadata) -> list[str]:
    piece = row.caption.split(";")[0].rstrip(".")
    known = {
        "Tempo": f"{row.bpm} BPM" if row.bpm else None,
        "Meter": row.meter,
        "Title": row.title and row.title.replace("_", " "),
    }
    return [piece, *(f"{name}: {value}" for name, value in known.items() if value)]


def _of_sound(row: Metadata) -> list[str]:
    known = {"Reason": row.reason and row.reason.replace("_", " "), "Age": row.age}
    sounds = ", ".join(name.strip().lower() for name in row.labels) or row.caption.rstrip(".")
    return [f"Sound: {sounds}", *(f"{name}: {value}" for name, value in known.items() if value)]
