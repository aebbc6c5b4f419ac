"""Run folders of schema version 1, whose traces and labels were texts, still open."""

import json
from pathlib import Path

import pytest

from agents.routing.features import compute_evidence_features
from eval.cli import main
from eval.store.legacy import upgrade_answer
from eval.store.run_folder import require_record
from eval.store.stored import read_predictions
from services.types import Answer, Label

OLD = Path(__file__).parents[2] / "data" / "run-before-schema"


def answers() -> list[Answer]:
    return [prediction.response for prediction in read_predictions(OLD) if prediction.response]


def test_traces_become_steps_with_their_seconds() -> None:
    first = answers()[0]
    assert require_record(OLD).schema_version == 1 and first.schema_version == 2
    assert [one.step for one in first.trace] == ["caption", "transcribe", "read"]
    assert first.trace[0].text == "acoustic" and first.trace[0].seconds == first.timings_s["caption"]


def test_probabilities_in_texts_become_labels() -> None:
    sounds = answers()[0].evidence[0]
    assert sounds.labels[:2] == (
        Label(text="music", probability=0.95),
        Label.round_to_label("plucked string instrument", 0.5),
    )
    assert all(str(label) in sounds.text for label in sounds.labels)
    assert compute_evidence_features(answers()[0].evidence)["entropy of sounds"] == pytest.approx(1.7131, abs=1e-4)


def test_each_statement_names_its_step() -> None:
    _, again, spoken, _ = answers()
    assert [one.step for one in again.evidence] == [*["caption"] * 4, "listen again"]
    assert [one.step for one in spoken.evidence][-2:] == ["transcribe", "transcribe"]


def test_the_route_of_an_old_trace_is_read() -> None:
    old = answers()[0].model_dump(mode="json") | {"trace": ["route: both (rule, a question about speech)", "rule"]}
    del old["schema_version"], old["route"]
    upgraded = Answer.model_validate(upgrade_answer(old))
    assert upgraded.route == "both" and [one.step for one in upgraded.trace] == ["route", "rule"]


def test_what_is_not_an_old_answer_stays_as_it_is() -> None:
    new = json.loads(answers()[0].model_dump_json())
    assert upgrade_answer(new) is new and upgrade_answer(None) is None


@pytest.mark.parametrize("command", [["score"], ["compare", str(OLD)], ["report", "--html"]])
@pytest.mark.slow
def test_the_commands_of_eval_read_it(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, *rest = command
    page = [str(tmp_path / "page.html")] if name == "report" else []
    with pytest.raises(SystemExit) as ended:
        main([name, str(OLD), *rest, *page])
    assert ended.value.code == 0, capsys.readouterr().err
