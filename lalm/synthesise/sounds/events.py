"""Sound events to cut and mix: real recordings and physical models, each with its names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lalm.distill.facts import look_up
from lalm.synthesise.draft import Draw, Floats, NoSource, scale_to_peak, trim_silence
from lalm.synthesise.sounds.models import SOUND_MODELS
from lalm.synthesise.sounds.recordings import RecordingShelf, SourceRecording
from lalm.synthesise.sounds.teacher import NO_TAGS, TeacherTags
from lalm.synthesise.sounds.waves import fade
from services.types import SAMPLE_RATE

FAMILIES = ("Animal", "Nature", "Person", "Machine or signal")
FAMILY_OF = {"animal": "Animal", "nature": "Nature", "person": "Person", "machine": "Machine or signal"}
EDGE_S = 0.02  # of the fades at both ends of a cut
SHARE_OF_RECORDINGS = 0.5
SHARE_OF_NAMED_RECORDINGS = 0.7  # where a sound of a name may be computed too


@dataclass(frozen=True, slots=True)
class SoundEvent:
    """One sound with its names."""

    name: str
    also_true: frozenset[str]
    """Names that no wrong option may have, in lower case."""
    samples: Floats
    family: str = ""
    means: str = ""
    """What a listener can conclude from it; empty where that depends."""
    source: str = ""
    """Id of the recording; empty for what was computed."""
    tags: TeacherTags = NO_TAGS

    def cut(self, draw: Draw, seconds: float) -> Floats:
        """Cut out one of the loudest parts, without the silence before and after it, with fades at both ends."""
        length = round(seconds * SAMPLE_RATE)
        if len(self.samples) <= length:
            return fade(trim_silence(self.samples), EDGE_S)
        hop = max(1, length // 4)
        starts = range(0, len(self.samples) - length + 1, hop)
        energy = [float(np.square(self.samples[start : start + length]).sum()) for start in starts]
        best = sorted(range(len(energy)), key=energy.__getitem__)[-2:]
        start = starts[draw.rng.choice(best)]
        return fade(trim_silence(self.samples[start : start + length]), EDGE_S)


class EventShelf:
    """Draws sound events.

    Args:
        recordings: the real ones; None leaves the physical models.
    """

    def __init__(self, recordings: RecordingShelf | None) -> None:
        self._recordings = recordings

    def draw(self, draw: Draw, seconds: float, *, unlike: Sequence[SoundEvent] = ()) -> SoundEvent:
        """Draw an event longer than a quarter of a second that cannot be taken for one of the others."""
        taken = frozenset[str]().union(*(event.also_true for event in unlike))
        for _ in range(50):
            event = self._draw_any(draw, seconds)
            if not taken & event.also_true and len(event.samples) > SAMPLE_RATE // 4:
                return event
        raise NoSource("no further sound that differs")

    def draw_named(self, draw: Draw, name: str, seconds: float) -> SoundEvent:
        """Draw an event of a name, a recording where there is one."""
        real = self._recordings.list_sounds(draw.side) if self._recordings else []
        named = [one for one in real if one.name == name]
        is_modelled = any(model.name == name for model in SOUND_MODELS)
        if named and (not is_modelled or draw.decide(SHARE_OF_NAMED_RECORDINGS)):
            return _from_recording(draw.rng.choice(named))
        return _from_model(name, draw, seconds)

    def list_names(self) -> Mapping[str, frozenset[str]]:
        """Return name -> names that no wrong option may have, of all events."""
        known = {model.name: _list_names(model.name, model.also) for model in SOUND_MODELS}
        for one in self._recordings.list_sounds("train") if self._recordings else ():
            known.setdefault(one.name, frozenset({one.name.lower()}))
        return known

    def _draw_any(self, draw: Draw, seconds: float) -> SoundEvent:
        real = self._recordings.list_sounds(draw.side) if self._recordings else []
        if real and draw.decide(SHARE_OF_RECORDINGS):
            names = sorted({one.name for one in real})
            name = draw.rng.choice(names)  # each sound equally often, however many recordings it has
            return _from_recording(draw.rng.choice([one for one in real if one.name == name]))
        return _from_model(draw.rng.choice(SOUND_MODELS).name, draw, seconds)


def _from_model(name: str, draw: Draw, seconds: float) -> SoundEvent:
    model = next((one for one in SOUND_MODELS if one.name == name), None)
    if model is None:
        raise NoSource(f"{draw.side}: no recording of {name}")
    samples = scale_to_peak(np.asarray(model.render(draw, seconds), np.float32), -3)
    return SoundEvent(name, _list_names(name, model.also), samples, model.family, model.means)


def _from_recording(one: SourceRecording) -> SoundEvent:
    model = next((model for model in SOUND_MODELS if model.name == one.name), None)
    also = _list_names(one.name, (*(model.also if model else ()), *one.tags.heard))
    family = model.family if model else FAMILY_OF.get(look_up("sound_family", one.name), "")
    means = model.means if model else ""
    return SoundEvent(one.name, also, scale_to_peak(one.load(), -3), family, means, one.source, one.tags)


def _list_names(name: str, also: Sequence[str]) -> frozenset[str]:
    return frozenset(one.lower() for one in (name, *also))
