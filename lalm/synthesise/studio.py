"""Studio: everything that clips are made of, opened once."""

from dataclasses import dataclass

from lalm.synthesise.music.instruments import Orchestra
from lalm.synthesise.sounds.events import EventShelf
from lalm.synthesise.sounds.recordings import RecordingShelf
from lalm.synthesise.speech.voices import VoiceBank


@dataclass(frozen=True, slots=True)
class Studio:
    """The sources of all clips; None where the configuration names none."""

    events: EventShelf
    orchestra: Orchestra | None = None
    voices: VoiceBank | None = None
    recordings: RecordingShelf | None = None
