"""Real recordings with metadata, as sources of clips: single sounds and speakers, each on one side of the split."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lalm.distill.facts import capitalise_first
from lalm.distill.metadata import Metadata, filter_by_licence, read_metadata
from lalm.synthesise.draft import Floats, SplitSide, hold_back
from lalm.synthesise.sounds.teacher import NO_TAGS, TeacherTags
from services.audio.load import load
from services.files import find_file

SHORTEST_S, LONGEST_S = 0.25, 20.0


@dataclass(frozen=True, slots=True)
class SourceRecording:
    """A real recording of one sound or one speaker."""

    row: Metadata
    file: Path
    side: SplitSide
    voice: str
    """Who speaks, as far as is known."""
    tags: TeacherTags = NO_TAGS

    @property
    def name(self) -> str:
        """Name of the sound, as an answer."""
        return capitalise_first(self.row.labels[0].strip()) if self.row.labels else ""

    @property
    def source(self) -> str:
        """Id among the sources of a clip."""
        return " ".join(self.row.recordings) or self.row.id

    def load(self) -> Floats:
        """Read the samples at 16 kHz, shape (num_samples,)."""
        return _load(self.file)


@cache
def _load(file: Path) -> Floats:
    return load(file).samples


class RecordingShelf:
    """The usable recordings of a metadata file, split by what they were recorded of.

    Args:
        metadata: JSON lines; audio paths are relative to the file.
        drop_licences: words of licences that are left out, such as NC.
        voice_patterns: regular expressions whose first group is the speaker in the id of a recording.
        seed: of the split.
        tag: teacher, which is given samples and known labels.
    """

    def __init__(
        self,
        metadata: Path,
        drop_licences: Sequence[str],
        voice_patterns: Sequence[str],
        seed: int,
        tag: Callable[[Floats, Sequence[str]], TeacherTags] | None = None,
    ) -> None:
        described = read_metadata(metadata)
        free = filter_by_licence(described, drop_licences)
        single = [row for row in free if _is_single(row)]
        rows = [row for row in single if find_file(metadata.parent, row.audio).is_file()]
        counts = {
            "licence": len(described) - len(free),
            "not one sound or one speaker whose words are known": len(free) - len(single),
            "no file": len(single) - len(rows),
        }
        self.left_out = {reason: count for reason, count in counts.items() if count}
        """Why rows of the metadata are not among the recordings -> their number."""
        sides = _split(rows, voice_patterns, seed)
        self.recordings: list[SourceRecording] = []
        for row in rows:
            file = find_file(metadata.parent, row.audio)
            tags = tag(load(file).samples, row.labels) if tag and row.task == "sound" else NO_TAGS
            voice = min(_find_voices(row, voice_patterns), default=row.recordings[0] if row.recordings else row.id)
            self.recordings.append(SourceRecording(row, file, sides[row.id], voice, tags))
        self._sources = {one.source for one in self.recordings}

    def holds(self, source: str) -> bool:
        """Return whether a source of a clip is one of the recordings."""
        return source in self._sources

    def list_sounds(self, side: SplitSide) -> list[SourceRecording]:
        """List the recordings of one sound event."""
        return [one for one in self.recordings if one.side == side and one.row.task == "sound"]

    def list_speech(self, side: SplitSide) -> list[SourceRecording]:
        """List the recordings of one speaker whose words are known."""
        return [one for one in self.recordings if one.side == side and one.row.task == "speech"]


def _is_single(row: Metadata) -> bool:
    """Return whether a clip holds one sound, or one speaker whose words are known, and nothing else."""
    if not SHORTEST_S <= row.duration <= LONGEST_S or row.order or row.background or row.speakers:
        return False
    if row.quality not in {None, "clean"}:
        return False
    return (row.task == "sound" and len(row.labels) == 1) or (row.task == "speech" and bool(row.transcript.strip()))


def _split(rows: Iterable[Metadata], voice_patterns: Sequence[str], seed: int) -> Mapping[str, SplitSide]:
    """Assign each row to a side of the split: rows that share a recording or a speaker to the same."""
    families: dict[str, set[str]] = {}
    for row in rows:
        keys = {row.id, *row.recordings, *_find_voices(row, voice_patterns)}
        joined = set().union(*(families.get(key, {key}) for key in keys))
        families |= dict.fromkeys(joined, joined)
    return {row.id: hold_back(f"{seed} {min(families[row.id])}") for row in rows}


def _find_voices(row: Metadata, patterns: Sequence[str]) -> set[str]:
    found = (re.search(pattern, recording) for pattern in patterns for recording in row.recordings)
    return {f"{match.re.pattern} {match[1]}" for match in found if match}
