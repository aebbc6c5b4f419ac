"""Render the training clips of the instrument classifier with FluidSynth.

    apt-get install fluidsynth fluid-soundfont-gm musescore-general-soundfont-small
    python -m benchmarks.instruments.render FONT.sf2 OUT_FOLDER --clips 60 --seed 1

Leaves one FOLDER/LABEL_PROGRAM.flac per programme: clips of 3 s, one every 4 s, at 16 kHz.
"""

import argparse
import random
import subprocess
import tempfile
from pathlib import Path

import soundfile as sf

from benchmarks.instruments.score import CLIP_S, GAP_S, KIT, PITCHED, STRUCK, InstrumentPart, compose_clip, write_midi
from services.types import SAMPLE_RATE


def render(font: Path, score: bytes, target: Path) -> None:
    """Play a MIDI file through a soundfont into a mono FLAC file at `SAMPLE_RATE`."""
    with tempfile.TemporaryDirectory() as folder:
        song, wave = Path(folder, "song.mid"), Path(folder, "song.wav")
        song.write_bytes(score)
        command = [
            "fluidsynth",
            "-ni",
            "-q",
            "-g",
            "0.6",
            "-o",
            "synth.dynamic-sample-loading=1",
            "-o",
            "audio.file.type=wav",
        ]
        command += ["-F", str(wave), "-r", str(2 * SAMPLE_RATE), str(font), str(song)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        samples, rate = sf.read(wave, dtype="float32", always_2d=True)
    import soxr

    mono = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE)
    sf.write(target, mono, SAMPLE_RATE, subtype="PCM_16")


def render_part(font: Path, part: InstrumentPart, folder: Path, num_clips: int, seed: int) -> None:
    """Render one class: its programmes share the clips."""
    programs: tuple[int | None, ...] = tuple(dict.fromkeys(part.programs)) or (None,)
    for program in programs:
        rng = random.Random(f"{part.label} {program} {seed}")  # noqa: S311 - music, not secrets
        weight = part.programs.count(program) / len(part.programs) if program is not None else 1.0
        clips = [compose_clip(part, rng) for _ in range(max(8, round(num_clips * weight)))]
        target = folder / f"{part.label}_{'drums' if program is None else program}.flac"
        if not target.exists():
            render(font, write_midi(clips, program), target)


def main() -> None:
    """Render every class with one soundfont."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("font", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for part in (*PITCHED, *STRUCK, KIT):
        render_part(args.font, part, args.folder, args.clips, args.seed)


def find_slices(path: Path) -> list[tuple[int, int]]:
    """Return the sample span of every clip in a rendered file."""
    num_samples = sf.info(path).frames
    slot = int((CLIP_S + GAP_S) * SAMPLE_RATE)
    return [(start, start + int((CLIP_S + 0.5) * SAMPLE_RATE)) for start in range(0, num_samples - slot // 2, slot)]


if __name__ == "__main__":
    main()
