"""The arithmetic of embedded LLMs is measured once a machine, where it is not known, and the choice is kept."""

from pathlib import Path

import pytest

from services.catalog import SMALL_READER
from services.llms import autotune
from services.llms.autotune import ComputeType, Processor, choose_compute_type, read_processor
from services.llms.quantised import QuantisedLLM
from services.settings import read_settings

OLD = Processor(model="An old processor", flags=("avx", "sse4_2"))


class Stopwatch:
    """Says how long each kind of arithmetic takes, and notes what it was asked."""

    def __init__(self, **seconds: float) -> None:
        self.seconds, self.asked = seconds, list[ComputeType]()

    def __call__(self, _: Path, compute_type: ComputeType) -> float:
        self.asked.append(compute_type)
        return self.seconds[compute_type]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path / "home"))
    read_settings.cache_clear()
    return tmp_path / "home"


def choose(folder: Path, watch: Stopwatch, *, processor: Processor = OLD, weights: str = "1") -> ComputeType:
    return choose_compute_type(folder, weights, processor=processor, measure=watch)


@pytest.mark.parametrize(("int8", "float32", "chosen"), [(1.0, 0.5, "float32"), (1.0, 0.9, "int8"), (1.0, 3.0, "int8")])
@pytest.mark.usefixtures("home")
def test_another_arithmetic_is_chosen_only_where_it_is_clearly_faster(
    tmp_path: Path, int8: float, float32: float, chosen: str
) -> None:
    assert choose(tmp_path, Stopwatch(int8=int8, float32=float32)) == chosen


@pytest.mark.usefixtures("home")
def test_a_choice_is_kept_for_this_processor_and_these_weights(tmp_path: Path) -> None:
    assert choose(tmp_path, Stopwatch(int8=1.0, float32=0.5)) == "float32"
    later = Stopwatch(int8=1.0, float32=2.0)
    assert choose(tmp_path, later) == "float32"
    assert later.asked == []
    assert choose(tmp_path, later, weights="2") == "int8"
    assert choose(tmp_path, later, processor=Processor(model="Another one", flags=OLD.flags)) == "int8"
    assert later.asked == ["int8", "float32"] * 2


def test_a_damaged_or_unwritable_note_costs_a_measurement_and_never_a_start(tmp_path: Path, home: Path) -> None:
    watch = Stopwatch(int8=1.0, float32=0.5)
    choose(tmp_path, watch)
    (kept,) = (home / "autotune").iterdir()
    kept.write_text("{")
    assert choose(tmp_path, watch) == "float32"
    kept.unlink()
    (home / "autotune").rmdir()
    (home / "autotune").write_text("not a folder")
    assert choose(tmp_path, watch) == "float32"
    assert watch.asked == ["int8", "float32"] * 3


@pytest.mark.usefixtures("home")
def test_nothing_is_measured_where_8_bit_integers_are_known_to_be_fastest(tmp_path: Path) -> None:
    watch = Stopwatch()
    assert choose(tmp_path, watch, processor=Processor(model="A new one", flags=("avx", "avx2"))) == "int8"
    assert watch.asked == []


@pytest.mark.usefixtures("home")
def test_weights_too_large_for_this_memory_are_not_tried_in_32_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.bin").write_bytes(bytes(1000))
    monkeypatch.setattr(autotune, "count_memory", lambda: 10_000)
    watch = Stopwatch(int8=1.0, float32=0.1)
    assert choose(tmp_path, watch) == "int8"
    assert watch.asked == ["int8"]


def test_the_processor_is_described_by_its_name_and_instruction_sets(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel name\t: Toy 3000\nflags\t\t: sse avx2\n\nprocessor\t: 1\nmodel name\t: Toy 3000\n"
    )
    assert read_processor(info) == Processor(model="Toy 3000", flags=("avx2", "sse"))
    assert read_processor(tmp_path / "absent").flags == ()


def test_the_arithmetic_is_part_of_what_a_run_records(tmp_path: Path) -> None:
    def open_toy(compute_type: ComputeType) -> QuantisedLLM:
        return QuantisedLLM(tmp_path, name="toy", revision="1", style=SMALL_READER, compute_type=compute_type)

    assert (open_toy("int8").revision, open_toy("float32").revision) == ("1", "1-float32")
    assert open_toy("int8").fingerprint != open_toy("float32").fingerprint
