"""Processor seconds and memory that a long recording takes, heard and asked about for the first time, and again.

    python benchmarks/long_recording.py --minutes 60

The recording is joined from the demo's speech: a reading with a pause of a second after it, over and over, and from
minute 12 to minute 13 another sentence of it. It is written as stereo at 44.1 kHz and decoded again, as a podcast is.
Perception starts with an empty cache. The last lines say what a minute of audio took, the peak of the memory, and
whether the question about minute 12 was shown that sentence.
"""

import asyncio
import resource
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Annotated, NamedTuple

import numpy as np
import soundfile
import soxr
import typer
from numpy.typing import NDArray
from rich.console import Console

from agents.cascade import Cascade
from agents.reading.relevance import select_statements
from services.audio.load import load
from services.cache.perception import CachedASR, CachedCaptioner
from services.catalog import ASRS, CAPTIONERS, DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM, LLMS, pick
from services.types import SAMPLE_RATE, AudioClip, Question
from services.weights.store import ensure_folder

RATE = 44_100  # Hz
READING_S, OTHER_S = (0.5, 23.5), (24.0, 28.2)  # of the demo's speech
OTHER_WORD = "heaven"  # in the other sentence only
QUESTION = Question.ask("What is said about minute 12?")

console = Console(highlight=False, soft_wrap=True)


class Spent(NamedTuple):
    """What asking once took."""

    cpu_s: float
    text: str
    """Of the statements that the LLM was shown."""
    num_statements: int


def join_speech(minutes: float) -> NDArray[np.float32]:
    """Return a recording at 16 kHz, shape (num_samples,)."""
    speech = load(ensure_folder("demo-speech") / "two_cities.wav")
    pause = np.zeros(SAMPLE_RATE, np.float32)
    reading, other = (np.concatenate([speech.cut(*span).samples, pause]) for span in (READING_S, OTHER_S))
    minute = 60 * SAMPLE_RATE
    whole = np.resize(reading, round(minutes * minute))
    if minutes >= 13:
        whole[12 * minute : 13 * minute] = np.resize(other, minute)
    return whole


def write_stereo(samples: NDArray[np.float32], file: Path) -> None:
    """Write a recording as stereo FLAC at 44.1 kHz, minute by minute."""
    resampler = soxr.ResampleStream(SAMPLE_RATE, RATE, 1, "float32")
    with soundfile.SoundFile(file, "w", RATE, 2) as out:
        for start in range(0, len(samples), 60 * SAMPLE_RATE):
            block = samples[start : start + 60 * SAMPLE_RATE]
            resampled = resampler.resample_chunk(block, last=start + len(block) == len(samples))
            out.write(np.stack([resampled, 0.8 * resampled], axis=1))


def ask(cascade: Cascade, clip: AudioClip) -> Spent:
    """Ask about minute 12."""
    started = process_time()
    answer = asyncio.run(cascade.answer(QUESTION, clip))
    shown = select_statements(QUESTION, answer.evidence, cascade.parts.llm.style)
    return Spent(process_time() - started, " ".join(one.text for one in shown), len(answer.evidence))


def main(minutes: Annotated[float, typer.Option(min=2)] = 60.0) -> None:
    """Hear a recording of so many minutes, ask about it twice, and print what it took."""
    with TemporaryDirectory() as folder:
        write_stereo(join_speech(minutes), file := Path(folder) / "long.flac")
        llm = pick(LLMS, "LLM", DEFAULT_LLM)(None)
        captioner = CachedCaptioner(pick(CAPTIONERS, "captioner", DEFAULT_CAPTIONER)(), Path(folder))
        cascade = Cascade(llm, captioner, CachedASR(pick(ASRS, "ASR", DEFAULT_ASR)(), Path(folder)))
        started = process_time()
        clip = load(file)
        decode_s = process_time() - started
        first, again = ask(cascade, clip), ask(cascade, clip)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"{minutes:g} minutes: decoded in {decode_s:.1f} s, {first.num_statements} statements")
    console.print(f"first question {first.cpu_s:.1f} s of processor, {first.cpu_s / minutes:.2f} s a minute of audio")
    console.print(f"asked again {again.cpu_s:.1f} s of processor")
    console.print(f"peak memory {peak_mb:.0f} MB")
    if minutes >= 13:
        console.print(f"minute 12 was shown: {'yes' if OTHER_WORD in first.text.lower() else 'no'}")


if __name__ == "__main__":
    typer.run(main)
