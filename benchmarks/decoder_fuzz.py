"""Fuzz test of the decoding sandbox with damaged recordings: prints error codes, peak memory and time.

    python benchmarks/decoder_fuzz.py --count 10000 --seed 0

Each round takes a recording of our own making in one of eight formats, cuts it and changes bytes, and decodes it as
the HTTP API does (`services.audio.decoder_pool`). What is printed: rounds by outcome (a clip, or the code of the
refusal), what was raised that is not a refusal (0 is wanted), the most memory that one decoding process took, and
milliseconds of a whole 10 s clip in a process of its own against those in this one.
"""

import argparse
import asyncio
import time
from collections import Counter
from io import BytesIO

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from services.audio.decoder_pool import DecoderPool
from services.audio.decoding import DecodingLimits
from services.audio.load import decode
from services.errors import BadAudio
from services.types import SAMPLE_RATE

RATE = 48_000  # Hz
SNDFILE = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "vorbis": ("OGG", "VORBIS"), "mp3": ("MP3", None)}
FFMPEG = {"m4a": ("mp4", "aac"), "aac": ("adts", "aac"), "webm": ("webm", "libopus"), "opus": ("ogg", "libopus")}
BOUNDS = DecodingLimits(SAMPLE_RATE, 60.0)
NUM_TIMED = 30


def main() -> None:
    """Run all rounds."""
    parser = argparse.ArgumentParser(prog="benchmarks/decoder_fuzz.py")
    parser.add_argument("--count", type=int, default=1000, help="rounds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seeds = make_recordings(1.0)
    decoder, draw = DecoderPool(2), np.random.default_rng(options.seed)
    outcomes: Counter[str] = Counter()
    started = time.perf_counter()
    for number in track(range(options.count), "Decoding"):
        name = list(seeds)[number % len(seeds)]
        outcomes[asyncio.run(decode_and_classify(decoder, mutate(seeds[name], draw)))] += 1
    seconds = time.perf_counter() - started
    table = Table("outcome", "rounds", title=f"{options.count} recordings, seed {options.seed}")
    for code, rounds in outcomes.most_common():
        table.add_row(code, f"{rounds}")
    console = Console()
    console.print(table)
    console.print(f"{seconds:.0f} s; at most {decoder.peak_bytes / 1e6:.0f} MB in one process")
    console.print("10 s clip, ms: {:.1f} in a process of its own, {:.1f} in this one".format(*measure_ms(decoder)))
    decoder.close()


def make_recordings(duration_s: float) -> dict[str, bytes]:
    """Encode noise and a tone, two channels, in every accepted format."""
    seconds = np.arange(round(duration_s * RATE)) / RATE
    sound = 0.4 * np.sin(2 * np.pi * 440 * seconds) + np.random.default_rng(0).normal(0, 0.05, len(seconds))
    samples = np.repeat(sound[:, None], 2, axis=1).astype(np.float32)
    made = {name: _encode_with_sndfile(samples, *kind) for name, kind in SNDFILE.items()}
    return made | {name: _encode_with_ffmpeg(samples, *kind) for name, kind in FFMPEG.items()}


def _encode_with_sndfile(samples: NDArray[np.float32], kind: str, subtype: str | None) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, samples, RATE, format=kind, subtype=subtype)
    return buffer.getvalue()


def _encode_with_ffmpeg(samples: NDArray[np.float32], kind: str, codec: str) -> bytes:
    buffer = BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=RATE, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
        frame.rate = RATE
        parts = av.AudioResampler(stream.format, "stereo", RATE, frame_size=stream.frame_size or 960)
        for part in (*parts.resample(frame), *parts.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def mutate(data: bytes, draw: np.random.Generator) -> bytes:
    """Truncate a recording in half of the cases, and change up to 1 % of its bytes, with a bias to the header."""
    kept = bytearray(data[: draw.integers(1, len(data) + 1)] if draw.random() < 0.5 else data)
    for _ in range(draw.integers(0, 2 + len(kept) // 100)):
        within = min(len(kept), 256) if draw.random() < 0.5 else len(kept)
        kept[draw.integers(within)] = draw.integers(256)
    return bytes(kept)


async def decode_and_classify(decoder: DecoderPool, data: bytes) -> str:
    """Decode a recording; return "a clip" or the error code."""
    try:
        await decoder.decode(data, name="clip", bounds=BOUNDS)
    except BadAudio as error:
        return error.code
    return "a clip"


def measure_ms(decoder: DecoderPool) -> tuple[float, float]:
    """Return milliseconds of a 10 s clip, the median: confined, and in this process."""
    data = make_recordings(10.0)["wav"]
    confined, here = [], []
    for _ in range(NUM_TIMED):
        started = time.perf_counter()
        asyncio.run(decoder.decode(data, name="clip", bounds=BOUNDS))
        between = time.perf_counter()
        decode(data, name="clip")
        confined.append(between - started)
        here.append(time.perf_counter() - between)
    return 1e3 * float(np.median(confined)), 1e3 * float(np.median(here))


if __name__ == "__main__":
    main()
