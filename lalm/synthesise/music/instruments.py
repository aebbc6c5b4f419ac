"""Instruments of General MIDI: name, family, range; and the presets of soundfonts on each side of the split."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from lalm.synthesise.draft import Draw, Floats, NoSource, SplitSide, hold_back
from lalm.synthesise.music.fluidsynth import DRUM_BANK, Note, SoundFontPlayer
from services.types import Value

FIRST_SOUND = 120  # programs from here on are sounds, not instruments
FIRST_SYNTHETIC = 80
MELODIC = range(FIRST_SYNTHETIC)
ANY = range(FIRST_SOUND)


class NamedSound(Value):
    """Names of a sound of a soundfont."""

    name: str
    also: tuple[str, ...]
    """Names that are right too, or too close to be a wrong answer."""

    @property
    def also_true(self) -> frozenset[str]:
        """Names that no wrong option may have, in lower case."""
        return frozenset(one.lower() for one in (self.name, *self.also))


class MidiInstrument(NamedSound):
    """Names, family and range of the instrument of a program."""

    family: str
    low: int
    high: int
    """MIDI numbers of the lowest and highest usual note."""


class GeneralMidi(Value):
    """The instruments of General MIDI level 1."""

    programs: tuple[MidiInstrument, ...]
    sounds: tuple[NamedSound, ...]
    """Programs 120 to 127."""
    drums: Mapping[int, NamedSound]
    """MIDI number -> drum."""
    origins: Mapping[str, str]
    """Instrument -> region that it comes from."""


GENERAL_MIDI = GeneralMidi.model_validate_json(
    Path(__file__).with_name("general_midi.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One preset of one soundfont."""

    font: str
    player: SoundFontPlayer
    bank: int
    program: int

    @property
    def source(self) -> str:
        """Id among the sources of a clip."""
        return f"{self.font}:{self.bank}:{self.program}"

    @property
    def midi(self) -> MidiInstrument:
        """Name and range."""
        return GENERAL_MIDI.programs[self.program]

    @property
    def name(self) -> str:
        """Name of the instrument."""
        return self.midi.name

    def play(self, notes: Sequence[Note], *, tail_s: float = 1.0) -> Floats:
        """Render notes at 16 kHz, shape (num_samples,)."""
        return self.player.render(notes, bank=self.bank, program=self.program, tail_s=tail_s)


class Orchestra:
    """All presets of several soundfonts, some of each held back for validation.

    Args:
        players: by the name of the soundfont.
        seed: of the split.
    """

    def __init__(self, players: Mapping[str, SoundFontPlayer], seed: int) -> None:
        self._programs: dict[SplitSide, dict[int, list[Instrument]]] = {"train": {}, "validation": {}}
        self._kits: dict[SplitSide, list[Instrument]] = {"train": [], "validation": []}
        for font, player in players.items():
            for preset in player.list_presets():
                one = Instrument(font, player, preset.bank, preset.program)
                side = hold_back(f"{seed} {one.source}")
                if preset.bank == DRUM_BANK:
                    self._kits[side].append(one)
                elif preset.bank == 0:
                    self._programs[side].setdefault(preset.program, []).append(one)

    def list_instruments(self) -> Iterator[tuple[SplitSide, Instrument]]:
        """List all presets with the side of the split that each is on."""
        for side, programs in self._programs.items():
            for one in (*chain.from_iterable(programs.values()), *self._kits[side]):
                yield side, one

    def draw(self, draw: Draw, wanted: Sequence[int] = MELODIC) -> Instrument:
        """Draw an instrument of one of the wanted programs; `NoSource` where this side of the split has none."""
        known = self._programs[draw.side]
        programs = [one for one in wanted if one in known]
        if not programs:
            raise NoSource(f"{draw.side}: no preset of the programs {list(wanted)}")
        return draw.rng.choice(known[draw.rng.choice(programs)])

    def draw_several(self, draw: Draw, count: int, wanted: Sequence[int] = MELODIC) -> list[Instrument]:
        """Draw instruments whose names cannot be taken for one another; `NoSource` where there are not so many."""
        drawn: list[Instrument] = []
        for _ in range(8 * count):
            one = self.draw(draw, wanted)
            taken = frozenset[str]().union(*(other.midi.also_true for other in drawn))
            if len(drawn) < count and not taken & one.midi.also_true:
                drawn.append(one)
        if len(drawn) < count:
            raise NoSource(f"{draw.side}: no {count} instruments that differ")
        return drawn

    def draw_kit(self, draw: Draw) -> Instrument:
        """Draw a drum kit; `NoSource` where this side of the split has none."""
        if not self._kits[draw.side]:
            raise NoSource(f"{draw.side}: no drum kit")
        return draw.rng.choice(self._kits[draw.side])
