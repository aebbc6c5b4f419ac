import json
from pathlib import Path

import pytest

from agents.reading.calibration import (
    Calibrations,
    FittedTemperature,
    HeldOutQuality,
    ModelCalibration,
    apply_calibration,
    hash_calibrations,
    is_within_chance,
    read_calibrations,
)
from agents.text_only import TextOnly
from services.catalog import DEFAULT_LLM, EMBEDDED_LLMS
from services.errors import BadConfig
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.types import Question
from services.weights.store import find_revision


def make_calibration(*fitted: tuple[int, float], ece: float = 0.05) -> ModelCalibration:
    return ModelCalibration(
        model="reader",
        revision="1",
        path="text",
        temperatures=tuple(FittedTemperature(num_options=n, temperature=t, num_questions=100) for n, t in fitted),
        held_out=HeldOutQuality(num_questions=200, ece_raw=0.4, ece=ece, brier_raw=0.8, brier=0.5),
        fitted_on="scripted questions",
    )


def test_between_two_fitted_numbers_of_options_the_temperature_is_interpolated_and_beyond_them_it_stays() -> None:
    known = make_calibration((2, 0.1), (8, 0.4))
    assert known.find_temperature(4) == pytest.approx(0.2)
    assert (known.find_temperature(2), known.find_temperature(26)) == (0.1, pytest.approx(0.4))


def test_a_temperature_sharpens_flat_probabilities_and_keeps_their_order() -> None:
    flat = {"A": 0.3, "B": 0.25, "C": 0.23, "D": 0.22}
    sharp = apply_calibration(make_calibration((4, 0.1)), flat)
    assert list(sharp) == list(flat)
    assert sharp["A"] == pytest.approx(0.3**10 / sum(p**10 for p in flat.values()))
    assert apply_calibration(None, flat) == flat


def test_two_options_closer_than_the_error_of_their_probabilities_are_within_chance() -> None:
    close = {"A": 0.45, "B": 0.41, "C": 0.14}
    assert is_within_chance(close, make_calibration((3, 1.0), ece=0.05))
    assert not is_within_chance(close, make_calibration((3, 1.0), ece=0.03))
    assert not is_within_chance({})


async def test_an_answer_says_its_scale_and_keeps_what_the_model_gave() -> None:
    question = Question.ask("Which is loudest?", ("a bell", "a drum"))
    answer = await TextOnly(ScriptedLLM(choose=weigh(0.55, 0.45)), make_calibration((2, 0.2))).answer(question)
    assert answer.raw_probabilities == pytest.approx({"A": 0.55, "B": 0.45})
    assert answer.probabilities["A"] == pytest.approx(0.55**5 / (0.55**5 + 0.45**5))
    assert answer.calibration is not None
    assert (answer.calibration.temperature, answer.calibration.ece) == (0.2, 0.05)
    assert not answer.is_unsure
    plain = await TextOnly(ScriptedLLM(choose=weigh(0.51, 0.49))).answer(question)
    assert plain.probabilities == plain.raw_probabilities
    assert plain.calibration is None
    assert plain.is_unsure


def test_the_users_file_counts_before_the_one_that_ships_and_other_weights_have_none(tmp_path: Path) -> None:
    own = {"format": 1, "models": [make_calibration((2, 0.5)).model_dump()]}
    (tmp_path / "calibration.json").write_text(json.dumps(own))
    reader = ScriptedLLM(name="reader", revision="1")
    found = Calibrations(read_calibrations(tmp_path)).find(reader, "text")
    assert found is not None
    assert found.find_temperature(2) == 0.5
    assert Calibrations(read_calibrations(tmp_path / "calibration.json")).find(reader, "cascade") is None
    assert Calibrations().find(reader, "text") is None
    assert Calibrations(read_calibrations(tmp_path)).find(ScriptedLLM(name="reader", revision="2"), "text") is None
    assert hash_calibrations(tmp_path) == hash_calibrations(tmp_path / "calibration.json")


@pytest.mark.parametrize("content", ["", "{}", '{"format": 2, "models": []}', '{"format": 1, "models": [{}]}'])
def test_a_file_that_is_not_a_calibration_is_refused_by_name(content: str, tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    file.write_text(content)
    with pytest.raises(BadConfig, match=r"runs\.json' is not a calibration of this version.*eval run"):
        read_calibrations(file)


def test_temperatures_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="ascending order"):
        make_calibration((4, 0.1), (2, 0.1))


@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5b", DEFAULT_LLM])
def test_what_ships_is_fitted_on_the_weights_that_ship(name: str) -> None:
    shipped = Calibrations()
    reader = ScriptedLLM(name=name, revision=find_revision(name))
    found = shipped.find(reader, "cascade")
    assert found is not None
    assert found.held_out.ece < 0.1 < found.held_out.ece_raw
    assert found.held_out.brier < found.held_out.brier_raw
    assert reader.name in EMBEDDED_LLMS


def test_the_trained_reader_hardly_needs_a_temperature() -> None:
    name = "earwitness-reader-0.5b"
    found = Calibrations().find(ScriptedLLM(name=name, revision=find_revision(name)), "cascade")
    assert found is not None
    assert found.held_out.ece < found.held_out.ece_raw < 0.1
    assert name in EMBEDDED_LLMS
