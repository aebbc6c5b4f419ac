"""Plain WAV read without libsndfile: the same clip, bit for bit, and everything that is not quite plain left alone."""

import asyncio
import struct
from io import BytesIO
from itertools import product

import numpy as np
import pytest
import soundfile

from services.audio import decoder_pool
from services.audio.decoder_pool import DecoderPool
from services.audio.decoding import DecodingLimits
from services.audio.load import decode, read_wav_here
from services.audio.pcm_wav import parse_plain_wav
from services.errors import AudioCode, BadAudio
from services.types import SAMPLE_RATE, AudioClip

LIMITS = DecodingLimits(SAMPLE_RATE, 60.0)
RNG = np.random.default_rng(7)
SAMPLES = RNG.integers(-32768, 32768, 4000, dtype="<i2").tobytes()
FORMAT = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
EXTENSIBLE = struct.pack(
    "<HHIIHHHHI16s", 0xFFFE, 1, 16_000, 32_000, 2, 16, 22, 16, 4, b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
)


def chunk(name: bytes, content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<4sI", name, len(content) if length is None else length) + content + b"\0" * (len(content) % 2)


def riff(*chunks: bytes, length: int | None = None) -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", b"RIFF", len(content) if length is None else length) + content


LIST = chunk(b"LIST", b"INFOISFT\4\0\0\0Lavf")


def wav(samples: np.ndarray, rate: int) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def read_here(data: bytes) -> AudioClip | None:
    found = parse_plain_wav(data)
    return read_wav_here(found, "clip", LIMITS) if found else None


def same(one: AudioClip | None, other: AudioClip) -> bool:
    assert one is not None
    about = (one.source_rate, one.num_channels, one.remarks) == (other.source_rate, other.num_channels, other.remarks)
    return about and one.samples.dtype == other.samples.dtype and np.array_equal(one.samples, other.samples)


@pytest.mark.parametrize(("rate", "num_channels"), list(product((8_000, 11_025, 16_000, 44_100, 48_000), (1, 2, 5))))
def test_the_clip_is_the_one_that_libsndfile_gives_bit_for_bit(rate: int, num_channels: int) -> None:
    noise = RNG.normal(0, 0.4, (300_000 // num_channels, num_channels))
    data = wav(noise, rate)
    if data[20:22] == b"\x01\0":
        assert same(read_here(data), decode(data, name="clip"))


@pytest.mark.parametrize(
    "samples",
    [
        np.stack([noise := RNG.normal(0, 0.1, 48_000), -noise], axis=1),  # channels that cancel each other
        np.full(8_000, 0.3) + RNG.normal(0, 0.01, 8_000),  # a constant offset
        np.array([-1.0, 1.0] * 4_000),  # full scale
        np.zeros(16_000),
    ],
    ids=["opposed", "offset", "full-scale", "silence"],
)
def test_what_is_odd_about_the_sound_is_remarked_as_the_decoder_does(samples: np.ndarray) -> None:
    data = wav(samples, 16_000)
    assert same(read_here(data), decode(data, name="clip"))


PLAIN = {
    "as every recorder writes it": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)),
    "a list before the samples": riff(chunk(b"fmt ", FORMAT), LIST, chunk(b"data", SAMPLES)),
    "a list behind the samples": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES), chunk(b"LIST", b"INFO")),
    "an odd chunk with its padding": riff(chunk(b"JUNK", b"odd"), chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)),
    "a broadcast chunk": riff(chunk(b"bext", bytes(602)), chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)),
    "a fact": riff(chunk(b"fmt ", FORMAT), chunk(b"fact", struct.pack("<I", 4000)), chunk(b"data", SAMPLES)),
}  # fmt: skip


def form(
    tag: int = 1, channels: int = 1, rate: int = 16_000, per_s: int = 32_000, frame: int = 2, bits: int = 16
) -> bytes:
    return riff(
        chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, per_s, frame, bits)), chunk(b"data", SAMPLES)
    )


