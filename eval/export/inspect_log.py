"""inspect's log of a run: one JSON file that `inspect view` shows and `inspect_ai.log.read_eval_log` reads (version 2).

inspect/DATE_BENCHMARK_HASH.json   named as inspect names its own: its viewer and its data frames pass over others

Each item is a sample with two scores, `strict` and `official`, and repeats are further epochs of the same sample.
"""

import hashlib
from pathlib import Path
from typing import Literal

from eval.export.finished_run import FinishedRun, sanitise
from eval.store.records import Prediction
from eval.store.stored import read_predictions
from eval.variation.repeats import list_repeats
from services.files import write_atomic
from services.types import Value

FOLDER = "inspect"
RIGHT, WRONG = "C", "I"  # inspect's own marks


class InspectScore(Value):
    """The score of a sample by one scorer."""

    value: str
    answer: str
    explanation: str | None = None


class InspectMessage(Value):
    """The question, or what the model replied."""

    id: str
    role: Literal["user", "assistant"]
    content: str


class InspectChoice(Value):
    """A reply of the model."""

    message: InspectMessage
    stop_reason: Literal["stop", "unknown"] = "stop"


class InspectOutput(Value):
    """What a model replied."""

    model: str
    choices: list[InspectChoice]
    completion: str


class InspectError(Value):
    """Why a sample failed."""

    message: str
    traceback: str = ""
    traceback_ansi: str = ""


class InspectSample(Value):
    """An item."""

    id: str
    uuid: str
    epoch: int
    input: str
    choices: list[str]
    target: str
    messages: tuple[InspectMessage, InspectMessage]
    output: InspectOutput
    scores: dict[str, InspectScore]
    metadata: dict[str, str]
    total_time: float
    error: InspectError | None = None


class InspectMetric(Value):
    """A figure over all samples."""

    name: str
    value: float


class InspectTotal(Value):
    """The figures of one scorer."""

    name: str
    scorer: str
    metrics: dict[str, InspectMetric]


class InspectDataset(Value):
    """The benchmark."""

    name: str
    location: str
    samples: int
    sample_ids: list[str]


class InspectConfig(Value):
    """How it was run."""

    epochs: int


class InspectEval(Value):
    """What was evaluated."""

    run_id: str
    eval_id: str
    created: str
    task: str
    task_id: str
    dataset: InspectDataset
    model: str
    config: InspectConfig
    packages: dict[str, str]
    metadata: dict[str, str]


class InspectPlan(Value):
    """What was done with each sample; nothing that inspect could do again."""

    name: str = "plan"
    steps: tuple[()] = ()


class InspectStats(Value):
    """When it ran."""

    started_at: str


class InspectResults(Value):
    """Figures of the whole."""

    total_samples: int
    completed_samples: int
    scores: list[InspectTotal]


class InspectLog(Value):
    """A log; the names are inspect's."""

    version: Literal[2] = 2
    status: Literal["success"] = "success"
    eval: InspectEval
    plan: InspectPlan = InspectPlan()
    results: InspectResults
    stats: InspectStats
    samples: list[InspectSample]


def write_inspect_log(folder: Path) -> Path:
    """Write the log of a finished run into its folder."""
    run = FinishedRun.read(folder)
    epochs = list_repeats(folder)
    eval_id = hashlib.sha256(run.record.model_dump_json().encode()).hexdigest()[:22]
    samples = [
        _make_sample(one, run.model, eval_id, epoch)
        for epoch, place in enumerate(epochs, 1)
        for one in read_predictions(place)
    ]
    ids = [one.id for one in samples if one.epoch == 1]
    environment = run.record.environments[0]
    began = run.began_at.isoformat(timespec="seconds")
    options = run.record.options.model_dump(exclude_none=True, exclude_defaults=True)
    log = InspectLog(
        eval=InspectEval(
            run_id=sanitise(folder.name),
            eval_id=eval_id,
            created=began,
            task=run.benchmark,
            task_id=run.record.benchmark_sha256[:16],
            dataset=InspectDataset(
                name=run.benchmark, location=run.record.benchmark_file, samples=len(ids), sample_ids=ids
            ),
            model=f"earwitness/{run.model}",
            config=InspectConfig(epochs=len(epochs)),
            packages=environment.packages,
            metadata={name: str(value) for name, value in options.items()},
        ),
        results=InspectResults(
            total_samples=len(samples),
            completed_samples=sum(one.error is None for one in samples),
            scores=[_summarise_total(run, "strict"), _summarise_total(run, "official")],
        ),
        stats=InspectStats(started_at=began),
        samples=samples,
    )
    (folder / FOLDER).mkdir(exist_ok=True)
    name = sanitise(run.benchmark).replace("_", "-")  # inspect reads the task from between the first two
    file = folder / FOLDER / f"{began.replace(':', '-')}_{name}_{log.eval.task_id}.json"
    write_atomic(file, log.model_dump_json(indent=1, exclude_none=True))
    return file


def _summarise_total(run: FinishedRun, name: str) -> InspectTotal:
    share = run.measure(run.summary, is_official=name == "official")
    named = {"accuracy": share.value, "stderr": share.se} if share else {}
    metrics = {metric: InspectMetric(name=metric, value=value) for metric, value in named.items()}
    return InspectTotal(name=name, scorer=name, metrics=metrics)


def _make_sample(one: Prediction, model: str, eval_id: str, epoch: int) -> InspectSample:
    labels = one.model_dump(include={"task", "category", "sub_category", "difficulty", "disputed"})
    labels["audio"] = ", ".join(one.audio)
    uuid = f"{eval_id}-{one.id}-{epoch}"
    asked = InspectMessage(id=f"{uuid}-asked", role="user", content=one.question)
    reply = InspectMessage(id=f"{uuid}-reply", role="assistant", content=one.model_output)
    marks = {"strict": one.correct_strict, "official": one.correct_official}
    return InspectSample(
        id=one.id,
        uuid=uuid,
        epoch=epoch,
        input=one.question,
        choices=list(one.choices),
        target=one.answer or "",
        messages=(asked, reply),
        output=InspectOutput(
            model=model,
            choices=[InspectChoice(message=reply)],
            completion=one.model_output,
        ),
        scores={
            name: InspectScore(
                value=RIGHT if is_right else WRONG,
                answer=one.model_prediction,
                explanation="no option could be read" if one.unread else None,
            )
            for name, is_right in marks.items()
        },
        metadata={name: value for name, value in labels.items() if value},
        total_time=one.took_s,
        error=None if one.failed is None else InspectError(message=one.failed),
    )
