"""Items of the report page: options, clip, and what every run and control made of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from eval.benchmarks.benchmark import Item
from eval.page.audio import ClipFile, PageClip, encode_clips
from eval.run.control_scores import CONTROLS_FOLDER
from eval.run.controls import ASK_NO_MODEL, ROTATION
from eval.scoring.scoring import RunSummary
from eval.store.records import Prediction, RunRecord
from eval.store.run_folder import require_record
from eval.store.stored import read_predictions
from services.errors import BadConfig
from services.files import find_file
from services.types import Evidence, EvidenceUse, Reasons, TraceStep, Value


class PageControl(Value):
    """What a control made of an item; of several rotations the first that is not right."""

    verdict: str
    chosen: str | None
    """Text of the option."""
    changed: bool | None
    """Whether the run itself chose otherwise; None where the control asks no model."""


class PageResult(Value):
    """What one run made of an item."""

    verdict: str
    """right, wrong, unread, failed, or unscored where the answer is withheld."""
    official: bool
    reply: str
    chosen: str | None
    """Letter of the option that was read."""
    failed: str | None
    path: str
    trace: tuple[TraceStep, ...]
    reasons: Reasons | None
    """Claims, whose ids are places in `evidence`, `S1` the first; None: they were not asked for."""
    degraded: tuple[str, ...]
    probabilities: dict[str, float]
    is_unsure: bool
    evidence: tuple[int, ...]
    """Places in `PageData.statements`."""
    uses: dict[int, EvidenceUse]
    """Place of a statement -> what became of it, where a model was to read it."""
    took_s: float
    controls: dict[str, PageControl]


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
    modality: str
    clips: tuple[int, ...]
    """Places in `PageData.clips`; empty where the item is about none."""
    results: tuple[PageResult | None, ...]
    """In the order of the runs; None where a run does not have the item."""


class PageRun(Value):
    """Name and label of a run on the page."""

    label: str
    """A, B and so on; empty where it is the only one."""
    name: str
    controls: tuple[str, ...]


class PageData(Value):
    """The JSON inside the page. What many items share is in it once."""

    runs: tuple[PageRun, ...]
    items: tuple[PageItem, ...]
    clips: tuple[PageClip, ...]
    statements: tuple[Evidence, ...]


class ReportedRun(NamedTuple):
    """A finished run, as the page shows it."""

    name: str
    label: str
    folder: Path
    record: RunRecord
    summary: RunSummary


class _Key(NamedTuple):
    """What makes two runs' items one: an id alone may be another benchmark's, or its options in another order."""

    benchmark_sha256: str
    item: Item


class _Shared:
    """Values that many items refer to by their place."""

    def __init__(self) -> None:
        self.clips: dict[ClipFile, int] = {}
        self.statements: dict[Evidence, int] = {}

    def list_clips(self, item: Item, record: RunRecord) -> tuple[int, ...]:
        """Return the places of the item's clips."""
        root = record.options.audio_root
        folder = Path(root) if root else Path(record.benchmark_file).parent
        files = (ClipFile(find_file(folder, audio), audio) for audio in item.audio)
        return tuple(self.clips.setdefault(file, len(self.clips)) for file in files)

    def place_statement(self, one: Evidence) -> int:
        """Return the place of a statement."""
        same_of_all = one.model_copy(update={"use": None})
        return self.statements.setdefault(same_of_all, len(self.statements))


def read_run(folder: Path, name: str, label: str) -> ReportedRun:
    """Open a finished run's folder; `BadConfig` where it is none, or not finished."""
    record, file = require_record(folder), folder / "summary.json"
    if not file.is_file():
        raise BadConfig(
            f"{str(folder)!r} is not finished: it holds no summary.json. The same `earwitness eval run` finishes it."
        )
    return ReportedRun(name, label, folder, record, RunSummary.model_validate_json(file.read_bytes()))


def gather_page_data(runs: Sequence[ReportedRun], max_audio_mb: float) -> PageData:
    """Gather the items of all runs, in the order in which they are first met."""
    shared = _Shared()
    clips: dict[_Key, tuple[int, ...]] = {}
    results: dict[_Key, list[PageResult | None]] = {}
    for number, run in enumerate(runs):
        controls = _find_controls(run)
        for prediction in read_predictions(run.folder):
            key = _Key(run.record.benchmark_sha256, _make_item(prediction))
            if key not in results:
                clips[key], results[key] = shared.list_clips(prediction, run.record), [None] * len(runs)
            results[key][number] = _make_result(prediction, controls.get(prediction.id, {}), shared)
    return PageData(
        runs=tuple(PageRun(label=run.label, name=run.name, controls=tuple(run.summary.controls)) for run in runs),
        items=tuple(_make_page_item(key.item, clips[key], results[key]) for key in results),
        clips=encode_clips(shared.clips, max_audio_mb),
        statements=tuple(shared.statements),
    )


def _make_item(prediction: Prediction) -> Item:
    return Item(**prediction.model_dump(include=set(Item.model_fields) - {"disputed"}))


def _make_page_item(item: Item, clips: tuple[int, ...], results: Sequence[PageResult | None]) -> PageItem:
    kept = item.model_dump(include=set(PageItem.model_fields))
    return PageItem(**kept, clips=clips, results=tuple(results))


def _make_result(prediction: Prediction, controls: Mapping[str, PageControl], shared: _Shared) -> PageResult:
    answer = prediction.response
    return PageResult(
        verdict=_word_verdict(prediction),
        official=prediction.correct_official,
        reply=prediction.model_output,
        chosen=answer.choice.letter if answer and answer.choice else None,
        failed=prediction.failed,
        path=answer.path if answer else "",
        trace=answer.trace if answer else (),
        reasons=answer.reasons if answer else None,
        degraded=answer.degraded if answer else (),
        probabilities={letter: round(share, 4) for letter, share in answer.probabilities.items()} if answer else {},
        is_unsure=bool(answer and answer.is_unsure),
        evidence=tuple(shared.place_statement(one) for one in answer.evidence) if answer else (),
        uses={shared.place_statement(one): one.use for one in answer.evidence if one.use} if answer else {},
        took_s=prediction.took_s,
        controls=dict(controls),
    )


def _word_verdict(prediction: Prediction) -> str:
    if prediction.failed is not None:
        return "failed"
    if prediction.unread:
        return "unread"
    if prediction.answer is None:
        return "unscored"
    return "right" if prediction.correct_strict else "wrong"


def _find_controls(run: ReportedRun) -> dict[str, dict[str, PageControl]]:
    """Return what each finished control made of each item: id -> name of the control -> result."""
    found: dict[str, dict[str, PageControl]] = {}
    if not run.summary.controls:
        return found
    chosen = {prediction.id: _find_chosen(prediction) for prediction in read_predictions(run.folder)}
    for name in run.summary.controls:
        for prediction in read_predictions(run.folder / CONTROLS_FOLDER / name):
            id_ = prediction.id.rpartition(ROTATION)[0] if name == "circular" else prediction.id
            earlier = found.setdefault(id_, {}).get(name)
            if earlier is None or earlier.verdict == "right":
                found[id_][name] = _find_control(name, prediction, chosen[id_])
    return found


def _find_control(name: str, prediction: Prediction, run_chose: str | None) -> PageControl:
    chosen = _find_chosen(prediction)
    changed = None if name in ASK_NO_MODEL else chosen != run_chose
    return PageControl(verdict=_word_verdict(prediction), chosen=chosen, changed=changed)


def _find_chosen(prediction: Prediction) -> str | None:
    answer = prediction.response
    return answer.choice.text if answer and answer.choice else None