NOT_PLAIN = {
    "extensible": riff(chunk(b"fmt ", EXTENSIBLE), chunk(b"data", SAMPLES)),
    "a format of 18 bytes": riff(chunk(b"fmt ", FORMAT + b"\0\0"), chunk(b"data", SAMPLES)),
    "data of length 0": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES, 0)),
    "no samples": riff(chunk(b"fmt ", FORMAT), chunk(b"data", b"")),
    "data of unknown length": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES, 0xFFFFFFFF)),
    "streamed": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES, 0xFFFFFFFF), length=0xFFFFFFFF),
    "RIFF of length 0": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES), length=0),
    "data longer than the file": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES, len(SAMPLES) + 2)),
    "data shorter than the file": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES, len(SAMPLES) - 2)),
    "cut off": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES))[:-100],
    "cut off in the header": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES))[:30],
    "only the head": b"RIFF\4\0\0\0WAVE",
    "bytes behind the end": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)) + b"TAG",
    "half a sample": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES + b"\1")),
    "an odd chunk without padding": riff(chunk(b"JUNK", b"odd")[:-1], chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)),
    "two chunks of samples": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES), chunk(b"data", SAMPLES)),
    "two formats": riff(chunk(b"fmt ", FORMAT), chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)),
    "samples before the format": riff(chunk(b"data", SAMPLES), chunk(b"fmt ", FORMAT)),
    "no format": riff(chunk(b"data", SAMPLES)),
    "an unknown chunk": riff(chunk(b"fmt ", FORMAT), chunk(b"wavl", b"abcd"), chunk(b"data", SAMPLES)),
    "a format cut short": riff(chunk(b"fmt ", FORMAT[:14]), chunk(b"data", SAMPLES)),
    "many chunks": riff(*[chunk(b"JUNK", b"")] * 40, chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)),
    "big endian": b"RIFX" + riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES))[4:],
    "64 bits of length": b"RF64" + riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES))[4:],
    "another form": riff(chunk(b"fmt ", FORMAT), chunk(b"data", SAMPLES)).replace(b"WAVE", b"AVI "),
    "8 bits": form(per_s=16_000, frame=1, bits=8),
    "24 bits": form(per_s=48_000, frame=3, bits=24),
    "12 bits in 16": form(bits=12),
    "floats": form(tag=3),
    "A-law": form(tag=6),
    "no channel": form(channels=0, per_s=0, frame=0),
    "a wrong size of frames": form(frame=4),
    "a wrong rate of bytes": form(per_s=31_999),
    "a rate that overflows": form(rate=0xFFFFFFFF, per_s=0xFFFFFFFE),
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_plain_files_are_read_here(data: bytes) -> None:
    assert same(read_here(data), decode(data, name="clip"))


@pytest.mark.parametrize("data", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_everything_else_is_left_to_the_decoder(data: bytes) -> None:
    assert parse_plain_wav(data) is None


@pytest.mark.slow
def test_damaged_headers_are_left_alone_or_read_as_the_decoder_reads_them() -> None:
    whole, num_read = PLAIN["a list before the samples"], 0
    for _ in range(3_000):
        data = bytearray(whole)
        for place in RNG.integers(0, 70, RNG.integers(1, 4)):
            data[place] = RNG.choice([0, 1, 2, 16, 255, RNG.integers(256)])
        try:
            here: AudioClip | AudioCode | None = read_here(bytes(data))
        except BadAudio as error:
            here = AudioCode(error.code)
        if here is None:
            continue
        num_read += 1
        try:
            there: AudioClip | AudioCode = decode(bytes(data), name="clip")
        except BadAudio as error:
            there = AudioCode(error.code)
        assert here == there if isinstance(here, AudioCode) or isinstance(there, AudioCode) else same(here, there)
    assert num_read > 100


class StartedPool(DecoderPool):
    """Notes whether it needed a process."""

    is_started = False

    def start(self) -> object:
        self.is_started = True
        return super().start()


def decode_in_pool(data: bytes, limits: DecodingLimits = LIMITS) -> tuple[AudioClip, bool]:
    """Decode in a pool of its own; return the clip, and whether a process decoded it."""
    pool = StartedPool(1)
    try:
        return asyncio.run(pool.decode(data, name="clip", bounds=limits)), pool.is_started
    finally:
        pool.close()


@pytest.mark.slow
def test_the_pool_reads_plain_files_itself_as_its_process_would(monkeypatch: pytest.MonkeyPatch) -> None:
    data = wav(RNG.normal(0, 0.2, (30_000, 2)), 44_100)
    here, in_process = decode_in_pool(data)
    assert not in_process
    monkeypatch.setattr(decoder_pool, "parse_plain_wav", lambda _: None)
    there, in_process = decode_in_pool(data)
    assert in_process and same(here, there)


@pytest.mark.slow
def test_a_long_file_is_not_read_while_others_wait() -> None:
    _, in_process = decode_in_pool(wav(np.zeros(61 * 2_000), 2_000), DecodingLimits(SAMPLE_RATE, 100.0))
    assert in_process


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (wav(np.zeros(10), 16_000), AudioCode.TOO_SHORT),
        (wav(np.zeros(60_000), 1_000), None),
        (wav(np.zeros(60_001), 1_000), AudioCode.TOO_LONG),
        (form(rate=999, per_s=1998), AudioCode.BAD_RATE),
        (
            form(channels=33, per_s=16_000 * 66, frame=66).replace(SAMPLES, SAMPLES[: 66 * 100]),
            AudioCode.TOO_MANY_CHANNELS,
        ),
    ],
)
def test_limits_hold_as_in_the_decoder(data: bytes, code: AudioCode | None) -> None:
    found = parse_plain_wav(data)
    if code is None:
        assert found and read_wav_here(found, "clip", LIMITS).duration_s == 60.0
    elif found:
        with pytest.raises(BadAudio) as caught:
            read_wav_here(found, "clip", LIMITS)
        assert caught.value.code == code
