"""Sources of clips made here: a soundfont of one sine wave, and recordings of noise."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.types import SAMPLE_RATE

SINE_HZ, SINE_KEY, SINE_RATE = 440.0, 69, 32_000
DRUM_BANK = 128
SOUNDS = ("A dog barking", "Rain falling", "A baby crying", "A rooster crowing")


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a RIFF chunk."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def write_soundfont(path: Path) -> None:
    """Write an SF2 file whose every preset is one looped sine wave (SoundFont 2.01, section 7)."""
    period = SINE_RATE / SINE_HZ
    wave = np.sin(2 * np.pi * np.arange(round(8 * period)) / period)
    samples = np.concatenate([wave, np.zeros(46)])
    presets = [(program, 0) for program in range(128)] + [(kit, DRUM_BANK) for kit in range(8)]
    headers = b"".join(
        struct.pack("<20sHHHIII", f"Preset {bank} {program}".encode(), program, bank, number, 0, 0, 0)
        for number, (program, bank) in enumerate(presets)
    )
    end = struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    bags = b"".join(struct.pack("<HH", number, 0) for number in range(len(presets) + 1))
    instrument, sample_mode, sample = 41, 54, 53
    to_instrument = b"".join(struct.pack("<HH", instrument, 0) for _ in presets) + bytes(4)
    loop = struct.pack("<HH", sample_mode, 1) + struct.pack("<HH", sample, 0) + bytes(4)
    header = struct.pack("<20sIIIIIBbHH", b"Sine", 0, len(wave), 0, len(wave), SINE_RATE, SINE_KEY, 0, 0, 1)
    parts = {
        b"phdr": headers + end,
        b"pbag": bags,
        b"pmod": bytes(10),
        b"pgen": to_instrument,
        b"inst": struct.pack("<20sH", b"Sine", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": struct.pack("<HH", 0, 0) + struct.pack("<HH", 2, 0),
        b"imod": bytes(10),
        b"igen": loop,
        b"shdr": header + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    info = chunk(b"ifil", struct.pack("<HH", 2, 1)) + chunk(b"isng", b"EMU8000\0") + chunk(b"INAM", b"Sine\0\0")
    content = (
        chunk(b"LIST", b"INFO" + info)
        + chunk(b"LIST", b"sdta" + chunk(b"smpl", (samples * 20_000).astype("<i2").tobytes()))
        + chunk(b"LIST", b"pdta" + b"".join(chunk(name, part) for name, part in parts.items()))
    )
    path.write_bytes(chunk(b"RIFF", b"sfbk" + content))


@pytest.fixture(scope="session")
def soundfont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("soundfont") / "sine.sf2"
    write_soundfont(path)
    return path


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the metadata of twelve sounds and twelve utterances of six speakers."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(5)
    rows = []
    for number in range(24):
        name = f"{number}.wav"
        soundfile.write(folder / name, rng.normal(0, 0.1, SAMPLE_RATE * 2), SAMPLE_RATE)
        row = {"id": str(number), "audio": name, "duration": 2.0, "caption": "Something.", "license": "CC0"}
        if number < 12:
            row |= {"task": "sound", "labels": [SOUNDS[number % 4]], "recordings": [f"sound:{number}"]}
        else:
            row |= {"task": "speech", "transcript": f"These are words of number {number}", "language": "English"}
            row |= {"recordings": [f"reader:{number % 6}-{number}"], "speaker": {"gender": "female"}}
        rows.append({**row, "sources": ["Test"]})
    rows.append({**rows[0], "id": "not free", "license": "CC BY-NC 4.0"})
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "clips.jsonl"
