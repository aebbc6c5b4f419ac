"""Judgements on disk."""

from pathlib import Path

from eval.store.judgements import FILE_NAME, JudgeNames, ReplyJudgement, read_judgements, read_judges

ONE = ReplyJudgement(id="1", judge="one", prompt_version=1, answer="A dog", is_right=True, reply="right")


def test_the_last_judgement_of_an_item_counts_and_half_a_line_does_not(tmp_path: Path) -> None:
    later = ONE.model_copy(update={"is_right": False})
    other = ONE.model_copy(update={"judge": "two"})
    lines = [one.model_dump_json() for one in (ONE, other, later)]
    (tmp_path / FILE_NAME).write_text("\n".join(lines) + "\n" + lines[0][:20])
    assert read_judgements(tmp_path, "one") == {"1": later}
    assert read_judgements(tmp_path, "two") == {"1": other}


def test_a_run_without_judges(tmp_path: Path) -> None:
    assert read_judgements(tmp_path, "one") == {}
    assert read_judges(tmp_path) == ()
    (tmp_path / "judges.json").write_text(JudgeNames(judges=("one", "two")).model_dump_json())
    assert read_judges(tmp_path) == ("one", "two")
