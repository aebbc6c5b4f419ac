"""A whole run whose replies rules score: from a file to the summary, resumed, with a judge beside them."""

import json
from pathlib import Path

import pytest

from eval.analysis.score import score_file
from eval.run import session
from eval.run.request import RunRequest
from eval.store.stored import read_predictions
from services import catalog
from services.errors import BadConfig
from services.scripted.llm import ScriptedLLM

QUESTIONS = [
    {"id": "s1", "question": "Which are animals?", "choices": ["dog", "rain", "cat"], "answer": ["dog", "cat"]},
    {"id": "s2", "question": "Which are wet?", "choices": ["rain", "sand"], "answer": ["rain"]},
    {"id": "o1", "question": "What is wet?", "choices": None, "answer": "rain"},
]


def say(prompt: str) -> str:
    if "Reference answer" in prompt:
        return "right"
    return "dog\ncat" if "animals" in prompt else "sand" if "several of these" in prompt.lower() else "the rain"


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> ScriptedLLM:
    scripted = ScriptedLLM(say, name="scripted")
    monkeypatch.setitem(catalog.LLMS, "scripted", lambda *_: scripted)
    return scripted


def request(file: Path, out: Path, **options: object) -> RunRequest:
    return RunRequest.model_validate(
        {"path": "text", "llm": "scripted", "bench": str(file), "out": out, "concurrency": 2, **options}
    )


@pytest.mark.slow
def test_sets_are_asked_in_words_and_scored_and_a_judge_scores_the_rest(tmp_path: Path, llm: ScriptedLLM) -> None:
    file = tmp_path / "q.json"
    file.write_text(json.dumps(QUESTIONS))
    outcome = session.run(request(file, tmp_path / "run", judges=("scripted",)))
    assert outcome.is_complete
    found = {one.id: one for one in read_predictions(tmp_path / "run")}
    assert [(name, one.correct_strict, one.failed) for name, one in sorted(found.items())] == [
        ("o1", True, None),
        ("s1", True, None),
        ("s2", False, None),
    ]
    outcome_s1 = found["s1"].outcome
    assert outcome_s1 is not None
    assert outcome_s1.chosen == ("dog", "cat")
    assert (outcome.summary.n, outcome.summary.correct_strict, outcome.summary.chance) == (3, 2, None)
    assert outcome.summary.judges[0].n == 1
    asked = "\n".join(message.content for messages in llm.prompts for message in messages)
    assert "(A) dog\n(B) rain\n(C) cat" in asked
    again = session.run(request(file, tmp_path / "run", judges=("scripted",)))
    assert again.summary.correct_strict == 2
    assert score_file(tmp_path / "run", "mmau").correct_strict == 2


def test_controls_over_options_leave_out_what_rules_score(tmp_path: Path, llm: ScriptedLLM) -> None:
    file = tmp_path / "q.json"
    file.write_text(json.dumps(QUESTIONS[:2]))
    with pytest.raises(BadConfig, match="Control 'constant-first' compares options, and no question of q shows any"):
        session.run(request(file, tmp_path / "run", controls=("constant-first",)))
    assert not llm.prompts


def test_error_rates_are_summed_over_transcripts(tmp_path: Path, llm: ScriptedLLM) -> None:
    pytest.importorskip("jiwer")
    rows = [{"id": f"{n}", "question": "Write it down.", "answer": f"the rain {'again ' * n}"} for n in range(2)]
    file = tmp_path / "q.json"
    file.write_text(json.dumps(rows))
    outcome = session.run(request(file, tmp_path / "run", fields=("rule=word error rate", "answer=answer")))
    assert outcome.summary.rules is not None and outcome.summary.rules.errors is not None
    assert (outcome.summary.rules.errors.errors, outcome.summary.rules.errors.length) == (1, 5)
    assert outcome.summary.correct_strict == 1
    saved = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert saved["rules"]["errors"]["rate"] == pytest.approx(0.2)
