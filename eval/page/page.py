"""`earwitness eval report`: runs as one self-contained web page, with every item to look at and to hear.

The page needs no server and no network: data, styles, scripts, the waveform library (wavesurfer.js) and the clips are
in it. What models and benchmarks say is data: it is embedded as JSON and shown as text, never as HTML.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import combinations, count
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval.analysis.compare import Comparison, compare
from eval.display.plots import AccuracyBar, draw_intervals
from eval.page.items import PageData, ReportedRun, gather_page_data, read_run
from eval.scoring.scoring import RunSummary, Score, list_rows
from eval.store.stored import StoredResult, open_stored
from services import web
from services.errors import BadConfig
from services.files import write_atomic
from services.types import Value

WEB = Path(__file__).with_name("web")
DEFAULT_MAX_AUDIO_MB = 50.0


class PageStats(Value):
    """What was written."""

    num_bytes: int
    num_items: int
    num_clips: int
    num_clips_left_out: int


class ScoreGroup(NamedTuple):
    """Scores by one field of the items."""

    title: str
    scores: dict[str, Score]


class RunPair(NamedTuple):
    """Two runs over one benchmark file, compared."""

    a: ReportedRun
    b: ReportedRun
    found: Comparison | None
    problem: str
    """Why they cannot be compared."""


class Reason(NamedTuple):
    """Why clips are left out."""

    text: str
    num_clips: int


def write_page(runs: Sequence[Path], out: Path, *, max_audio_mb: float = DEFAULT_MAX_AUDIO_MB) -> PageStats:
    """Write the page of some finished runs; clips beyond `max_audio_mb` are left out, and the page says so.

    Raises `BadConfig` where a folder is not a finished run, is named twice, or `out` cannot be written.
    """
    opened = [
        read_run(folder, name, label)
        for folder, name, label in zip(runs, _name_runs(runs), _label_runs(runs), strict=True)
    ]
    data = gather_page_data(opened, max_audio_mb)
    content = _render(opened, data, max_audio_mb).encode()
    _write(out, content)
    num_left_out = sum(clip.mp3 is None for clip in data.clips)
    return PageStats(
        num_bytes=len(content),
        num_items=len(data.items),
        num_clips=len(data.clips) - num_left_out,
        num_clips_left_out=num_left_out,
    )


def _render(runs: Sequence[ReportedRun], data: PageData, max_audio_mb: float) -> str:
    return (
        _open_environment()
        .get_template("page.html.j2")
        .render(
            runs=runs,
            groups=[(run, _group_scores(run.summary)) for run in runs],
            pairs=_compare_pairs(runs),
            plot=_draw_plot(runs),
            data=_inline_json(data),
            left_out=_count_left_out(data, max_audio_mb),
            num_clips=len(data.clips),
            read=_inline,
            join=_join_modules,
            licence=(web.FOLDER / "wavesurfer-LICENSE.txt").read_text(encoding="utf-8"),
        )
    )


def _open_environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _inline(name: str) -> Markup:
    """Return a script or style sheet, this page's own or one that it shares with the service's page, as it is."""
    own = WEB / name
    path = own if own.is_file() else web.FOLDER / name
    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704 - files of this package


def _join_modules(*names: str) -> Markup:
    """Return scripts as one module, in which what they import from one another is there already."""
    lines = "".join(_inline(name) for name in names).splitlines(keepends=True)
    return Markup("".join(line for line in lines if not line.startswith("import ")))  # noqa: S704 - as above


def _inline_json(data: PageData) -> Markup:
    """Return JSON that cannot end the script element that holds it."""
    return Markup(data.model_dump_json().replace("<", "\\u003c"))  # noqa: S704 - no < is left in it


def _write(out: Path, content: bytes) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(out, content)
    except OSError as error:
        raise BadConfig(f"The page cannot be written to {str(out)!r}: {error.strerror}.") from error


def _name_runs(folders: Sequence[Path]) -> list[str]:
    """Name runs by the end of their path, as short as tells them apart."""
    paths = [folder.resolve().parts for folder in folders]
    if len(set(paths)) < len(paths):
        raise BadConfig(f"A run is named twice in {', '.join(map(str, folders))}; name each run folder once.")
    depth = next(depth for depth in count(1) if len({parts[-depth:] for parts in paths}) == len(paths))
    return ["/".join(parts[-depth:]) for parts in paths]


def _label_runs(folders: Sequence[Path]) -> list[str]:
    """Call several runs A, B and so on; a single one needs no label."""
    if len(folders) == 1:
        return [""]
    return [ascii_uppercase[number] if number < 26 else f"R{number + 1}" for number in range(len(folders))]


def _count_left_out(data: PageData, max_audio_mb: float) -> list[Reason]:
    """Count the clips that are left out for size, and those that cannot be read."""
    missing = [clip for clip in data.clips if clip.mp3 is None]
    num_over = sum(clip.is_over for clip in missing)
    reasons = [
        Reason(f"the page holds {max_audio_mb:g} MB of clips at most (--max-audio-mb)", num_over),
        Reason("the recording is missing or cannot be read", len(missing) - num_over),
    ]
    return [reason for reason in reasons if reason.num_clips]


def _group_scores(summary: RunSummary) -> list[ScoreGroup]:
    groups = [
        ScoreGroup("task", summary.by_task),
        ScoreGroup("category", summary.by_category),
        ScoreGroup("difficulty", summary.by_difficulty),
        ScoreGroup("modality", summary.by_modality),
        ScoreGroup("sub-category", summary.by_sub_category),
    ]
    return [
        group
        for group in groups
        if len(group.scores) > 1 and (group.title != "modality" or group.scores != summary.by_task)
    ]


def _compare_pairs(runs: Sequence[ReportedRun]) -> list[RunPair]:
    """Compare every two runs over the same benchmark file."""
    stored = cache(open_stored)
    same = [(a, b) for a, b in combinations(runs, 2) if a.record.benchmark_sha256 == b.record.benchmark_sha256]
    return [_pair(a, b, stored) for a, b in same]


def _pair(a: ReportedRun, b: ReportedRun, stored: Callable[[Path], StoredResult]) -> RunPair:
    try:
        return RunPair(a, b, compare(stored(a.folder), stored(b.folder)), "")
    except BadConfig as error:  # answers withheld, no item shared, options in another order: the rest of the page holds
        return RunPair(a, b, None, str(error))


def _draw_plot(runs: Sequence[ReportedRun]) -> Markup:
    """Draw the scores that there are; nothing where all answers are withheld."""
    bars = list(_draw_bars(runs))
    return Markup(draw_intervals(bars) if bars else "")  # noqa: S704 - drawn by matplotlib, which escapes its text


def _draw_bars(runs: Sequence[ReportedRun]) -> Iterable[AccuracyBar]:
    for run in runs:
        *tasks, total = list_rows(run.summary.by_task, run.summary).items()
        for name, score in (total, *tasks):
            if num_scored := score.n - score.withheld:
                yield AccuracyBar(run.name, name, score.correct_strict / num_scored, score.wilson_95)
