"""`earwitness eval grid`: every captioner with every LLM over one benchmark, or the LALM of every LLM.

Each clip is perceived once per captioner, because perception is kept on disk; each LLM is opened once. A cell is
an ordinary run folder below the grid's, so a grid continues where it stopped, cell by cell.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from agents.models import ModelPool
from agents.paths import LALM_ONLY
from eval.run import session
from eval.run.request import RunRequest, ServedModel, name_run_folder
from eval.scoring.scoring import RunSummary
from eval.store.failures import find_failures
from lalm.catalog import LALMS
from services.catalog import CAPTIONERS, DEFAULT_CAPTIONER, LLMS, pick
from services.errors import BadConfig, ModelError
from services.extensions.registry import include_files
from services.files import is_folder, write_atomic
from services.terminal.counts import format_count
from services.types import Value

FILE_NAME = "grid.json"


class GridModel(NamedTuple):
    """An LLM of a grid."""

    llm: str
    url: str | None
    """OpenAI-compatible server that runs it; None: that of the whole grid, or here."""
    row: str
    """What its row is called."""


def read_models(listed: Sequence[str], rows: Sequence[str] = ()) -> tuple[GridModel, ...]:
    """Read LLMs, each NAME or NAME=URL; `rows` names their rows, in the same order.

    Raises `BadConfig` where two rows have one name, or their number is not that of the LLMs.
    """
    if rows and len(rows) != len(listed):
        raise BadConfig(
            f"--llm names {format_count(len(listed), 'LLM')} and --rows {len(rows)}: name the row of each, in order."
        )
    served = [ServedModel.read(one) for one in listed]
    models = tuple(GridModel(*one, row) for one, row in zip(served, rows or [one.name for one in served], strict=True))
    for place, model in enumerate(models):
        if model.row in [other.row for other in models[:place]]:
            raise BadConfig(f"Two LLMs would stand in the row {model.row!r}; give each a name of its own with --rows.")
    return models


class Cell(Value):
    """One LLM reading what one captioner wrote, or hearing as a LALM."""

    row: str = ""
    """What its row is called; empty in grids of before 2026-11-29: by the LLM."""
    llm: str
    captioner: str | None
    """None on a path that has none."""
    lalm: str | None = None
    """On paths lalm and informed, the LALM that was made of the LLM."""
    folder: Path
    summary: RunSummary | None = None
    is_complete: bool = False
    error: str | None = None
    """Why the models cannot run here; the other cells are not concerned."""

    @property
    def accuracy(self) -> float | None:
        """Strict accuracy in [0, 1]; None where nothing was scored."""
        num_scored = self.summary.n - self.summary.withheld if self.summary else 0
        return self.summary.correct_strict / num_scored if self.summary and num_scored else None

    @property
    def failures(self) -> tuple[str, ...]:
        """Why it answered nothing: its models' error, or that of each item; empty where it answered or goes on."""
        if self.error is not None:
            return (self.error,)
        if not self.is_complete or self.summary is None or self.summary.failed < self.summary.n:
            return ()
        return find_failures(self.folder, self.summary.n)


class Grid(Value):
    """All cells, by LLM and then by captioner."""

    benchmark: str
    path: str
    folder: Path
    llms: tuple[str, ...]
    """Names of the rows."""
    captioners: tuple[str | None, ...]
    cells: tuple[Cell, ...]


