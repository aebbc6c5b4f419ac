"""Paired runs over the same questions: the cascade's and the LALM's, from which a router is fitted."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from agents.routing.router import ArmModels, Provenance
from eval.analysis.budget import find_step
from eval.store.records import Prediction, RunRecord
from eval.store.run_folder import is_finished, require_record
from eval.store.stored import read_predictions
from services.errors import BadConfig
from services.terminal.counts import format_count
from services.types import Answer, Question

Arm: TypeAlias = Literal["cascade", "lalm"]
ROLES: Mapping[Arm, tuple[str, ...]] = {"cascade": ("llm", "captioner", "asr"), "lalm": ("lalm",)}
LEAST_CLIPS = 20  # fewer clips with questions that only one arm gets right teach nothing
FITTED_WITH = ("earwitness", "scikit-learn", "scipy", "numpy")


class Cost(NamedTuple):
    """What a question takes on average."""

    seconds: float
    """Running time of the run over its questions: what was perceived in an earlier run is not in it."""
    tokens: float


class ArmPair(NamedTuple):
    """One question, and what either arm answered."""

    question: Question
    source: str
    """The video that the benchmark names, or else the recording: folds never part what shares it."""
    task: str
    answer: str
    cascade: Answer
    lalm: Answer
    cascade_right: bool
    lalm_right: bool
    once_right: bool
    """Whether the cascade was right before follow-up questions, which the paper's cascade does not ask."""

    @property
    def is_discordant(self) -> bool:
        """Whether exactly one of the two is right."""
        return self.cascade_right != self.lalm_right

    @property
    def right(self) -> str | None:
        """Letter of the right option."""
        return next((choice.letter for choice in self.question.choices if choice.text == self.answer), None)

    def is_right(self, letter: str | None) -> bool:
        """Tell whether the option of that letter is right."""
        return any(one.letter == letter and one.text == self.answer for one in self.question.choices)


class Arms(NamedTuple):
    """Both runs, paired."""

    pairs: tuple[ArmPair, ...]
    cascade_cost: Cost
    lalm_cost: Cost
    models: ArmModels
    runs: Mapping[str, str]
    """Run folder's name -> sha256 of its run.json and predictions.jsonl."""
    benchmark_sha256: str
    num_failed: int
    """Questions left out because an arm failed at them: a failure says nothing about which arm is better."""
    num_cached: int
    """Captions, transcripts and readings of the cascade that were there already: their seconds are not in its cost."""

    def describe_provenance(self, folds: int) -> Provenance:
        """Return where a router that is fitted on these comes from."""
        return Provenance(
            runs=dict(self.runs),
            benchmark_sha256=self.benchmark_sha256,
            questions=len(self.pairs),
            discordant=sum(pair.is_discordant for pair in self.pairs),
            folds=folds,
            versions={package: version(package) for package in FITTED_WITH},
        )


def read_arms(cascade: Path, lalm: Path) -> Arms:
    """Pair two run folders; `BadConfig` where they are not what they have to be, or differ on too few clips."""
    records = {arm: _record(folder, arm) for arm, folder in (("cascade", cascade), ("lalm", lalm))}
    sums = {record.benchmark_sha256 for record in records.values()}
    if len(sums) > 1:
        raise BadConfig(f"{str(cascade)!r} and {str(lalm)!r} are runs over different benchmarks; ask both the same.")
    asked = {folder: tuple(read_predictions(folder)) for folder in (cascade, lalm)}
    by_id = {prediction.id: prediction for prediction in asked[lalm]}
    both = [(one, by_id[one.id]) for one in asked[cascade] if one.id in by_id and one.answer is not None]
    pairs = tuple(_pair(*two) for two in both if all(one.response for one in two))
    if (num := len({pair.source for pair in pairs if pair.is_discordant})) < LEAST_CLIPS:
        raise BadConfig(
            f"{str(cascade)!r} and {str(lalm)!r} both answered {format_count(len(pairs), 'question')}; "
            "those that exactly one of them "
            f"gets right are about {format_count(num, 'clip')}, and a router needs {LEAST_CLIPS} such clips."
        )
    return Arms(
        pairs=pairs,
        cascade_cost=_measure_cost(asked[cascade]),
        lalm_cost=_measure_cost(asked[lalm]),
        models=_list_models(records),
        runs={folder.resolve().name: _run_sha256(folder) for folder in (cascade, lalm)},
        benchmark_sha256=sums.pop(),
        num_failed=len(both) - len(pairs),
        num_cached=sum(one.num_cached for one in asked[cascade]),
    )


def _record(folder: Path, arm: str) -> RunRecord:
    record = require_record(folder)
    if not is_finished(folder):
        raise BadConfig(
            f"{str(folder)!r} is not finished; the same `earwitness eval run` with --out {folder} goes on with it."
        )
    if record.options.path != arm:
        path = record.options.path
        raise BadConfig(f"{str(folder)!r} is a run over path {path!r}; name one over {arm!r} in its place.")
    return record


def _list_models(records: Mapping[str, RunRecord]) -> ArmModels:
    used = {
        model.role: model.name for arm, roles in ROLES.items() for model in records[arm].models if model.role in roles
    }
    if missing := set(ArmModels.model_fields) - used.keys():
        raise BadConfig(f"The runs do not say which {', '.join(sorted(missing))} answered; a running service's do not.")
    return ArmModels(**used)


def _pair(cascade: Prediction, lalm: Prediction) -> ArmPair:
    assert cascade.answer is not None and cascade.response is not None and lalm.response is not None
    return ArmPair(
        question=cascade.to_question(),
        source=cascade.source,
        task=cascade.task,
        answer=cascade.answer,
        cascade=cascade.response,
        lalm=lalm.response,
        cascade_right=cascade.correct_strict,
        lalm_right=lalm.correct_strict,
        once_right=find_step(cascade, 0).is_right,
    )


def _measure_cost(predictions: Sequence[Prediction]) -> Cost:
    tokens = [one.response.usage for one in predictions if one.response]
    total = sum(usage.prompt_tokens + usage.completion_tokens for usage in tokens)
    return Cost(max(one.clock_s for one in predictions) / len(predictions), total / len(predictions))


def _run_sha256(folder: Path) -> str:
    return sha256((folder / "run.json").read_bytes() + (folder / "predictions.jsonl").read_bytes()).hexdigest()
