"""Training metrics: parameter counts, memory, throughput and model FLOPs utilisation (MFU, arXiv:2204.02311).

Counted per token: 4 FLOPs for each frozen weight that gradients pass through (2 forward, 2 backward to the inputs), 6
for each trained one; logits only where a reply is predicted. Neither the encoder, whose features are cached, nor the
quadratic part of attention is counted, so the figure is a lower bound.
"""

import json
import math
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from pydantic import BaseModel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from transformers import PreTrainedModel

from lalm.model.build import LalmComponents, count_unadapted
from lalm.train.config import TrainConfig
from lalm.train.corpus import Corpus
from lalm.train.parallel import DataParallelGroup
from lalm.train.tracking import open_trackers
from lalm.train.trainer import TrainStep
from services.files import write_atomic
from services.journal import JournalFormat
from services.telemetry.trackers import TrackerName
from services.terminal.counts import format_count
from services.types import Value

PEAK_SECONDS = 0.5  # duration of the matrix multiplications that measure the processor's peak
ADAM_BYTES = 16  # per trained float32 weight: weight, gradient and two moments


class MetricLine(BaseModel):
    """The step that a line of metrics is about; its other fields are ignored."""

    number: int


METRIC_LINES = JournalFormat(MetricLine, "a line of metrics", "delete that line")


class ParameterCounts(Value):
    """Parameter counts by part of the model."""

    encoder: int
    connector: int
    adapters: int
    backbone: int
    """Frozen, without input embeddings and output layer."""
    output: int
    """Output layer, which is applied only at reply positions."""

    def compute_flops(self, step: TrainStep, num_queries: int) -> float:
        """Return the FLOPs of a step, without the encoder, whose features are cached."""
        connector = 6 * self.connector * step.num_segments * num_queries
        backbone = (4 * self.backbone + 6 * self.adapters) * step.num_tokens
        return float(connector + backbone + 4 * self.output * step.num_replied)


def count_parameters(built: LalmComponents) -> ParameterCounts:
    """Count the parameters of a LALM."""
    backbone = built.model.backbone
    adapters = sum(value.numel() for value in backbone.parameters() if value.requires_grad)
    embeddings = {
        id(value): value.numel() for layer in _find_embedding_layers(backbone) for value in layer.parameters()
    }
    return ParameterCounts(
        encoder=_count_weights(built.encoders),
        connector=_count_weights(built.model.connector),
        adapters=adapters,
        backbone=_count_weights(backbone) - adapters - sum(embeddings.values()),
        output=_count_weights(backbone.get_output_embeddings()),
    )


def describe_run(built: LalmComponents, corpus: Corpus, trial: TrainStep, config: TrainConfig) -> str:
    """Describe the size, memory and time of a run, extrapolated from one measured step."""
    size = count_parameters(built)
    trained = size.connector + size.adapters
    frozen = _count_frozen_bytes(built.encoders) + _count_frozen_bytes(built.model.backbone)
    unreached = count_unadapted(built.model.backbone) if config.model.lora else 0
    unadapted = f"Unadapted  {unreached:>13,} of the backbone, which the adapters do not reach" if unreached else ""
    in_memory = "" if corpus.stream is None else f" in memory of {corpus.stream.num_rows:,}"
    hours = trial.seconds * config.optimizer.num_steps / 3600
    return "\n".join(
        line
        for line in (
            f"Encoder    {size.encoder:>13,} parameters, frozen",
            f"Connector  {size.connector:>13,} trained",
            f"Adapters   {size.adapters:>13,} trained",
            f"Backbone   {_count_weights(built.model.backbone) - size.adapters:>13,} frozen",
            unadapted,
            f"Memory     {frozen / 1e9:.2f} GB frozen, {trained * ADAM_BYTES / 1e9:.2f} GB trained, and activations",
            f"Rows       {len(corpus.training.examples)}{in_memory} to train on about "
            f"{format_count(corpus.training.num_clips, 'clip')}, "
            f"{len(corpus.validation.examples)} held back; dropped: {corpus.training.describe_dropped() or 'none'}",
            f"A step     {format_count(trial.num_rows, 'row')}, "
            f"{format_count(trial.num_tokens, 'token')}, {trial.seconds:.1f} s",
            f"The run    {format_count(config.optimizer.num_steps, 'step')}, about {hours:.1f} h",
        )
        if line
    )


