"""`eval grid`: every captioner with every LLM over one benchmark, or the LALM of every LLM.

Each clip is perceived once per captioner, because perception is kept on disk; each LLM is opened once. A cell is
an ordinary run folder below the grid's, so a grid goes on where it stopped, cell by cell.
"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from agents.models import Pool
from eval.run import session
from eval.run.request import RunRequest, default_folder
from eval.scoring.scoring import RunSummary
from lalm.catalog import LALMS
from services.catalog import CAPTIONERS, DEFAULT_CAPTIONER, LLMS, pick
from services.errors import BadConfig, ModelError
from services.files import write_atomic
from services.types import Value


class Cell(Value):
    """One LLM reading what one captioner wrote, or hearing as a LALM."""

    llm: str
    captioner: str | None
    """None on a path that has none."""
    lalm: str | None = None
    """On path lalm, the LALM that was made of the LLM."""
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
    if not llms:
        raise BadConfig("--llm names no LLM; give one or more, separated by commas.")
    _check_names(request, llms, captioners)
    _check_lalms(request, llms, lalms)
    has_captioner = request.hears and request.path != "lalm"
    columns: tuple[str | None, ...] = tuple(captioners or [DEFAULT_CAPTIONER]) if has_captioner else (None,)
    made_of = dict(zip(llms, lalms, strict=False))
    out = request.out or default_folder(request.options()).with_name(f"grid-{Path(request.bench).stem}-{request.path}")
    pool = Pool()
    cells: list[Cell] = []
    for llm, captioner in product(llms, columns):
        if cells and cells[-1].llm != llm:
            pool = Pool(captioners=pool.captioners, asrs=pool.asrs)  # one LLM in memory at a time
        lalm = made_of.get(llm)
        cell = Cell(llm=llm, captioner=captioner, lalm=lalm, folder=out / _name(llm, captioner, lalm))
        cells.append(_cell(request, cell, pool))
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


def draw(grid: Grid) -> Path:
    """Draw the accuracies as a heat-map beside grid.json."""
    from eval.display.plots import heat_map

    accuracies = {(cell.llm, cell.captioner): cell.accuracy for cell in grid.cells}
    values = [[accuracies.get((llm, captioner)) for captioner in grid.captioners] for llm in grid.llms]
    columns = [captioner or grid.path for captioner in grid.captioners]
    out = grid.folder / "grid.svg"
    heat_map(grid.llms, columns, values, out, title=f"{grid.benchmark}: strict accuracy")
    return out


def print_grid(grid: Grid, console: Console) -> None:
    """Print each cell with its interval, speed, tokens and cost; lost are the unread and the failed items."""
    num_items = max((cell.summary.n for cell in grid.cells if cell.summary), default=0)
    title = f"{grid.benchmark}, path {grid.path}, {num_items} items"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("LLM", no_wrap=True)
    table.add_column("LALM" if grid.path == "lalm" else "captioner", overflow="fold")
    for heading in ("strict, 95 %", "offic.", "lost", "s/item", "tokens", "$"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in grid.cells:
        table.add_row(cell.llm, cell.captioner or cell.lalm or "-", *_cells(cell))
    console.print(table)
    for cell in grid.cells:
        if cell.error:
            console.print(f"{cell.llm}: {cell.error}", style="red", highlight=False, soft_wrap=True)


def _check_names(request: RunRequest, llms: Sequence[str], captioners: Sequence[str]) -> None:
    if captioners and (not request.hears or request.path == "lalm"):
        raise BadConfig(f"Path {request.path!r} has no captioner: leave out --captioner.")
    for captioner in captioners:
        pick(CAPTIONERS, "captioner", captioner)
    for llm in llms:
        if request.llm_url is None and not Path(llm).is_dir():
            pick(LLMS, "LLM", llm)


def _check_lalms(request: RunRequest, llms: Sequence[str], lalms: Sequence[str]) -> None:
    if request.path != "lalm" and lalms:
        raise BadConfig(f"Path {request.path!r} does not use it: leave out --lalm.")
    if request.path == "lalm" and len(lalms) != len(llms):
        raise BadConfig(
            f"--llm names {len(llms)} and --lalm {len(lalms)}: name the LALM of each LLM, in the same order."
        )
    for lalm in lalms:
        if request.lalm_url is None and not Path(lalm).is_dir():
            pick(LALMS, "LALM", lalm)


def _cell(request: RunRequest, cell: Cell, pool: Pool) -> Cell:
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


def _cells(cell: Cell) -> list[str]:
    summary, accuracy = cell.summary, cell.accuracy
    if summary is None or accuracy is None:
        return ["-"] * 6
    low, high = summary.wilson_95
    return [
        f"{100 * accuracy:.1f} [{100 * low:.0f}, {100 * high:.0f}]",
        f"{100 * summary.correct_official / summary.n:.1f}",
        str(summary.unread + summary.failed),
        f"{summary.wall_s / summary.n:.2f}",
        str(summary.prompt_tokens + summary.completion_tokens),
        "-" if summary.cost_usd is None else f"{summary.cost_usd:.4f}",
    ]
