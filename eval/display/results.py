"""Table of a run: strict and official accuracy by task, controls, calibration and cost."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agents.reading.calibration import ModelCalibration
from eval.display.rule_scores import format_rules
from eval.display.tables import add_rows, print_table
from eval.scoring.intervals import warn_of_few
from eval.scoring.scoring import Calibration, ControlScore, RepeatKind, RunSummary, Score
from services.terminal.counts import format_count

VARIES: Mapping[RepeatKind, str] = {
    "option order": "the options in another order",
    "sampling": "replies drawn with another seed",
}


def print_results(title: str, summary: RunSummary, console: Console) -> None:
    """Print both accuracies by task, the strict one with its 95 % interval, and what was unread or failed."""
    table = Table(title=title, title_justify="left")
    table.add_column("task", overflow="fold")  # what gives way on a narrow terminal; numbers are never cut
    for heading in ("n", "strict", "95 % int.", "official", "unread", "failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    add_rows(table, summary.by_task, summary, _format_cells)
    if summary.controls:
        table.add_section()
        table.add_row("controls", style="dim")
    for name, control in summary.controls.items():
        table.add_row(name, *_format_cells(control))
    print_table(table, console)
    for line in _format_remarks(summary):
        console.print(line, highlight=False, soft_wrap=True)


def format_retries(summary: RunSummary) -> Iterator[str]:
    """Yield how to ask again for what failed; what only a judge failed at is judged again without an option."""
    if any(judge.failed for judge in summary.judges):
        yield "The same command has the judges score again what they failed at."
    if summary.failed > (summary.judges[0].failed if summary.judges else 0):
        yield "The same command with --retry-failed asks the failed items again."


def print_groups(summary: RunSummary, groups: Iterable[str], console: Console) -> None:
    """Print both accuracies by other groups than tasks, such as sub-category, with their intervals."""
    for group in groups:
        counted: Mapping[str, Score] = getattr(summary, f"by_{group.replace('-', '_')}")
        if not counted:
            console.print(f"No item has a {group}.", highlight=False)
            continue
        table = Table(title=f"by {group}", title_justify="left")
        table.add_column(group, overflow="fold")
        for heading in ("n", "strict", "95 % int.", "official", "unread", "failed"):
            table.add_column(heading, justify="right", no_wrap=True)
        for name, score in counted.items():
            table.add_row(name, *_format_cells(score))
        print_table(table, console)


def print_calibration(folder: Path, found: ModelCalibration, console: Console) -> None:
    """Print what was fitted of a model's temperatures, and how they are used."""
    fitted = ", ".join(f"{one.temperature:.3g} for {one.num_options}" for one in found.temperatures)
    console.print(
        f"Temperature by number of options: {fitted}. Calibration error of {found.model} on held-out halves: "
        f"{found.held_out.ece:.1%}, without {found.held_out.ece_raw:.1%}. To use it: --calibration {folder}",
        highlight=False,
        soft_wrap=True,
    )


def _format_cells(counted: Score) -> list[str]:
    low, high = counted.wilson_95
    num_scored = counted.n - counted.withheld
    if not num_scored:
        return [str(counted.n), "-", "withheld" if counted.n else "-", "-", str(counted.unread), str(counted.failed)]
    official = counted.official_accuracy
    accuracies = [f"{counted.correct_strict / num_scored:.1%}", "-" if official is None else f"{official:.1%}"]
    interval = f"{100 * low:.1f}–{100 * high:.1f}"
    return [str(counted.n), accuracies[0], interval, accuracies[1], str(counted.unread), str(counted.failed)]


def _format_remarks(summary: RunSummary) -> Iterable[str]:
    for name, control in summary.controls.items():
        yield from _format_control(name, control)
    yield from _format_judges(summary)
    yield from _format_repeats(summary)
    if summary.rules:
        yield from format_rules(summary.rules)
    if summary.official_dropped:
        yield (
            f"The official script leaves out {summary.official_dropped} of "
            f"{format_count(summary.n, 'reply', 'replies')}, which it cannot read."
        )
    yield from _format_undisputed(summary)
    yield from _format_given_premise(summary)
    if summary.num_clusters is not None:
        yield f"{_format_clusters(summary, summary.num_clusters)}{warn_of_few(summary.num_clusters)}"
    if summary.calibration:
        yield from _format_calibration(summary.calibration)
    if summary.degraded:
        yield f"{format_count(summary.degraded, 'answer')} given while something was missing."
    rate = summary.n / summary.wall_s if summary.wall_s else 0.0
    tokens = f"; {format_count(summary.prompt_tokens, 'token')} read, {summary.completion_tokens} written"
    cost = f", ${summary.cost_usd:.4f}" if summary.cost_usd is not None else ""
    yield f"{summary.wall_s:.1f} s in all, {rate:.2f} items per second{tokens}{cost}"
    if summary.num_cached:
        found = f"{summary.num_cached} captions, transcripts and readings"
        yield f"{found} came from the cache: their seconds are not in it."


