"""Voices of free speech synthesisers, run as commands: espeak-ng (formants), Flite and Festival (diphones, HTS).

Debian: `apt-get install espeak-ng flite festival` and the festvox packages of `voices.json`.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple, TypeAlias

from lalm.synthesise.draft import Draw, Floats, NoSource, SplitSide, hold_back, trim_silence
from services.audio.load import load
from services.errors import BadConfig
from services.types import Value

Engine: TypeAlias = Literal["espeak-ng", "flite", "festival"]
Gender: TypeAlias = Literal["male", "female"]
NORMAL_WPM = 165  # words a minute
LONGEST_CALL_S = 60.0
FESTIVAL_ENCODINGS = {"Czech": "iso-8859-2"}  # its voices do not read UTF-8; the others read ISO 8859-1


class VoiceFacts(NamedTuple):
    """Facts about a voice of Flite or Festival."""

    speaker: str
    """The person it was recorded of."""
    gender: Gender
    language: str
    accent: str


class VoiceTable(Value):
    """The voices that may speak."""

    espeak_speakers: Mapping[Gender, tuple[str, ...]]
    """Variants of the formants, each a speaker of any language."""
    espeak_english: Mapping[str, str]
    """Voice -> accent."""
    espeak_languages: Mapping[str, str]
    """Voice -> language."""
    flite: Mapping[str, VoiceFacts]
    """Voice -> speaker, gender, language, accent."""
    festival: Mapping[str, VoiceFacts]
    packages: Mapping[str, tuple[str, str]]
    """Voice, or else its synthesiser -> Debian package and licence."""


VOICE_TABLE = VoiceTable.model_validate_json(Path(__file__).with_name("voices.json").read_text(encoding="utf-8"))


class SyntheticVoice(NamedTuple):
    """One speaker in one language."""

    engine: Engine
    name: str
    """As the synthesiser calls it."""
    speaker: str
    """Who speaks, in whatever language: the split holds back speakers."""
    gender: Gender
    language: str
    accent: str = ""

    @property
    def source(self) -> str:
        """Id among the sources of a clip."""
        return f"{self.engine}:{self.speaker}"


class Delivery(NamedTuple):
    """Prosody of an utterance."""

    rate: float = 1.0
    """Speed, as a factor."""
    pitch: int = 50
    """Of espeak-ng, 0 to 99."""


@dataclass(frozen=True, slots=True)
class _Command:
    """How a synthesiser is called."""

    package: str
    build: Callable[[SyntheticVoice, str, Delivery, Path], Sequence[str]]
    reads_text: bool
    """Whether the text is read from standard input."""


def _call_espeak(voice: SyntheticVoice, text: str, how: Delivery, file: Path) -> Sequence[str]:
    speed = ("-s", str(round(NORMAL_WPM * how.rate)), "-p", str(how.pitch))
    return ("espeak-ng", "-v", voice.name, *speed, "-w", str(file), "--", text)


def _call_flite(voice: SyntheticVoice, text: str, how: Delivery, file: Path) -> Sequence[str]:
    stretch = f"duration_stretch={1 / how.rate:.3f}"
    return ("flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", str(file))


def _call_festival(voice: SyntheticVoice, _text: str, how: Delivery, file: Path) -> Sequence[str]:
    stretch = f"(Parameter.set 'Duration_Stretch {1 / how.rate:.3f})"
    return ("text2wave", "-eval", f"(begin (voice_{voice.name}) {stretch})", "-o", str(file))


COMMANDS: Mapping[Engine, _Command] = {
    "espeak-ng": _Command("espeak-ng", _call_espeak, reads_text=False),
    "flite": _Command("flite", _call_flite, reads_text=False),
    "festival": _Command("festival", _call_festival, reads_text=True),
}


def speak(voice: SyntheticVoice, text: str, how: Delivery = Delivery()) -> Floats:  # noqa: B008 - frozen
    """Synthesise a text at 16 kHz, without the silence before and after it; shape (num_samples,).

    Raises:
        BadConfig: the synthesiser or the voice is not installed.
        NoSource: the voice has no sounds for this text.
    """
    command = COMMANDS[voice.engine]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        encoding = FESTIVAL_ENCODINGS.get(voice.language, "iso-8859-1")
        given = text.encode(encoding, "replace") if command.reads_text else b""
        try:
            subprocess.run(  # noqa: S603 - a list of arguments, no shell
                command.build(voice, text, how, file),
                input=given,
                capture_output=True,
                check=True,
                timeout=LONGEST_CALL_S,
            )
        except FileNotFoundError as error:
            raise BadConfig(f"Speech needs {voice.engine}: `apt-get install {command.package}`.") from error
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise BadConfig(f"{voice.engine} does not speak with voice '{voice.name}': {''.join(said)}") from error
        if file.stat().st_size == 0:
            raise NoSource(f"{voice.name} cannot say {text!r}")
        samples = load(file).samples
    return trim_silence(samples)


class VoiceBank:
    """All voices of the chosen synthesisers, some held back for validation.

    Args:
        engines: the synthesisers.
        seed: of the split.
    """

    def __init__(self, engines: Sequence[Engine], seed: int) -> None:
        self._voices = [voice for voice in list_voices() if voice.engine in engines]
        self._seed = seed

    def draw(
        self,
        draw: Draw,
        *,
        language: str = "English",
        unlike: Sequence[SyntheticVoice] = (),
    ) -> SyntheticVoice:
        """Draw a voice, each synthesiser equally often; `NoSource` where this side of the split has none."""
        taken = {voice.speaker for voice in unlike}
        fitting = [
            voice
            for voice in self._voices
            if voice.language == language and voice.speaker not in taken and self.find_side(voice) == draw.side
        ]
        engines = sorted({voice.engine for voice in fitting})
        if not engines:
            raise NoSource(f"{draw.side}: no voice for {language}")
        engine = draw.rng.choice(engines)
        genders = sorted({voice.gender for voice in fitting if voice.engine == engine})
        wanted = draw.rng.choice(genders)
        return draw.rng.choice([voice for voice in fitting if (voice.engine, voice.gender) == (engine, wanted)])

    def list_languages(self, draw: Draw) -> list[str]:
        """List the languages that somebody on this side of the split speaks."""
        return sorted({voice.language for voice in self._voices if self.find_side(voice) == draw.side})

    def find_side(self, voice: SyntheticVoice) -> SplitSide:
        """Return the side of the split that a speaker is on."""
        return hold_back(f"{self._seed} {voice.speaker}")

    @property
    def voices(self) -> Sequence[SyntheticVoice]:
        """All voices."""
        return self._voices


def list_voices() -> list[SyntheticVoice]:
    """List all voices of the table."""
    voices = []
    spoken = {**dict.fromkeys(VOICE_TABLE.espeak_english, "English"), **VOICE_TABLE.espeak_languages}
    for gender, speakers in VOICE_TABLE.espeak_speakers.items():
        for speaker in speakers:
            for name, language in spoken.items():
                accent = VOICE_TABLE.espeak_english.get(name, "")
                voices.append(SyntheticVoice("espeak-ng", f"{name}+{speaker}", speaker, gender, language, accent))
    tables: Mapping[Engine, Mapping[str, VoiceFacts]] = {"flite": VOICE_TABLE.flite, "festival": VOICE_TABLE.festival}
    for engine, table in tables.items():
        voices += [SyntheticVoice(engine, name, *about) for name, about in table.items()]
    return voices
