"""`earwitness eval study`: every LLM of a study over every benchmark and path, resumable as a whole, with one page.

Each benchmark and path is a grid of `eval.run.grid`, so a study continues where it stopped, item by item, and each
clip is perceived once per captioner. What cannot run here, such as a model without its key, is an empty cell with the
reason.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from eval.analysis.score_table import PercentScore, ScoreTable, read_family
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark
from eval.run.estimate import Estimate, estimate_runs
from eval.run.grid import Cell, GridModel, run_grid
from eval.run.request import Price, RunRequest
from eval.study.config import StudyConfig, StudyModel, StudyPath
from lalm.catalog import LALMS
from services.catalog import CAPTIONERS, LLMS, open_llm, pick
from services.errors import BadConfig
from services.files import is_folder
from services.types import Value


class StudyRun(NamedTuple):
    """One grid of a study: a benchmark over one path."""

    benchmark: str
    title: str
    """The benchmark's name in columns."""
    path: StudyPath
    llms: tuple[StudyModel, ...]
    captioners: tuple[str, ...]
    items: Benchmark
    """What is asked: the whole benchmark, or the study's sample."""

    @property
    def num_cells(self) -> int:
        """Runs of the grid."""
        return len(self.llms) * max(1, len(self.captioners))


class StudyCell(Value):
    """One run of a study."""

    column: str
    """BENCHMARK:PATH, and the captioner where there are several."""
    benchmark: str
    row: str
    cell: Cell


class Study(Value):
    """All runs of a study that there are."""

    config: StudyConfig
    cells: tuple[StudyCell, ...]
    is_complete: bool
    """Whether every run is finished, or cannot run here."""


def plan_study(config: StudyConfig) -> tuple[StudyRun, ...]:
    """List the grids of a study.

    Raises `BadConfig` where a model is not known, a benchmark cannot be read or lacks clips, two benchmarks share a
    name, or a score that is to predict, or to be predicted, is not a column of the study.
    """
    _check_models(config)
    runs = tuple(_plan_runs(config))
    if not runs:
        raise BadConfig(
            f"The study asks nothing on paths {', '.join(config.paths) or 'none'}: path lalm needs an LLM with a lalm, "
            "path cascade a benchmark with recordings."
        )
    files: dict[str, str] = {}
    for run in runs:
        if files.setdefault(run.title, run.benchmark) != run.benchmark:
            raise BadConfig(
                f"{files[run.title]!r} and {run.benchmark!r} would both be called {run.title!r} in the study: give one "
                "of the files another name."
            )
    columns = [column for run in runs for column in _list_columns(run)]
    for part, column in config.predict.model_dump().items():
        if column is not None and column not in columns:
            raise BadConfig(f"predict.{part}: the study has no column {column!r}; it has {', '.join(columns)}.")
    return runs


def _check_models(config: StudyConfig) -> None:
    """Check that every model is known, and its server has a URL; an error names the first that is not."""
    for captioner in config.captioners:
        pick(CAPTIONERS, "captioner", captioner)
    for model in config.llms:
        if model.url is not None:
            open_llm(model.name, model.url)  # which connects to nothing yet
        elif not is_folder(model.name):
            pick(LLMS, "LLM", model.name)
        if model.lalm and not is_folder(model.lalm):
            pick(LALMS, "LALM", model.lalm)


def _list_columns(run: StudyRun) -> list[str]:
    return [_name_column(run, captioner) for captioner in run.captioners or ("",)]


def _plan_runs(config: StudyConfig) -> Iterator[StudyRun]:
    for name in config.benchmarks:
        benchmark = find(name, config.audio_root).sample(config.sample, config.seed)
        benchmark.require_askable()
        hears = any(item.audio for item in benchmark.items)
        if hears and set(config.paths) != {"text"}:
            benchmark.require_audio()
        for path in config.paths:
            if path != "text" and not hears:
                continue
            llms = tuple(model for model in config.llms if path != "lalm" or model.lalm)
            if llms:
                captioners = config.captioners if path == "cascade" else ()
                yield StudyRun(name, benchmark.name, path, llms, captioners, benchmark)


def estimate_study(config: StudyConfig) -> tuple[Estimate, ...]:
    """Say how many requests and tokens a study takes, without asking anything."""
    price = Price.read(config.price) if config.price else None
    return tuple(
        estimate_runs(
            run.items,
            f"{run.title}:{run.path}",
            num_runs=run.num_cells,
            shows_evidence=run.path == "cascade",
            price=price,
        )
        for run in plan_study(config)
    )


def run_study(config: StudyConfig, out: Path, say: Callable[[str], None]) -> Study:
    """Run what is not yet finished; `say` is told what comes next and how long the rest may take."""
    runs = plan_study(config)
    started, num_done, num_all = perf_counter(), 0, sum(run.num_cells for run in runs)
    cells: list[StudyCell] = []
    for run in runs:
        left = (perf_counter() - started) / num_done * (num_all - num_done) if num_done else None
        rest = "" if left is None else f" Left: about {max(1, round(left / 60))} min."
        num_next = num_done + run.num_cells
        places = f"Run {num_next}" if run.num_cells == 1 else f"Runs {num_done + 1} to {num_next}"
        say(f"{places} of {num_all}: {run.title}, path {run.path}.{rest}")
        grid = run_grid(_make_request(config, run, out), _list_models(run), run.captioners, _list_lalms(run))
        for cell in grid.cells:
            column = _name_column(run, cell.captioner or "")
            cells.append(StudyCell(column=column, benchmark=run.title, row=cell.row, cell=cell))
            if cell.error:
                say(f"{cell.row} cannot run here: {cell.error}")
        if not all(cell.is_complete or cell.error for cell in grid.cells):
            return Study(config=config, cells=tuple(cells), is_complete=False)
        num_done += run.num_cells
    return Study(config=config, cells=tuple(cells), is_complete=True)


def _make_request(config: StudyConfig, run: StudyRun, out: Path) -> RunRequest:
    return RunRequest(
        path=run.path,
        bench=run.benchmark,
        audio_root=config.audio_root,
        sample=config.sample,
        seed=config.seed,
        asr=config.asr if run.path == "cascade" else None,
        budget=config.budget if run.path == "cascade" else None,
        concurrency=config.concurrency,
        price=Price.read(config.price) if config.price else None,
        out=out / "runs" / f"{run.title}-{run.path}",
    )


def _list_models(run: StudyRun) -> tuple[GridModel, ...]:
    return tuple(GridModel(model.name, model.url, model.title) for model in run.llms)


def _list_lalms(run: StudyRun) -> tuple[str, ...]:
    return tuple(model.lalm for model in run.llms if model.lalm) if run.path == "lalm" else ()


def _name_column(run: StudyRun, captioner: str) -> str:
    several = f":{captioner}" if len(run.captioners) > 1 else ""
    return f"{run.title}:{run.path}{several}"


def make_table(study: Study) -> ScoreTable:
    """Return the scores of a study by column and row, for correlations and recommendations.

    A run whose every item failed, such as of a server that was down, has measured nothing and has none.
    """
    columns: dict[str, dict[str, PercentScore]] = {}
    for one in study.cells:
        summary, accuracy = one.cell.summary, one.cell.accuracy
        if summary is not None and accuracy is not None and one.cell.is_complete and summary.failed < summary.n:
            n = summary.n - summary.withheld
            chance = None if summary.chance is None else 100 * summary.chance
            columns.setdefault(one.column, {})[one.row] = PercentScore(100 * accuracy, n, chance)
    return ScoreTable(columns, {model.title: read_family(model.name) for model in study.config.llms})
