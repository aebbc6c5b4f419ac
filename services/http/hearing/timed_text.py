"""Texts with times, in the formats of players and editors: SubRip, WebVTT, Audacity labels and RTTM."""

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple

SHORTEST_CUE_S = 0.001  # a cue that ends when it begins is dropped by players


class TimedLine(NamedTuple):
    """A text and when it holds."""

    start_s: float
    end_s: float
    text: str


def format_srt(lines: Sequence[TimedLine]) -> str:
    """Return subtitles as SubRip has them."""
    blocks = [
        f"{number}\n{_format_span(line, ',')}\n{_escape_cue(line.text)}" for number, line in enumerate(lines, start=1)
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def format_vtt(lines: Iterable[TimedLine]) -> str:
    """Return subtitles as WebVTT has them (W3C): markup is escaped, and no cue is without a length."""
    cues = (line._replace(end_s=max(line.end_s, line.start_s + SHORTEST_CUE_S)) for line in lines)
    blocks = (f"{_format_span(cue, '.')}\n{html.escape(' '.join(cue.text.split()), quote=False)}" for cue in cues)
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def format_audacity(lines: Iterable[TimedLine]) -> str:
    """Return a label track of Audacity: begin, end and text, a line each, with tabs between."""
    return "".join(f"{line.start_s:.6f}\t{line.end_s:.6f}\t{' '.join(line.text.split())}\n" for line in lines)


def format_rttm(turns: Iterable[TimedLine], name: str) -> str:
    """Return speaker turns as NIST's Rich Transcription Time Marked; the text of each is the speaker.

    `name` is that of the recording.
    """
    recording = "_".join(name.split()) or "audio"
    return "".join(
        f"SPEAKER {recording} 1 {turn.start_s:.3f} {turn.end_s - turn.start_s:.3f} <NA> <NA> "
        f"{'_'.join(turn.text.split())} <NA> <NA>\n"
        for turn in turns
    )


def _format_span(line: TimedLine, point: str) -> str:
    return f"{_format_time(line.start_s, point)} --> {_format_time(line.end_s, point)}"


def _escape_cue(text: str) -> str:
    return " ".join(text.split()).replace("-->", "→")


def _format_time(seconds: float, point: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
