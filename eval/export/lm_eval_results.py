"""lm-eval's files of a run, which its tables and the tools around it read (lm-eval 0.4.13, `EvaluationTracker`).

lm-eval/MODEL/results_DATE.json           EvalResults: metrics of the benchmark, and of each task below it
lm-eval/MODEL/samples_BENCHMARK_DATE.jsonl  a line an item
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from eval.export.finished_run import FinishedRun, name_tasks, sanitise
from eval.scoring.scoring import Score
from eval.store.records import Prediction
from eval.store.stored import read_predictions
from services.files import write_atomic
from services.types import Value

FOLDER = "lm-eval"
METRICS = ("acc", "acc_official")
FILTER = "none"  # of lm-eval: what a reply goes through before it is scored


class SampleCount(Value):
    """Items of a task."""

    original: int
    effective: int


class LmEvalConfig(Value):
    """What was evaluated."""

    model: str
    model_args: dict[str, str]
    limit: int | None


class LmEvalResults(Value):
    """A results file; the names are lm-eval's."""

    results: dict[str, dict[str, str | float]]
    group_subtasks: dict[str, list[str]]
    configs: dict[str, dict[str, str]]
    versions: dict[str, str]
    n_shot: dict[str, int] = Field(serialization_alias="n-shot")
    higher_is_better: dict[str, dict[str, bool]]
    n_samples: dict[str, SampleCount] = Field(serialization_alias="n-samples")
    config: LmEvalConfig
    git_hash: str | None
    date: float
    model_source: str = "earwitness"
    model_name: str
    model_name_sanitized: str
    total_evaluation_time_seconds: str


class LmEvalSample(Value):
    """A line of the samples file."""

    doc_id: int
    doc: dict[str, object]
    target: str
    arguments: dict[str, dict[str, str]]
    resps: list[list[str]]
    filtered_resps: list[str]
    filter: str = FILTER
    metrics: tuple[str, ...] = METRICS
    doc_hash: str
    prompt_hash: str
    target_hash: str
    acc: float
    acc_official: float


class _TaskResult(NamedTuple):
    name: str
    alias: str
    score: Score


def write_lm_eval(folder: Path) -> Path:
    """Write both files of a finished run below its folder, and return the results file."""
    run = FinishedRun.read(folder)
    model, date = sanitise(run.model), run.began_at.isoformat().replace(":", "-")
    out = folder / FOLDER / model
    out.mkdir(parents=True, exist_ok=True)
    name = sanitise(run.benchmark)
    samples = (_make_sample(number, one) for number, one in enumerate(read_predictions(folder)))
    lines = (json.dumps(one.model_dump(), ensure_ascii=False) for one in samples)
    write_atomic(out / f"samples_{name}_{date}.jsonl", "".join(f"{line}\n" for line in lines))
    results = out / f"results_{date}.json"
    write_atomic(results, _summarise(run, model, name).model_dump_json(indent=2, by_alias=True))
    return results


def _summarise(run: FinishedRun, model: str, name: str) -> LmEvalResults:
    by_task = run.summary.by_task
    below = [_TaskResult(f"{name}_{plain}", task, by_task[task]) for task, plain in name_tasks(by_task).items()]
    tasks = [_TaskResult(name, run.benchmark, run.summary), *(below if len(below) > 1 else [])]
    environment = run.record.environments[0]
    return LmEvalResults(
        results={task.name: _list_metrics(run, task) for task in tasks},
        group_subtasks={name: [task.name for task in tasks[1:]]},
        configs={task.name: {"task": task.name, "dataset_path": run.record.benchmark_file} for task in tasks},
        versions={task.name: run.record.benchmark_sha256[:8] for task in tasks},
        n_shot={task.name: 0 for task in tasks},
        higher_is_better={task.name: dict.fromkeys(METRICS, True) for task in tasks},
        n_samples={task.name: SampleCount(original=task.score.n, effective=task.score.n) for task in tasks},
        config=LmEvalConfig(
            model="earwitness",
            model_args={model.role: f"{model.name}@{model.revision}" for model in run.record.models},
            limit=run.record.options.limit,
        ),
        git_hash=environment.commit,
        date=environment.started_at.timestamp(),
        model_name=run.model,
        model_name_sanitized=model,
        total_evaluation_time_seconds=str(run.summary.wall_s),
    )


def _list_metrics(run: FinishedRun, task: _TaskResult) -> dict[str, str | float]:
    metrics: dict[str, str | float] = {"alias": task.alias}
    for metric, is_official in zip(METRICS, (False, True), strict=True):
        if share := run.measure(task.score, is_official=is_official):
            metrics |= {f"{metric},{FILTER}": share.value, f"{metric}_stderr,{FILTER}": share.se}
    return metrics


def _make_sample(number: int, one: Prediction) -> LmEvalSample:
    doc = one.model_dump(include={"id", "question", "choices", "answer", "task", "category", "audio"})
    target = one.answer or ""
    return LmEvalSample(
        doc_id=number,
        doc=doc,
        target=target,
        arguments={"gen_args_0": {"arg_0": one.question}},
        resps=[[one.model_output]],
        filtered_resps=[one.model_prediction],
        doc_hash=_hash(json.dumps(doc, sort_keys=True, ensure_ascii=False)),
        prompt_hash=_hash(one.question),
        target_hash=_hash(target),
        acc=float(one.correct_strict),
        acc_official=float(one.correct_official),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
