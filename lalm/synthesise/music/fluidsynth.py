"""FluidSynth through its C library: plays notes with the instruments of a soundfont.

Debian: `apt-get install libfluidsynth3`. Source: https://www.fluidsynth.org/api/ (version 2).
"""

import ctypes
import ctypes.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from lalm.synthesise.draft import Floats
from services.errors import BadConfig
from services.types import SAMPLE_RATE

RENDER_RATE = 2 * SAMPLE_RATE  # Hz; sampled notes hold more than half of 16 kHz, which must not fold back
DRUM_BANK = 128  # bank of the drum kits in a General MIDI soundfont
CHANNEL = 0
BLOCK = 64  # samples; FluidSynth renders whole blocks, and keeps what is left of one for the next call
RELEASE = 0  # velocity of the end of a note
FAILED = -1
WARNING = 2  # level of a message


class Note(NamedTuple):
    """One note."""

    pitch: int
    """MIDI number: 60 is middle C."""
    start_s: float
    duration_s: float
    velocity: int = 90
    """Strength of the stroke, 1 to 127."""


class Preset(NamedTuple):
    """One instrument of a soundfont."""

    bank: int
    program: int
    name: str


class _NoteEvent(NamedTuple):
    time_s: float
    pitch: int
    velocity: int


class SoundFontPlayer:
    """A soundfont, opened in a synthesiser of its own.

    Args:
        file: in SF2 or SF3 format.

    Raises:
        BadConfig: FluidSynth is not installed, or the file is not a soundfont.
    """

    def __init__(self, file: Path) -> None:
        self._library = _load_library()
        if not file.is_file():
            raise BadConfig(f"No soundfont at '{file}': install its package, or name another file.")
        self._settings = self._library.new_fluid_settings()
        self._library.fluid_settings_setnum(self._settings, b"synth.sample-rate", ctypes.c_double(RENDER_RATE))
        self._library.fluid_settings_setint(self._settings, b"synth.dynamic-sample-loading", 1)
        owner = self._library.new_fluid_synth(self._settings)
        number = self._library.fluid_synth_sfload(owner, str(file).encode(), 1)
        if number == FAILED:
            raise BadConfig(f"'{file}' is not a soundfont that FluidSynth can read.")
        self._font = self._library.fluid_synth_get_sfont_by_id(owner, number)

    def list_presets(self) -> list[Preset]:
        """List the instruments, in the order of the file."""
        self._library.fluid_sfont_iteration_start(self._font)
        return list(self._iterate_presets())

    def _iterate_presets(self) -> Iterator[Preset]:
        while preset := self._library.fluid_sfont_iteration_next(self._font):
            name = self._library.fluid_preset_get_name(preset).decode(errors="replace")
            bank = self._library.fluid_preset_get_banknum(preset)
            yield Preset(bank, self._library.fluid_preset_get_num(preset), name)

    def render(self, notes: Sequence[Note], *, bank: int, program: int, tail_s: float = 1.0) -> Floats:
        """Play notes, and let them sound for `tail_s` after the last; 16 kHz, shape (num_samples,).

        Raises:
            BadConfig: the soundfont has no such preset.
        """
        with self._open_synth() as synth:
            number = self._library.fluid_sfont_get_id(self._font)
            if self._library.fluid_synth_program_select(synth, CHANNEL, number, bank, program) == FAILED:
                raise BadConfig(f"The soundfont has no preset {program} in bank {bank}.")
            blocks = list(self._play(synth, notes))
            blocks.append(self._write(synth, round(tail_s * RENDER_RATE / BLOCK)))
        return np.asarray(soxr.resample(np.concatenate(blocks), RENDER_RATE, SAMPLE_RATE), np.float32)

    @contextmanager
    def _open_synth(self) -> Iterator[int]:
        """Give a synthesiser of its own to one rendering: what a used one holds is heard in the next attack."""
        synth: int = self._library.new_fluid_synth(self._settings)
        self._library.fluid_synth_add_sfont(synth, self._font)
        try:
            yield synth
        finally:
            self._library.fluid_synth_remove_sfont(synth, self._font)
            self._library.delete_fluid_synth(synth)

    def _play(self, synth: int, notes: Sequence[Note]) -> Iterator[Floats]:
        """Yield what sounds between the starts and ends of notes."""
        starts = [_NoteEvent(note.start_s, note.pitch, note.velocity) for note in notes]
        ends = [_NoteEvent(note.start_s + note.duration_s, note.pitch, RELEASE) for note in notes]
        now = 0
        for event in sorted([*starts, *ends], key=lambda one: (one.time_s, one.velocity)):
            place = round(event.time_s * RENDER_RATE / BLOCK)
            yield self._write(synth, place - now)
            now = place
            if event.velocity != RELEASE:
                self._library.fluid_synth_noteon(synth, CHANNEL, event.pitch, event.velocity)
            else:
                self._library.fluid_synth_noteoff(synth, CHANNEL, event.pitch)

    def _write(self, synth: int, num_blocks: int) -> Floats:
        """Return what sounds in the next blocks, both channels averaged."""
        both = np.zeros((2, num_blocks * BLOCK), np.float32)
        left, right = (channel.ctypes.data_as(ctypes.c_void_p) for channel in both)
        self._library.fluid_synth_write_float(synth, num_blocks * BLOCK, left, 0, 1, right, 0, 1)
        return np.asarray(both.mean(0), np.float32)


def _load_library() -> ctypes.CDLL:
    """Load the C library, and declare what its functions take and return."""
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        raise BadConfig("Music needs FluidSynth: `apt-get install libfluidsynth3`, or set the shares of music to 0.")
    library = ctypes.CDLL(name)
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    signatures: dict[str, tuple[type | None, list[type]]] = {
        "fluid_set_log_function": (pointer, [number, pointer, pointer]),
        "new_fluid_settings": (pointer, []),
        "fluid_settings_setnum": (number, [pointer, text, ctypes.c_double]),
        "fluid_settings_setint": (number, [pointer, text, number]),
        "new_fluid_synth": (pointer, [pointer]),
        "fluid_synth_sfload": (number, [pointer, text, number]),
        "fluid_synth_get_sfont_by_id": (pointer, [pointer, number]),
        "fluid_sfont_iteration_start": (None, [pointer]),
        "fluid_sfont_iteration_next": (pointer, [pointer]),
        "fluid_preset_get_name": (text, [pointer]),
        "fluid_preset_get_banknum": (number, [pointer]),
        "fluid_preset_get_num": (number, [pointer]),
        "fluid_synth_add_sfont": (number, [pointer, pointer]),
        "fluid_synth_remove_sfont": (number, [pointer, pointer]),
        "fluid_sfont_get_id": (number, [pointer]),
        "delete_fluid_synth": (None, [pointer]),
        "fluid_synth_program_select": (number, [pointer, number, number, number, number]),
        "fluid_synth_noteon": (number, [pointer, number, number, number]),
        "fluid_synth_noteoff": (number, [pointer, number, number]),
        "fluid_synth_write_float": (number, [pointer, number, pointer, number, number, pointer, number, number]),
    }
    for function, (returned, taken) in signatures.items():
        found = getattr(library, function)
        found.restype, found.argtypes = returned, taken
    library.fluid_set_log_function(WARNING, None, None)  # it warns of every channel that plays nothing
    return library
