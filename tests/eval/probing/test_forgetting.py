"""Forgetting: a model that errs only while its adapters hear is told from one that the recording disturbs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark, Item
from eval.probing.forgetting import Carrier, ForgettingReport, measure_forgetting, read_carriers
from lalm.probing.text_scores import BARE, HEARING, ONLY_ADAPTERS, ONLY_TOKENS, Condition
from services.errors import BadConfig
from services.types import SAMPLE_RATE, AudioClip, Question

OPTIONS = ("ash", "beech", "cedar", "elm")
NUM = 60


class ForgetfulScorer:
    """Prefers the right option, but for the first questions of each way."""

    name, revision, backbone = "forgetful", "1", "tiny-lm"
    conditions = (BARE, HEARING, ONLY_TOKENS, ONLY_ADAPTERS)

    def __init__(self, forgotten: Mapping[Condition, int]) -> None:
        self.forgotten = forgotten
        self.heard: list[str] = []

    def score(self, question: Question, clip: AudioClip, condition: Condition) -> tuple[float, ...]:
        number = int(question.id)
        self.heard.append(clip.sha256)
        right = number % 4 if number >= self.forgotten.get(condition, 0) else (number + 1) % 4
        return tuple(-1.0 if place == right else -2.0 for place in range(4))


def make_benchmark(num: int = NUM, **changes: object) -> Benchmark:
    items = tuple(
        Item(id=str(n), question="Which tree?", choices=OPTIONS, answer=OPTIONS[n % 4], task="trees")
        for n in range(num)
    )
    items = tuple(item.model_copy(update=changes) for item in items)
    return Benchmark(name="trees", file=Path("trees.json"), sha256="5", audio_root=Path(), items=items)


def measure(scorer: ForgetfulScorer, tmp_path: Path, benchmark: Benchmark | None = None) -> ForgettingReport:
    return measure_forgetting(scorer, benchmark or make_benchmark(), read_carriers(()), tmp_path / "kept.jsonl")


def test_what_the_adapters_forget_is_told_from_what_the_recording_disturbs(tmp_path: Path) -> None:
    found = measure(ForgetfulScorer({BARE: 12, HEARING: 36, ONLY_ADAPTERS: 36, ONLY_TOKENS: 12}), tmp_path)
    bare, hearing, tokens, adapters = found.conditions
    assert (bare.accuracy, hearing.accuracy) == (pytest.approx(0.8), pytest.approx(0.4))
    assert hearing.forgetting_rate == pytest.approx(-0.5)
    assert hearing.ci_95.high < 0 and hearing.p < 1e-6
    assert adapters.difference == pytest.approx(hearing.difference)
    assert tokens.difference == 0 and tokens.p == 1 and tokens.same_choice == 1
    assert hearing.same_choice == pytest.approx(0.6)
    assert not found.is_at_chance
    assert found.chance == pytest.approx(0.25)
    assert ForgettingReport.model_validate_json(found.model_dump_json()) == found


def test_a_backbone_that_knows_nothing_is_said_to_be_at_chance(tmp_path: Path) -> None:
    assert measure(ForgetfulScorer({BARE: 45}), tmp_path).is_at_chance


def test_the_same_command_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = measure(ForgetfulScorer({}), tmp_path)
    kept = tmp_path / "kept.jsonl"
    lines = kept.read_text().splitlines(keepends=True)
    kept.write_text("".join(lines[:40]) + lines[40][:25])
    again = ForgetfulScorer({})
    assert measure(again, tmp_path) == whole
    assert len(again.heard) == 20 * 4
    assert kept.read_text() == "".join(lines)
    other = ForgetfulScorer({})
    other.revision = "2"
    measure(other, tmp_path)
    assert len(other.heard) == NUM * 4


def test_recordings_take_turns(tmp_path: Path) -> None:
    for number in range(2):
        soundfile.write(tmp_path / f"{number}.wav", np.random.default_rng(number).uniform(-1, 1, 800), SAMPLE_RATE)
    carriers = read_carriers([tmp_path / "0.wav", tmp_path / "1.wav"])
    scorer = ForgetfulScorer({})
    found = measure_forgetting(scorer, make_benchmark(12), carriers, tmp_path / "kept.jsonl")
    assert found.recordings == ("0.wav", "1.wav")
    assert [scorer.heard.count(one.clip.sha256) for one in carriers] == [24, 24]


def test_without_a_recording_it_is_silence() -> None:
    (carrier,) = read_carriers(())
    assert isinstance(carrier, Carrier)
    assert not carrier.clip.samples.any()


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [
        (make_benchmark(audio=("a.wav",)), "trees asks about recordings"),
        (make_benchmark(9), "trees has 9 questions with options and a known answer; forgetting needs at least 10"),
        (make_benchmark(answer=None), "trees has 0 questions"),
    ],
)
def test_other_questions_are_refused(benchmark: Benchmark, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=message):
        measure(ForgetfulScorer({}), tmp_path, benchmark)


@pytest.mark.slow
def test_akb_open_can_be_asked(tmp_path: Path) -> None:
    class Indifferent(ForgetfulScorer):
        def score(self, question: Question, clip: AudioClip, condition: Condition) -> tuple[float, ...]:
            return (0.0,) * len(question.choices)

    found = measure(Indifferent({}), tmp_path, find("akb-open").sample(48, 0))
    assert found.n == 48
    assert found.conditions[1].same_choice == 1
