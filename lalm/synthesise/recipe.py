"""Synthesis of training data: clips whose facts are known, and questions about them; writes audio and JSON lines.

    python -m lalm.synthesise lalm/configs/synthesise.yaml

The output folder holds `audio/`, `clips.jsonl` (metadata, which `python -m lalm.distill` reads too), `train.jsonl` and
`validation.jsonl` (rows for `python -m lalm.train`), `sources.jsonl` (every recording, preset and voice that was used)
and `summary.json`. The same seed makes the same clips; the same command continues an interrupted run.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import soundfile

from lalm.distill.metadata import Metadata, StatedFact
from lalm.synthesise.clip_list import ClipList
from lalm.synthesise.config import SynthesiseConfig
from lalm.synthesise.draft import Draw, NoSource, SplitSide, hold_back
from lalm.synthesise.makers import MadeClip, make_clip
from lalm.synthesise.music.fluidsynth import SoundFontPlayer
from lalm.synthesise.music.instruments import Orchestra
from lalm.synthesise.rows import write_rows
from lalm.synthesise.sounds.events import EventShelf
from lalm.synthesise.sounds.recordings import RecordingShelf
from lalm.synthesise.sounds.teacher import YamNetTeacher
from lalm.synthesise.sources import SourceRecord, list_presets, list_recordings, list_voices
from lalm.synthesise.speech.voices import VoiceBank
from lalm.synthesise.studio import Studio
from services.digest import hash_modules
from services.errors import BadConfig
from services.files import write_atomic
from services.json_lines import write_lines
from services.progress import report_stage
from services.terminal.command import INTERRUPTED, RecipeArguments, run_recipe
from services.terminal.display import show_progress
from services.terminal.interruption import raise_on_interrupt
from services.types import SAMPLE_RATE, Value
from services.yaml_file import read_config

SIDES: tuple[SplitSide, ...] = ("train", "validation")
AUDIO, SOURCES, SUMMARY = "audio", "sources.jsonl", "summary.json"
OWN_LICENCE = "Apache-2.0"  # of clips without sources
CODE = (
    "lalm.distill.facts",
    "lalm.distill.metadata",
    "lalm.distill.music_facts",
    "lalm.distill.speech_facts",
    "lalm.synthesise.blends",
    "lalm.synthesise.draft",
    "lalm.synthesise.makers",
    "lalm.synthesise.music",
    "lalm.synthesise.sounds",
    "lalm.synthesise.speech",
    "lalm.synthesise.studio",
    "services.captioners.frames",
    "services.captioners.mel",
    "services.captioners.naming",
    "services.captioners.onnx_session",
    "services.captioners.sounds.sounds",
    "services.captioners.sounds.tags",
    "services.captioners.sounds.yamnet",
    "services.number_words",
)
"""What decides the clips; the wording of the questions does not."""
PEAK = 0.99
NUM_TRIES = 20  # clips drawn in place of one that is too long


class SynthesisSummary(Value):
    """Counts of a synthesis."""

    clips: dict[SplitSide, int]
    minutes: float
    rows: dict[SplitSide, int]
    kinds_of_clip: dict[str, int]
    kinds_of_question: dict[str, int]
    sources: dict[str, int]
    """Kind of source -> number of sources that were used."""
    recordings_left_out: dict[str, int]
    """Why recordings of the metadata cannot be used -> their number."""


def synthesise(config: SynthesiseConfig, root: Path) -> SynthesisSummary | None:
    """Make the clips, or resume an earlier run, and write the rows; paths in `config` start from `root`.

    Returns:
        Counts, or None after Ctrl-C.

    Raises:
        BadConfig: a source is missing, or the output holds other clips.
    """
    # 1. Open what clips are made of
    folder = root / config.output
    studio = open_studio(config, root)
    sources = {one.id: one for one in list_sources(config, studio, root)}
    # 2. Make the clips
    with ClipList(folder, _describe_origin(config)) as clips:
        (folder / AUDIO).mkdir(exist_ok=True)
        if not _make_clips(config, studio, sources, clips, folder):
            return None
    # 3. Write the rows, the sources that were used, and the counts
    rows = {side: write_rows(_choose_side(config, clips.rows, side), config) for side in SIDES}
    for side, many in rows.items():
        write_lines(folder / f"{side}.jsonl", (one.to_line() for one in many))
    used = {source for row in clips.rows for source in row.recordings}
    known = [one for one in sources.values() if one.id in used]
    write_lines(folder / SOURCES, (one.model_dump_json() + "\n" for one in known))
    summary = SynthesisSummary(
        clips={side: len(_choose_side(config, clips.rows, side)) for side in SIDES},
        minutes=round(sum(row.duration for row in clips.rows) / 60, 1),
        rows={side: len(many) for side, many in rows.items()},
        kinds_of_clip=dict(Counter(row.sources[0] for row in clips.rows).most_common()),
        kinds_of_question=dict(Counter(one.question_kind for many in rows.values() for one in many).most_common()),
        sources=dict(Counter(one.kind for one in known)),
        recordings_left_out=dict(studio.recordings.left_out) if studio.recordings else {},
    )
    write_lines(folder / SUMMARY, [summary.model_dump_json(indent=1) + "\n"])
    return summary


def open_studio(config: SynthesiseConfig, root: Path) -> Studio:
    """Open the soundfonts, voices and recordings of a configuration."""
    players = {name: SoundFontPlayer(root / font.file) for name, font in config.soundfonts.items()}
    shelf = None
    if config.recordings is not None:
        shelf = RecordingShelf(
            root / config.recordings.metadata,
            config.recordings.drop_licences,
            config.recordings.voice_patterns,
            config.seed,
            YamNetTeacher().tag if config.recordings.teacher else None,
        )
    return Studio(
        EventShelf(shelf),
        Orchestra(players, config.seed) if players else None,
        VoiceBank(config.synthesisers, config.seed) if config.synthesisers else None,
        shelf,
    )


def list_sources(config: SynthesiseConfig, studio: Studio, root: Path) -> Iterable[SourceRecord]:
    """List all sources that clips may be made of."""
    if studio.orchestra is not None:
        yield from list_presets(studio.orchestra, config.soundfonts, root)
    if studio.voices is not None:
        yield from list_voices(studio.voices)
    if studio.recordings is not None:
        yield from list_recordings(studio.recordings)


def _make_clips(
    config: SynthesiseConfig, studio: Studio, sources: dict[str, SourceRecord], clips: ClipList, folder: Path
) -> bool:
    """Make the clips that are missing; False after Ctrl-C."""
    with report_stage("make clips", config.num_clips, "clips") as running, raise_on_interrupt():
        running.advance_to(len(clips.rows))
        try:
            for number in range(len(clips.rows), config.num_clips):
                clips.append(_make_clip(config, studio, sources, number, folder))
                running.advance()
        except KeyboardInterrupt:
            return False
    return True


def _make_clip(
    config: SynthesiseConfig, studio: Studio, sources: dict[str, SourceRecord], number: int, folder: Path
) -> Metadata:
    """Make one clip, write its audio, and return its metadata."""
    name = f"clip-{number:06d}"
    side = hold_back(f"{config.seed} {name}", config.validation)
    for turn in range(NUM_TRIES):
        try:
            made = make_clip(studio, Draw(f"{config.seed} {name} {turn}", side), config.shares)
        except NoSource as error:
            raise BadConfig(f"{error}: configure more of them, or raise a share that is 0.") from error
        if made.draft.duration_s <= config.longest_s:
            break
    else:
        raise BadConfig(f"longest_s={config.longest_s}: {NUM_TRIES} clips in a row were longer.")
    path = Path(AUDIO) / f"{name}.{config.format}"
    try:
        target = BytesIO()
        soundfile.write(target, made.draft.samples.clip(-PEAK, PEAK), SAMPLE_RATE, format=config.format.upper())
        write_atomic(folder / path, target.getvalue())
    except OSError as error:
        raise BadConfig(f"'{folder / path}' cannot be written: {error.strerror}.") from error
    licences = sorted({sources[one].licence for one in made.draft.sources}) or [OWN_LICENCE]
    return _describe_clip(name, path, made, " + ".join(licences))


def _describe_clip(name: str, path: Path, made: MadeClip, licence: str) -> Metadata:
    draft = made.draft
    return Metadata(
        id=name,
        audio=path.as_posix(),
        duration=round(draft.duration_s, 2),
        task=draft.task,
        caption=draft.caption,
        license=licence,
        sources=(made.kind,),
        recordings=draft.sources,
        labels=draft.labels,
        transcript=draft.transcript,
        language=draft.language,
        facts=tuple(StatedFact(**fact._asdict()) for fact in draft.facts),
    )


def _choose_side(config: SynthesiseConfig, clips: Iterable[Metadata], side: SplitSide) -> list[Metadata]:
    return [row for row in clips if hold_back(f"{config.seed} {row.id}", config.validation) == side]


def _describe_origin(config: SynthesiseConfig) -> str:
    """Describe everything that clips depend on besides their sources; a longer run of the same goes on."""
    fields = config.model_dump(mode="json", exclude={"num_clips", "rows_per_clip"})
    return json.dumps({"code": hash_modules(*CODE), **fields}, indent=1) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, synthesise and print the counts; exit code 2 for an error that the user can fix."""
    return run_recipe("lalm.synthesise", __doc__, argv, _synthesise_and_print)


def _synthesise_and_print(arguments: RecipeArguments) -> int:
    path = arguments.config
    with show_progress(quiet=arguments.quiet):
        summary = synthesise(read_config(path, SynthesiseConfig), path.parent)
    if summary is None:
        said = "lalm.synthesise: interrupted; the clips so far are kept, and the same command makes the rest."
        print(said, file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    print(summary.model_dump_json(indent=1))  # noqa: T201 - command-line output
    return 0