def run_grid(
    request: RunRequest, llms: Sequence[GridModel], captioners: Sequence[str], lalms: Sequence[str] = ()
) -> Grid:
    """Run every cell; one whose models cannot run here says so and stops no other.

    `request` is what the cells share; the grid fills in `llm` and `captioner`, on path lalm `llm` and `lalm`: the
    first LALM was made of the first LLM, and so on. Ctrl-C ends the grid with
    the cells that are there. Raises what concerns all cells, such as a benchmark that cannot be read.
    """
    include_files(request.include)
    if not llms:
        raise BadConfig("--llm names no LLM; give one or more, separated by commas.")
    _check_names(request, llms, captioners)
    _check_lalms(request, llms, lalms)
    has_captioner = request.hears and request.path != "lalm"
    columns: tuple[str | None, ...] = tuple(captioners or [DEFAULT_CAPTIONER]) if has_captioner else (None,)
    made_of = dict(zip((model.row for model in llms), lalms, strict=False))
    out = request.out or name_run_folder(request.resolve_options()).with_name(
        f"grid-{Path(request.bench).stem}-{request.path}"
    )
    pool = ModelPool()
    pairs = list(product(llms, columns))
    folders = _name_folders([(model.row, captioner, made_of.get(model.row)) for model, captioner in pairs])
    cells: list[Cell] = []
    for (model, captioner), folder in zip(pairs, folders, strict=True):
        if cells and cells[-1].row != model.row:
            pool = ModelPool(captioners=pool.captioners, asrs=pool.asrs)  # one LLM in memory at a time
        lalm = made_of.get(model.row)
        cell = Cell(row=model.row, llm=model.llm, captioner=captioner, lalm=lalm, folder=out / folder)
        cells.append(_run_cell(request.model_copy(update={"llm_url": model.url or request.llm_url}), cell, pool))
        if not cells[-1].is_complete and cells[-1].error is None:
            break
    grid = Grid(
        benchmark=request.bench,
        path=request.path,
        folder=out,
        llms=tuple(model.row for model in llms),
        captioners=columns,
        cells=tuple(cells),
    )
    write_atomic(out / FILE_NAME, grid.model_dump_json(indent=1))
    return grid


def find_total_failure(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return why all cells answered nothing; nothing where one of them answered, or goes on."""
    failures = [cell.failures for cell in cells]
    return tuple(reason for reasons in failures for reason in reasons) if all(failures) else ()


def _check_names(request: RunRequest, llms: Sequence[GridModel], captioners: Sequence[str]) -> None:
    if captioners and (not request.hears or request.path == "lalm"):
        raise BadConfig(f"Path {request.path!r} has no captioner: leave out --captioner.")
    for place, captioner in enumerate(captioners):
        pick(CAPTIONERS, "captioner", captioner)
        if captioner in captioners[:place]:
            raise BadConfig(f"--captioner names {captioner!r} twice: name it once.")
    for model in llms:
        if request.llm_url is None and model.url is None and not is_folder(model.llm):
            pick(LLMS, "LLM", model.llm)


def _check_lalms(request: RunRequest, llms: Sequence[GridModel], lalms: Sequence[str]) -> None:
    if request.path not in LALM_ONLY and lalms:
        raise BadConfig(f"Path {request.path!r} does not use it: leave out --lalm.")
    if request.path in LALM_ONLY and len(lalms) != len(llms):
        raise BadConfig(
            f"--llm names {len(llms)} and --lalm {len(lalms)}: name the LALM of each LLM, in the same order."
        )
    for lalm in lalms:
        if request.lalm_url is None and not is_folder(lalm):
            pick(LALMS, "LALM", lalm)


def _run_cell(request: RunRequest, cell: Cell, pool: ModelPool) -> Cell:
    models = {"llm": cell.llm, "captioner": cell.captioner, "lalm": cell.lalm}
    asked = request.model_copy(update={**models, "out": cell.folder})
    try:
        outcome = session.run(asked, pool)
    except ModelError as error:
        cell.folder.parent.mkdir(parents=True, exist_ok=True)
        return cell.model_copy(update={"error": str(error)})
    return cell.model_copy(update={"summary": outcome.summary, "is_complete": outcome.is_complete})


def _name_folders(cells: Sequence[tuple[str | None, ...]]) -> list[str]:
    """Return the name of each cell's folder; `BadConfig` where two would be one, or a name cannot be a folder's."""
    names: dict[str, tuple[str | None, ...]] = {}
    for models in cells:
        name = "-".join(re.sub(r"[^\w.-]+", "_", Path(part).name) for part in models if part)
        shown = " with ".join(repr(part) for part in models if part)
        if not name.strip(".") or name == FILE_NAME:
            raise BadConfig(f"A run of {shown} cannot have a folder of its name; give the LLM a row of its own.")
        if taken := names.get(name):
            other = " with ".join(repr(part) for part in taken if part)
            raise BadConfig(f"Runs of {other} and {shown} would be one folder, {name!r}; give the LLMs other rows.")
        names[name] = models
    return list(names)
