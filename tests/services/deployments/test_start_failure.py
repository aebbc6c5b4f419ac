from pathlib import Path

import pytest

from services.deployments.replicas import Replica
from services.deployments.start_failure import (
    StartFailure,
    clear_start_failures,
    read_start_failures,
    report_start_failure,
)
from services.errors import BadConfig, ModelError
from services.protocols import AnyModel
from services.settings import read_settings


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "failures"
    monkeypatch.setenv("EARWITNESS_START_FAILURES", str(folder))
    read_settings.cache_clear()
    monkeypatch.setattr("services.deployments.replicas.listen_on_loopback", lambda: None)
    return folder


def test_a_replica_reports_an_error_that_the_user_can_mend_and_raises_it(folder: Path) -> None:
    def open_model() -> AnyModel:
        raise ModelError("services.errors.BadConfig: is not what it is.")

    with pytest.raises(ModelError):
        Replica(open_model, "asr")
    (failure,) = read_start_failures(folder)
    assert failure == StartFailure(
        deployment="asr", code=ModelError.code, message="services.errors.BadConfig: is not what it is."
    )


def test_a_bug_is_not_reported(folder: Path) -> None:
    def open_model() -> AnyModel:
        raise ValueError("services.errors.ModelError: looks like one of ours")

    with pytest.raises(ValueError, match="looks like one"):
        Replica(open_model, "asr")
    assert read_start_failures(folder) == ()


def test_the_last_report_of_a_deployment_counts_until_it_is_cleared(folder: Path) -> None:
    report_start_failure("llm", BadConfig("first"))
    report_start_failure("llm", BadConfig("second"))
    assert [failure.message for failure in read_start_failures(folder)] == ["second"]
    clear_start_failures(folder)
    assert read_start_failures(folder) == ()
