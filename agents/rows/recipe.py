"""Training rows for a reader: prompts of the cascade about clips whose facts are known; writes JSON lines.

    python -m agents.rows CONFIG.yaml

Captioner and ASR hear each clip once, behind the perception cache, so that an interrupted run goes on from there.
`python -m lalm.reader` trains on the rows.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agents.cascade import Cascade
from agents.listening.listening import FollowUp
from agents.listening.tool import Listeners
from agents.reading.reading import read
from agents.rows.config import ReaderRowsConfig
from agents.rows.recorder import PromptRecorder, RecordedPrompt
from agents.rows.wording import reword
from lalm.distill.metadata import Metadata, filter_by_licence, read_metadata
from lalm.distill.targets import AnsweredQuestion, TargetWriter
from lalm.reader.rows import Occasion, ReaderRow
from lalm.synthesise.rows import PLAIN, SHARE_OF_PLAIN
from services.audio.load import load
from services.catalog import open_asr, open_captioner
from services.errors import BadConfig
from services.files import find_file
from services.json_lines import write_lines
from services.progress import report_stage
from services.terminal.command import CommandParser, run
from services.terminal.display import show_progress
from services.types import AudioClip, ReadingStyle, Value
from services.yaml_file import read_config


class ReaderRowsSummary(Value):
    """Counts of a run."""

    clips: int
    rows: int
    by_occasion: dict[str, int]
    by_kind: dict[str, int]


class LocatedClip(NamedTuple):
    """A clip whose facts are known, and its file."""

    row: Metadata
    file: Path


def write_reader_rows(config: ReaderRowsConfig, root: Path) -> ReaderRowsSummary:
    """Hear the clips, record the prompts about them, and write the rows; paths in `config` start from `root`.

    Raises:
        BadConfig: the metadata cannot be read, or no clip is left.
        BadAudio: a clip cannot be decoded.
    """
    clips = _locate_clips(config, root)
    rows = asyncio.run(_Examiner(config, clips).ask_all())
    write_lines(root / config.output, (one.model_dump_json(exclude_defaults=True) + "\n" for one in rows))
    return ReaderRowsSummary(
        clips=len(clips),
        rows=len(rows),
        by_occasion=dict(Counter(one.occasion for one in rows).most_common()),
        by_kind=dict(Counter(one.kind for one in rows).most_common()),
    )


def _locate_clips(config: ReaderRowsConfig, root: Path) -> list[LocatedClip]:
    clips = []
    for path in config.metadata:
        file = root / path
        kept = filter_by_licence(read_metadata(file), config.drop_licences)
        clips += [LocatedClip(row, find_file(file.parent, row.audio)) for row in kept]
    if not clips:
        raise BadConfig("No clip of 'metadata' has a licence that is kept.")
    return clips


class _Examiner:
    """Asks questions about the clips, as the cascade does."""

    def __init__(self, config: ReaderRowsConfig, clips: Sequence[LocatedClip]) -> None:
        self._config, self._clips = config, clips
        self._writer = TargetWriter(clip.row for clip in clips)
        self._listeners = Listeners(open_captioner(config.captioner), open_asr(config.asr))
        self._recorder = PromptRecorder(ReadingStyle(max_chars=config.max_chars))

    async def ask_all(self) -> list[ReaderRow]:
        """Ask about every clip."""
        rows: list[ReaderRow] = []
        before: AudioClip | None = None
        with report_stage("hear clips", len(self._clips), "clips") as running:
            for clip in self._clips:
                heard = load(clip.file)
                rng = random.Random(f"{self._config.seed} {clip.row.id}")  # noqa: S311 - no secret
                for asked in self._draw_questions(clip.row, rng):
                    rows += await self._ask(asked, clip.row, heard, before, rng)
                before = heard
                running.advance()
        return rows

    def _draw_questions(self, row: Metadata, rng: random.Random) -> list[AnsweredQuestion]:
        """Draw some of the questions about a clip: seldom those that any clip answers, or that have few options."""
        written = self._writer.write_multiple_choice(row, rng)
        shares = [(len(one.question.choices) - 1) * (SHARE_OF_PLAIN if one.kind in PLAIN else 1.0) for one in written]
        weights = [rng.random() ** (1 / share) for share in shares]
        best = sorted(range(len(written)), key=weights.__getitem__, reverse=True)
        return [written[number] for number in best[: self._config.questions_per_clip]]

    async def _ask(
        self, asked: AnsweredQuestion, row: Metadata, clip: AudioClip, other: AudioClip | None, rng: random.Random
    ) -> list[ReaderRow]:
        config, recorder, ears = self._config, self._recorder, self._listeners
        right = [choice.text for choice in asked.question.choices].index(asked.reply)
        question = reword(asked.question, rng, framed=config.framed, restyled=config.restyled)
        recorder.prompts.clear()
        recorder.style = recorder.style.model_copy(update={"num_statements": rng.choice(config.num_statements)})
        if rng.random() < config.unheard:
            if other is None or rng.random() < 0.3:
                await read(recorder, question, ())
            else:
                await Cascade(recorder, ears.captioner, ears.asr).answer(question, other)
            target = dict.fromkeys((choice.letter for choice in question.choices), 1 / len(question.choices))
            return [_make_row(one, target, row, asked, "unheard") for one in recorder.prompts]
        budget = 1 if rng.random() < config.listen_again else 0
        follow_up = FollowUp(self._listeners, recorder, budget=budget)
        await Cascade(recorder, ears.captioner, ears.asr, follow_up=follow_up).answer(question, clip)
        target = {question.choices[right].letter: 1.0}
        first, *again = recorder.prompts
        rows = [_make_row(first, target, row, asked, "heard")]
        return rows + [_make_row(one, target, row, asked, "heard again") for one in again]


def _make_row(
    prompt: RecordedPrompt, target: dict[str, float], row: Metadata, asked: AnsweredQuestion, occasion: Occasion
) -> ReaderRow:
    return ReaderRow(
        messages=prompt.messages,
        letters=tuple(choice.letter for choice in prompt.choices),
        target=target,
        id=row.id,
        recordings=row.recordings,
        dataset=", ".join(row.sources),
        kind=asked.kind,
        occasion=occasion,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, write the rows and print the counts; exit code 2 for an error that the user can fix."""
    parser = CommandParser(prog="python -m agents.rows", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("config", type=Path, help="YAML file (agents/rows/config.py)")
    parser.add_argument("--quiet", action="store_true", help="show no progress on stderr")
    options = parser.parse_args(argv)
    path: Path = options.config
    return run("agents.rows", lambda: _write_and_print(path, quiet=options.quiet))


def _write_and_print(path: Path, *, quiet: bool) -> int:
    with show_progress(quiet=quiet):
        summary = write_reader_rows(read_config(path, ReaderRowsConfig), path.parent)
    print(summary.model_dump_json(indent=1))  # noqa: T201 - what came of it
    return 0
