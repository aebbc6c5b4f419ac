"""Caption parsing: facts that older metadata states only in the caption of a clip, read into typed fields.

The patterns are those of one corpus: LibriSpeech, Asterisk's announcements, rendered music, samples, and music of games
and telephone lines. They match whole phrases, mostly at the start, so a caption in other words yields no facts. A
column of the row takes precedence over its caption.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lalm.distill.metadata import Metadata, MetadataSpan, MusicUse, Playing, SpeechKind

TRANSLATION = re.compile(r'English meaning: "(.*)"')
SPANS = re.compile(r"\[(\d+(?:\.\d+)?)s-(\d+(?:\.\d+)?)s\] ([^;]+?)(?: speaker)?(?=;|\.?$)")
SAMPLE = re.compile(r"Music sample \((.+?)\)")
TITLE = re.compile(r'; title(?: of the piece)?: ".*"\.?$')
SPEECH_KINDS: Mapping[str, SpeechKind] = {
    "Telephone announcement": "telephone announcement",
    "Read speech (audiobook)": "audiobook",
    "Read speech by": "read speech",
    "Short spoken description": "picture description",
}
PLAYING: tuple[tuple[re.Pattern[str], Playing], ...] = (
    (re.compile(r"Music: .+ playing an? \w+ chord, then its notes one by one"), "chord"),
    (re.compile(r"Music: .+ playing a [\w ]+ scale up and down"), "scale"),
    (re.compile(r"Music: .+ playing a melody in a \w+ key"), "melody"),
)
MUSIC_USES: Mapping[str, MusicUse] = {
    "Instrumental music (music on hold)": "on hold",
    "Orchestral game music": "game",
}


class CaptionFacts(NamedTuple):
    """Facts about a clip from its columns, or else from its caption."""

    speech_kind: SpeechKind | None
    translation: str
    spans: tuple[MetadataSpan, ...]
    """In order; empty where the clip is described as a whole."""
    playing: Playing | None
    music_use: MusicUse | None
    sample_kind: str | None
    piece: str
    """Of music: the caption without its full stop and without the title."""


def read_caption(row: Metadata) -> CaptionFacts:
    """Read the facts about a clip from its columns, or else from its caption."""
    text = row.caption
    translation, sample = TRANSLATION.search(text), SAMPLE.match(text)
    speech_kind = next((kind for opening, kind in SPEECH_KINDS.items() if text.startswith(opening)), None)
    playing = next((what for pattern, what in PLAYING if pattern.match(text)), None)
    music_use = next((use for opening, use in MUSIC_USES.items() if text.startswith(opening)), None)
    spans = (MetadataSpan(start_s=start, end_s=end, text=what) for start, end, what in SPANS.findall(text))
    return CaptionFacts(
        speech_kind=row.speech_kind or speech_kind,
        translation=row.translation or (translation[1] if translation else ""),
        spans=row.spans or tuple(spans),
        playing=row.playing or playing,
        music_use=row.music_use or music_use,
        sample_kind=row.sample_kind or (sample[1] if sample else None),
        piece=TITLE.sub("", text).rstrip("."),
    )