class Meter:
    """Writes metrics of each step as JSON lines and to trackers, and shows a progress bar.

    Args:
        path: JSON lines.
        config: of the run.
        built: the model.
        group: the processes of the run; only the first writes and shows.
        done: completed steps; metrics of later steps are removed, because those steps will be repeated.
        trackers: trackers besides TensorBoard.
    """

    def __init__(
        self,
        path: Path,
        config: TrainConfig,
        built: LalmComponents,
        group: DataParallelGroup,
        *,
        done: int,
        trackers: Sequence[TrackerName] = (),
    ) -> None:
        self._size, self._num_queries = count_parameters(built), config.model.connector.num_queries
        self._peak = group.world_size * measure_peak_flops(group.device, next(built.model.backbone.parameters()).dtype)
        if group.is_first:
            drop_steps_from(path, done)
        self._file = path.open("a") if group.is_first else None
        self._trackers = open_trackers(trackers, path.parent, config, done=done) if group.is_first else ()
        columns = (TextColumn("step {task.completed}/{task.total}"), BarColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, TextColumn("{task.description}"), disable=not group.is_first)
        self._task = self._bar.add_task("", total=config.optimizer.num_steps, completed=done)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()
        if self._file is not None:
            self._file.close()
        for tracker in self._trackers:
            tracker.close()

    def add_step(self, step: TrainStep) -> None:
        """Record a step."""
        mfu = self._size.compute_flops(step, self._num_queries) / step.seconds / self._peak
        rows, tokens = step.num_rows / step.seconds, step.num_tokens / step.seconds
        self._bar.update(
            self._task,
            advance=1,
            description=f"loss {step.loss:.3f}  {rows:.1f} rows/s  {tokens:.0f} tokens/s  MFU {mfu:.0%}",
        )
        self._write({**step._asdict(), "rows_per_s": rows, "tokens_per_s": tokens, "mfu": mfu})

    def add_validation(self, number: int, loss: float | None) -> None:
        """Record a validation loss, if there is one."""
        if loss is not None:
            self._write({"number": number, "validation_loss": loss})

    def _write(self, line: dict[str, float]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        for tracker in self._trackers:
            tracker.add(int(line["number"]), line)


def drop_steps_from(path: Path, done: int) -> None:
    """Remove the metrics of all but the first `done` steps: an interrupted run repeats the others."""
    if path.is_file():
        write_atomic(path, b"".join(one.line for one in METRIC_LINES.read(path) if one.row.number < done))


@cache
def measure_peak_flops(device: torch.device, dtype: torch.dtype) -> float:
    """Measure the FLOPs per second of a large matrix multiplication, which MFU is relative to; once per process."""
    size = 4096 if device.type == "cuda" else 1024
    left = torch.ones(size, size, device=device, dtype=dtype)
    times = 0
    torch.mm(left, left).sum().item()
    started = time.perf_counter()
    while time.perf_counter() - started < PEAK_SECONDS:
        torch.mm(left, left).sum().item()
        times += 1
    return 2.0 * size**3 * times / (time.perf_counter() - started)


def _find_embedding_layers(model: PreTrainedModel) -> tuple[nn.Module, nn.Module]:
    return model.get_input_embeddings(), model.get_output_embeddings()


def _count_weights(module: nn.Module) -> int:
    """Count the weights of a module, two in each byte of bitsandbytes' 4 bits."""
    quantised = (getattr(value, "quant_state", None) for value in module.parameters())
    shapes = (
        value.shape if state is None else state.shape
        for value, state in zip(module.parameters(), quantised, strict=True)
    )
    return sum(math.prod(shape) for shape in shapes)


def _count_frozen_bytes(module: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in module.parameters() if not value.requires_grad)
