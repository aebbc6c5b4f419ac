"""Remarks on how a recording was read, as statements that everybody who reads an answer sees."""

from collections.abc import Sequence
from functools import cache

from services.digest import hash_modules
from services.types import AudioClip, Evidence, RemarkCode

SOURCE = "recording"

TEXTS: dict[RemarkCode, str] = {
    "cut_off": "The recording is cut off: it ends before its file says that it does; it is heard as far as it goes.",
    "damaged": "The recording is damaged: parts of it could not be decoded and are not heard.",
    "excess": "The file is longer than its header says; what follows is not sound that can be told, and is not heard.",
    "other_tracks": "The file holds several audio tracks; only its default track is heard.",
    "opposed_channels": "The channels of the recording cancel each other in opposite phase; they are heard realigned.",
    "noise_channel": "A channel of the recording holds nothing but steady noise; it is left out.",
    "not_finite": "Some samples of the recording are no finite numbers (NaN or infinity); they are heard as silence.",
    "offset": "The recording has a constant offset (DC), which is removed.",
}


def describe_remarks(clip: AudioClip) -> tuple[Evidence, ...]:
    """Return a statement for each remark on a clip."""
    return tuple(
        Evidence(
            kind="quality",
            source=SOURCE,
            revision=_find_revision(),
            text=TEXTS[remark],
            end_s=round(clip.duration_s, 2),
            reliability="measured",
        )
        for remark in clip.remarks
    )


def describe_each(clips: Sequence[AudioClip]) -> tuple[Evidence, ...]:
    """Return the remarks on the recordings of a question; of several each names the one that it is about."""
    if len(clips) == 1:
        return describe_remarks(clips[0])
    return tuple(
        statement.model_copy(update={"recording": number})
        for number, clip in enumerate(clips, start=1)
        for statement in describe_remarks(clip)
    )


@cache
def _find_revision() -> str:
    """Return the digest of all that reads recordings: hashed when the first remark is made."""
    return hash_modules("services.audio")[:8]