def _format_judges(summary: RunSummary) -> Iterable[str]:
    for judge in summary.judges:
        tokens = f"{format_count(judge.prompt_tokens, 'token')} read, {judge.completion_tokens} written"
        refused = f", {judge.refused} refused" if judge.refused else ""
        lost = f", {judge.failed} not judged" if judge.failed else ""
        yield (
            f"Judge {judge.judge}: {judge.right} of {format_count(judge.n, 'reply', 'replies')} "
            f"right{refused}{lost}; {tokens}."
        )
        if judge.mean_score is not None and judge.mean_reference_score is not None:
            beside = f"{judge.mean_reference_score:.2f} for the references; right are those that score higher"
            yield f"Mean score of the replies {judge.mean_score:.2f} of 10, {beside}."
        if judge.mean_overall is not None:
            yield f"Mean score of the replies {judge.mean_overall:.2f} of 5; right are those with 4 or more."
    if summary.judge_kappa is not None:
        yield f"Agreement of the first two judges: Cohen's kappa {summary.judge_kappa:.2f}."


def _format_undisputed(summary: RunSummary) -> Iterable[str]:
    if kept := summary.undisputed:
        _, strict, interval, official, *_ = _format_cells(kept)
        yield (
            f"{format_count(summary.n - kept.n, 'disputed answer')} (predictions.jsonl says by whom). Without: "
            f"strict {strict} [{interval}], official {official}."
        )


def _format_given_premise(summary: RunSummary) -> Iterable[str]:
    if summary.given_premise:
        each = (
            f"{name} {kept.correct_strict} of {kept.n}"
            + (
                f" ({kept.correct_strict / kept.n:.1%} [{100 * kept.wilson_95[0]:.1f}–{100 * kept.wilson_95[1]:.1f}])"
                if kept.n
                else ""
            )
            for name, kept in summary.given_premise.items()
        )
        yield f"Right where the question that they build on is (multi given single hop): {', '.join(each)}."


def _format_repeats(summary: RunSummary) -> Iterable[str]:
    found = summary.repeats
    if found is None:
        return
    each = ", ".join(f"{accuracy:.1%}" for accuracy in found.accuracies)
    low, high = found.ci_95
    yield (
        f"{format_count(found.num, 'repeat')}, each with {VARIES[found.varies]}: {each}. Mean (pass@1) "
        f"{found.mean:.2%}, official "
        f"{found.mean_official:.2%}; standard deviation over repeats {100 * found.sd:.2f} points; 95 % interval over "
        f"items {low:.1%} to {high:.1%}."
    )
    yield (
        f"{found.differing} of {format_count(found.n, 'item')} got different answers "
        f"({found.differing / found.n:.1%}); right every "
        f"time {found.always_right}, at least once {found.ever_right}."
    )
    if found.varies == "option order" and not found.reads_order:
        yield "The model compares the options' texts, in no order: its repeats can differ by rounding only."
    elif found.fixed:
        fixed = format_count(found.fixed, "item")
        yield f"Asked in the same words each time with nothing drawn, and so sure not to differ: {fixed}."


def _format_clusters(summary: RunSummary, num: int) -> str:
    shared = f"Items share {format_count(num, 'source')} (recordings, or videos)"
    if summary.clustered_se is None or summary.clustered_95 is None:
        return f"{shared}."
    low, high = summary.clustered_95
    return f"{shared}: clustered standard error {summary.clustered_se:.2%}, 95 % interval {low:.1%} to {high:.1%}."


def _format_calibration(found: Calibration) -> Iterable[str]:
    yield (
        f"Calibration error {found.raw.ece:.1%}, Brier score {found.raw.brier:.3f}; at temperature "
        f"{found.temperature:.2f}, fitted on one half and measured on the other: {found.tempered.ece:.1%}, "
        f"{found.tempered.brier:.3f}. Area under the risk-coverage curve {found.aurc:.3f}."
    )
    if kept := found.abstention:
        low, high = kept.wilson_95
        right = "" if kept.accuracy is None else f", {kept.accuracy:.1%} of them right [{low:.1%}, {high:.1%}]"
        yield f"Surer than {kept.threshold:.0%}: {kept.answered} of {format_count(kept.n, 'answer')}{right}."


def _format_control(name: str, control: ControlScore) -> Iterable[str]:
    if control.consistent is not None:
        mean = control.mean_strict
        right = "" if mean is None else f"; {mean:.1%} of the single rotations are right"
        yield (
            f"{name}: {control.consistent} of {format_count(control.n, 'item')} "
            f"({control.consistent / control.n:.1%}) got the same "
            f"option in every rotation{right}."
        )
    elif control.changed is not None and control.compared:
        share = control.changed / control.compared
        yield (
            f"{name}: {control.changed} of {format_count(control.compared, 'answer')} ({share:.1%}) "
            "differ from the run's own."
        )
    if test := control.against_run:
        yield (
            f"{name} against the run on {format_count(test.n, 'item')}: only the run is right at "
            f"{test.only_run}, only the control at "
            f"{test.only_control} (McNemar, exact: p = {test.mcnemar_p:.3g})."
        )
