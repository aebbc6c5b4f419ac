"""`eval report`: runs as one self-contained web page, with every item to look at and to hear.

The page needs no server and no network: data, styles, scripts, the waveform library (wavesurfer.js) and the clips are
in it. What models and benchmarks say is data: it is embedded as JSON and shown as text, never as HTML.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval.compare import Comparison, compare
from eval.page_audio import PageClip, page_clips
from eval.plots import Bar, intervals
from eval.records import Prediction, RunRecord
from eval.run_folder import require_record
from eval.scoring import Score, Summary
from eval.stored import open_stored, read_predictions
from services.errors import BadConfig
from services.types import Evidence, Value

WEB = Path(__file__).with_name("web")
DEFAULT_MAX_AUDIO_MB = 50.0


class Run(NamedTuple):
    """A finished run, as the page shows it."""

    name: str
    folder: Path
    record: RunRecord
    summary: Summary
    predictions: tuple[Prediction, ...]


class PageResult(Value):
    """What one run made of an item."""

    verdict: str
    """right, wrong, unread or failed."""
    official: bool
    reply: str
    chosen: str | None
    """Letter of the option that was read."""
    failed: str | None
    path: str
    trace: tuple[str, ...]
    probabilities: dict[str, float]
    evidence: tuple[Evidence, ...]
    took_s: float


class PageItem(Value):
    """An item with what each run made of it."""

    id: str
    question: str
    choices: tuple[str, ...]
    answer: str | None
    task: str
    category: str
    sub_category: str
    difficulty: str
    clip: str | None
    """Key of the clip; None where the item is about none."""
    results: tuple[PageResult | None, ...]
    """In the order of the runs; None where a run does not have the item."""


class PageData(Value):
    """The JSON inside the page."""

    runs: tuple[str, ...]
    items: tuple[PageItem, ...]
    clips: dict[str, PageClip]


class PageStats(Value):
    """What was written."""

    num_bytes: int
    num_items: int
    num_clips: int
    num_clips_left_out: int


class Pair(NamedTuple):
    """Two runs that share items, compared."""

    a: Run
    b: Run
    found: Comparison


def write_page(folders: Sequence[Path], out: Path, *, max_audio_mb: float = DEFAULT_MAX_AUDIO_MB) -> PageStats:
    """Write the page of some finished runs; clips beyond `max_audio_mb` are left out, and the page says so."""
    runs = [_run(folder, name) for folder, name in zip(folders, _names(folders), strict=True)]
    data = _data(runs, max_audio_mb)
    html = (
        _environment()
        .get_template("page.html.j2")
        .render(
            runs=runs,
            groups=[(run, _groups(run.summary)) for run in runs],
            pairs=_pairs(runs),
            plot=Markup(intervals(list(_bars(runs)))),  # noqa: S704 - drawn by matplotlib, which escapes its text
            data=_inline_json(data),
            num_left_out=sum(clip.mp3 is None for clip in data.clips.values()),
            num_clips=len(data.clips),
            read=_inline,
        )
    )
    content = html.encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    left_out = sum(clip.mp3 is None for clip in data.clips.values())
    return PageStats(
        num_bytes=len(content),
        num_items=len(data.items),
        num_clips=len(data.clips) - left_out,
        num_clips_left_out=left_out,
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _inline(name: str) -> Markup:
    """Return a script or style sheet of ours, or of the waveform library, as it is."""
    return Markup((WEB / name).read_text(encoding="utf-8"))  # noqa: S704 - files of this package


def _inline_json(data: PageData) -> Markup:
    """Return JSON that cannot end the script element that holds it."""
    text = data.model_dump_json().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(text)  # noqa: S704 - no < is left in it


def _names(folders: Sequence[Path]) -> list[str]:
    """Name runs by their folder, and by its parent too where that is not enough."""
    short = [folder.resolve().name for folder in folders]
    if len(set(short)) == len(short):
        return short
    return [f"{folder.resolve().parent.name}/{folder.resolve().name}" for folder in folders]


def _run(folder: Path, name: str) -> Run:
    record = require_record(folder)
    file = folder / "summary.json"
    if not file.is_file():
        raise BadConfig(f"{str(folder)!r} is not finished: it holds no summary.json. The same `eval run` finishes it.")
    summary = Summary.model_validate_json(file.read_bytes())
    return Run(name, folder, record, summary, tuple(read_predictions(folder)))


def _data(runs: Sequence[Run], max_audio_mb: float) -> PageData:
    by_id: dict[str, list[Prediction | None]] = {}
    for number, run in enumerate(runs):
        for prediction in run.predictions:
            by_id.setdefault(prediction.id, [None] * len(runs))[number] = prediction
    items = [_item(runs, predictions) for predictions in by_id.values()]
    paths = dict.fromkeys(item.clip for item in items if item.clip)
    clips = page_clips((Path(path) for path in paths), max_audio_mb)
    return PageData(runs=tuple(run.name for run in runs), items=tuple(items), clips=clips)


def _item(runs: Sequence[Run], predictions: Sequence[Prediction | None]) -> PageItem:
    number, first = next((number, one) for number, one in enumerate(predictions) if one is not None)
    return PageItem(
        **first.model_dump(include={"id", "question", "choices", "answer", "task", "category", "sub_category"}),
        difficulty=first.difficulty,
        clip=str(_audio_root(runs[number].record) / first.audio) if first.audio else None,
        results=tuple(None if one is None else _result(one) for one in predictions),
    )


def _audio_root(record: RunRecord) -> Path:
    root = record.options.audio_root
    return Path(root) if root else Path(record.benchmark_file).parent


def _result(prediction: Prediction) -> PageResult:
    answer = prediction.response
    return PageResult(
        verdict=_verdict(prediction),
        official=prediction.correct_official,
        reply=prediction.model_output,
        chosen=answer.choice.letter if answer and answer.choice else None,
        failed=prediction.failed,
        path=answer.path if answer else "",
        trace=answer.trace if answer else (),
        probabilities=answer.probabilities if answer else {},
        evidence=answer.evidence if answer else (),
        took_s=prediction.took_s,
    )


def _verdict(prediction: Prediction) -> str:
    if prediction.failed is not None:
        return "failed"
    if prediction.unread:
        return "unread"
    return "right" if prediction.correct_strict else "wrong"


class Group(NamedTuple):
    """Scores by one field of the items."""

    title: str
    scores: dict[str, Score]


def _groups(summary: Summary) -> list[Group]:
    groups = [
        Group("task", summary.by_task),
        Group("category", summary.by_category),
        Group("difficulty", summary.by_difficulty),
        Group("modality", summary.by_modality),
        Group("sub-category", summary.by_sub_category),
    ]
    return [
        group
        for group in groups
        if len(group.scores) > 1 and (group.title != "modality" or group.scores != summary.by_task)
    ]


def _pairs(runs: Sequence[Run]) -> list[Pair]:
    """Compare every two runs over the same benchmark file."""
    return [
        Pair(a, b, compare(open_stored(a.folder), open_stored(b.folder)))
        for a, b in combinations(runs, 2)
        if a.record.benchmark_sha256 == b.record.benchmark_sha256 and not a.summary.withheld
    ]


def _bars(runs: Sequence[Run]) -> Iterable[Bar]:
    for run in runs:
        for name, score in ({"all": run.summary} | run.summary.by_task).items():
            if num_scored := score.n - score.withheld:
                yield Bar(run.name, name, score.correct_strict / num_scored, score.wilson_95)
