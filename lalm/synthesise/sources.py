"""Provenance: all recordings, presets and voices that clips are made of, with package, version, hash and licence."""

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from lalm.synthesise.config import SoundFontConfig
from lalm.synthesise.draft import SplitSide
from lalm.synthesise.music.instruments import Orchestra
from lalm.synthesise.sounds.recordings import RecordingShelf
from lalm.synthesise.speech.voices import VOICE_TABLE, VoiceBank, speak
from services.audio.load import load
from services.types import AudioClip, Value

SAMPLE_TEXT = "The quick brown fox jumps over the lazy dog, one, two, three."  # what the hash of a voice is taken of


class SourceRecord(Value):
    """One line of `sources.jsonl`."""

    id: str
    """As in the `recordings` of the rows."""
    kind: Literal["recording", "preset", "voice"]
    package: str
    version: str
    """Of the package; empty where it is not a Debian package of this machine."""
    file: str
    sha256: str
    """Of the decoded audio of a recording (float32, 16 kHz), of the whole file of a soundfont, and of a sentence that a
    voice says."""
    licence: str
    side: SplitSide


def list_presets(orchestra: Orchestra, fonts: Mapping[str, SoundFontConfig], root: Path) -> Iterator[SourceRecord]:
    """List the presets of all soundfonts."""
    hashes = {}
    for name, font in fonts.items():
        with (root / font.file).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    for side, one in orchestra.list_instruments():
        font = fonts[one.font]
        yield SourceRecord(
            id=one.source,
            kind="preset",
            package=font.package,
            version=find_version(font.package),
            file=font.file.name,
            sha256=hashes[one.font],
            licence=font.licence,
            side=side,
        )


def list_voices(bank: VoiceBank) -> Iterator[SourceRecord]:
    """List the speakers of all synthesisers, each with the hash of one sentence."""
    speakers = {voice.source: voice for voice in reversed(bank.voices)}
    for source, voice in speakers.items():
        package, licence = VOICE_TABLE.packages.get(voice.name) or VOICE_TABLE.packages[voice.engine]
        yield SourceRecord(
            id=source,
            kind="voice",
            package=package,
            version=find_version(package),
            file=voice.name,
            sha256=AudioClip(speak(voice, SAMPLE_TEXT)).sha256,
            licence=licence,
            side=bank.find_side(voice),
        )


def list_recordings(shelf: RecordingShelf) -> Iterator[SourceRecord]:
    """List the real recordings."""
    for one in shelf.recordings:
        yield SourceRecord(
            id=one.source,
            kind="recording",
            package=", ".join(one.row.sources),
            version="",
            file=one.row.audio,
            sha256=load(one.file).sha256,
            licence=one.row.license,
            side=one.side,
        )


@cache
def find_version(package: str) -> str:
    """Find the version of an installed Debian package; empty where there is none."""
    query = ["dpkg-query", "--show", "--showformat=${Version}", package]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout  # noqa: S603 - no shell
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""
