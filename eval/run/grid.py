"""`earwitness eval grid`: every captioner with every LLM over one benchmark, or the LALM of every LLM.

Each clip is perceived once per captioner, because perception is kept on disk; each LLM is opened once. A cell is
an ordinary run folder below the grid's, so a grid goes on where it stopped, cell by cell.
"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from agents.models import ModelPool
from agents.paths import LALM_ONLY
from eval.run import session
from eval.run.request import RunRequest, name_run_folder
from eval.scoring.scoring import RunSummary
from lalm.catalog import LALMS
from services.catalog import CAPTIONERS, DEFAULT_CAPTIONER, LLMS, pick
from services.errors import BadConfig, ModelError
from services.extensions.registry import include_files
from services.files import is_folder, write_atomic
from services.types import Value


class Cell(Value):
    """One LLM reading what one captioner wrote, or hearing as a LALM."""

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


class Grid(Value):
    """All cells, by LLM and then by captioner."""

    benchmark: str
    path: str
    folder: Path
    llms: tuple[str, ...]
    captioners: tuple[str | None, ...]
    cells: tuple[Cell, ...]


def run_grid(request: RunRequest, llms: Sequence[str], captioners: Sequence[str], lalms: Sequence[str] = ()) -> Grid:
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
    made_of = dict(zip(llms, lalms, strict=False))
    out = request.out or name_run_folder(request.options()).with_name(f"grid-{Path(request.bench).stem}-{request.path}")
    pool = ModelPool()
    cells: list[Cell] = []
    for llm, captioner in product(llms, columns):
        if cells and cells[-1].llm != llm:
            pool = ModelPool(captioners=pool.captioners, asrs=pool.asrs)  # one LLM in memory at a time
        lalm = made_of.get(llm)
        cell = Cell(llm=llm, captioner=captioner, lalm=lalm, folder=out / _name(llm, captioner, lalm))
        cells.append(_run_cell(request, cell, pool))
        if not cells[-1].is_complete and cells[-1].error is None:
            break
    grid = Grid(
        benchmark=request.bench,
        path=request.path,
        folder=out,
        llms=tuple(llms),
        captioners=columns,
        cells=tuple(cells),
    )
    write_atomic(out / "grid.json", grid.model_dump_json(indent=1))
    return grid


def _check_names(request: RunRequest, llms: Sequence[str], captioners: Sequence[str]) -> None:
    if captioners and (not request.hears or request.path == "lalm"):
        raise BadConfig(f"Path {request.path!r} has no captioner: leave out --captioner.")
    for captioner in captioners:
        pick(CAPTIONERS, "captioner", captioner)
    for llm in llms:
        if request.llm_url is None and not is_folder(llm):
            pick(LLMS, "LLM", llm)


def _check_lalms(request: RunRequest, llms: Sequence[str], lalms: Sequence[str]) -> None:
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


def _name(*models: str | None) -> str:
    return "-".join(Path(part).name for part in models if part)
