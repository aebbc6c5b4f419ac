"""Page of a study: scores, correlations, recommendation, profiles, cost, and a report with every item per benchmark."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval.analysis.contest import Contest, hold_contest
from eval.analysis.correlate import CorrelationReport, correlate_all
from eval.analysis.recommend import Recommendation, recommend
from eval.analysis.score_table import ScoreTable
from eval.page.page import write_page
from eval.scoring.scoring import RunSummary, Score
from eval.store.stored import open_stored
from eval.study.study import Study, StudyCell, make_table
from services import web
from services.errors import BadConfig
from services.files import write_atomic

WEB = Path(__file__).with_name("web")


class Analysis(NamedTuple):
    """An analysis, or why there is none."""

    found: CorrelationReport | Recommendation | None
    problem: str


class Profile(NamedTuple):
    """Scores of every row by one kind of group of one column."""

    title: str
    groups: tuple[str, ...]
    scores: Mapping[str, Mapping[str, Score]]
    """Row -> group -> score."""


class BenchmarkContest(NamedTuple):
    """Who wins where on one column."""

    column: str
    found: Contest | None
    problem: str


def write_study_page(study: Study, out: Path, max_audio_mb: float) -> Path:
    """Write `index.html` in a study's folder, and beside it one report per benchmark with every item to look at."""
    table = make_table(study)
    reports = tuple(_write_reports(study, out, max_audio_mb))
    environment = Environment(
        loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    content = environment.get_template("study.html.j2").render(
        study=study,
        table=table,
        summaries={(one.row, one.column): one.cell for one in study.cells},
        rows=[model.title for model in study.config.llms],
        correlations=_correlate(study, table),
        recommendation=_recommend(study, table),
        profiles=tuple(_make_profiles(study)),
        contests=tuple(_find_contests(study)),
        reports=reports,
        style=Markup("".join(_read_styles())),  # noqa: S704 - files of this package
    )
    file = out / "index.html"
    write_atomic(file, content)
    return file


def _read_styles() -> Iterator[str]:
    yield (web.FOLDER / "palette.css").read_text(encoding="utf-8")
    yield (Path(__file__).parents[1] / "page" / "web" / "page.css").read_text(encoding="utf-8")


def _correlate(study: Study, table: ScoreTable) -> Analysis:
    wanted = study.config.predict
    try:
        return Analysis(correlate_all(table, wanted.x, wanted.y, control=wanted.control), "")
    except BadConfig as error:
        return Analysis(None, str(error))


def _recommend(study: Study, table: ScoreTable) -> Analysis:
    wanted = study.config.predict
    try:
        return Analysis(recommend(table, wanted.x, wanted.y), "")
    except BadConfig as error:
        return Analysis(None, str(error))


def _make_profiles(study: Study) -> Iterator[Profile]:
    """Yield tables by category and by sub-category of each column that has several."""
    for column, cells in _group_cells(study).items():
        summaries = {one.row: one.cell.summary for one in cells if one.cell.summary}
        for title, groups in (("category", _get_categories), ("sub-category", _get_sub_categories)):
            names = tuple(dict.fromkeys(name for summary in summaries.values() for name in groups(summary)))
            if len(names) > 1:
                yield Profile(
                    f"{column} by {title}", names, {row: groups(summary) for row, summary in summaries.items()}
                )


def _get_categories(summary: RunSummary) -> Mapping[str, Score]:
    return summary.by_category


def _get_sub_categories(summary: RunSummary) -> Mapping[str, Score]:
    return summary.by_sub_category


def _group_cells(study: Study) -> dict[str, list[StudyCell]]:
    columns: dict[str, list[StudyCell]] = {}
    for one in study.cells:
        if one.cell.is_complete:
            columns.setdefault(one.column, []).append(one)
    return columns


def _find_contests(study: Study) -> Iterator[BenchmarkContest]:
    for column, cells in _group_cells(study).items():
        if len(cells) < 3:
            continue
        results = [open_stored(one.cell.folder)._replace(name=one.row) for one in cells]
        try:
            yield BenchmarkContest(column, hold_contest(results), "")
        except BadConfig as error:  # answers that are withheld: the rest of the page holds
            yield BenchmarkContest(column, None, str(error))


def _write_reports(study: Study, out: Path, max_audio_mb: float) -> Iterator[tuple[str, str]]:
    """Write a report for each benchmark; yield its name and its file's."""
    folders: dict[str, list[Path]] = {}
    for one in study.cells:
        if one.cell.is_complete:
            folders.setdefault(one.benchmark, []).append(one.cell.folder)
    for benchmark, runs in folders.items():
        file = out / f"{benchmark}.html"
        write_page(runs, file, max_audio_mb=max_audio_mb)
        yield benchmark, file.name
