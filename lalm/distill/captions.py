"""Captions of other people's corpora, read once into fields: some facts about a clip stand nowhere else.

The forms are those of the captions that describe LibriSpeech, Asterisk's announcements and rendered music in
`metadata.jsonl`; a caption of another form gives no such facts. What has a column of its own is read from there.
"""

from typing import NamedTuple

from lalm.distill.metadata import Metadata

NAMED_KINDS = ("Telephone", "Read")  # first words of captions that begin with a kind of speech
SPEAKER = " speaker"  # last word of what a span of a conversation says


class CaptionedSpan(NamedTuple):
    """What is heard in a span of a clip: a sound, or who speaks."""

    start_s: float
    end_s: float
    content: str


class CaptionFacts(NamedTuple):
    """What a caption says beside the columns."""

    speech_kind: str | None
    """Such as "Telephone announcement"; None where it is not named."""
    piece: str
    """Of music: what is played, such as "Music: oboe playing a melody in a minor key, about 70 BPM"."""
    spans: tuple[CaptionedSpan, ...]
    """In order; empty where the caption is about the clip as a whole."""


def read_caption(row: Metadata) -> CaptionFacts:
    """Read what the caption of a clip says beside its columns."""
    names_kind = row.caption.startswith(NAMED_KINDS)
    return CaptionFacts(
        speech_kind=row.caption.split(",")[0].split(" by ")[0] if names_kind else None,
        piece=row.caption.split(";")[0].rstrip("."),
        spans=tuple(CaptionedSpan(one.start_s, one.end_s, one.text.removesuffix(SPEAKER)) for one in row.spans),
    )
