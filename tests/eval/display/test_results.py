"""The table of a run: every figure whole at 80 columns, and names shown as they are."""

import pytest
from rich.console import Console

from eval.display.results import format_retries, print_results
from eval.scoring.scoring import JudgeScore, Verdict, summarise


def printed(*tasks: str) -> str:
    verdicts = [Verdict(f"{task}{number}", task, correct_strict=number < 3) for task in tasks for number in range(11)]
    console = Console(width=80, markup=False, force_terminal=True, color_system=None)
    with console.capture() as caught:
        print_results("mmar", summarise(verdicts), console)
    return caught.get()


def test_no_figure_is_cut_on_a_narrow_terminal() -> None:
    table = printed("mix-sound-music-speech", "speech")
    assert "…" not in table
    assert table.count("9.7–56.6") == 2


@pytest.mark.parametrize("task", ["[/sound]", "[red]sound", "sound [1]"])
def test_a_task_is_shown_by_its_name_whatever_that_holds(task: str) -> None:
    assert f"│ {task} " in printed(task)


@pytest.mark.parametrize(
    ("tasks", "rows"),
    [
        (("music",), ["music", "all"]),
        (("all",), ["all"]),  # of items without a task
        (("all", "music"), ["all", "music", "all tasks"]),
        (("all", "all tasks"), ["all", "all tasks", "all tasks tasks"]),
    ],
)
def test_no_task_is_called_as_the_whole_is(tasks: tuple[str, ...], rows: list[str]) -> None:
    cells = [[cell.strip() for cell in line.split("│")] for line in printed(*tasks).splitlines()]
    lines = [line for line in cells if len(line) > 3]
    assert [line[1] for line in lines] == rows
    assert lines[-1][2] == str(11 * len(tasks))


@pytest.mark.parametrize(
    ("num_failed", "by_judge", "said"),
    [
        (0, None, []),
        (2, None, ["--retry-failed"]),
        (2, 2, ["has the judges score again"]),
        (2, 1, ["has the judges score again", "--retry-failed"]),
        (2, 0, ["--retry-failed"]),
    ],
)
def test_what_only_a_judge_failed_at_needs_no_option(num_failed: int, by_judge: int | None, said: list[str]) -> None:
    summary = summarise([Verdict(str(number), "t", failed=number < num_failed) for number in range(4)])
    if by_judge is not None:
        judge = JudgeScore(judge="j", n=4, right=1, failed=by_judge, prompt_tokens=0, completion_tokens=0)
        summary = summary.model_copy(update={"judges": (judge,)})
    lines = list(format_retries(summary))
    assert len(lines) == len(said)
    assert all(wanted in line for wanted, line in zip(said, lines, strict=True))


def test_second_hops_are_printed_where_their_first_is_right() -> None:
    verdicts = [
        *(Verdict(f"{clip}-single", "Animal", correct_strict=clip < 2) for clip in range(3)),
        *(Verdict(f"{clip}-multi", "Animal", correct_strict=clip > 0, premise=f"{clip}-single") for clip in range(3)),
    ]
    console = Console(width=80, markup=False, color_system=None)
    with console.capture() as caught:
        print_results("sakura", summarise(verdicts), console)
    assert "(multi given single hop): Animal 1 of 2 (50.0% [9.5–90.5]), all 1 of 2" in caught.get()
