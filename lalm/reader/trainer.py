"""Training loop of a reader, with checkpoints and the accuracy on held-back rows."""

import json
import os
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import torch
from torch.optim import AdamW

from lalm.reader.config import ReaderConfig
from lalm.reader.model import ReaderModel
from lalm.reader.prompts import ReaderExample, draw_batches
from lalm.train.measure import drop_steps_from
from lalm.train.parallel import DataParallelGroup
from lalm.train.trainer import compute_learning_rate
from services.errors import ModelError
from services.files import write_atomic
from services.progress import report_stage
from services.types import Value

METRICS, RESUME = "metrics.jsonl", "resume.pt"


class ReaderQuality(Value):
    """Accuracy and loss on rows, each with its options in one order."""

    num_rows: int
    """Rows with a single right option."""
    accuracy: float
    """Over those rows."""
    loss: float
    """Mean cross-entropy, in nats, over all rows."""


class ReaderTrainer:
    """Model, optimiser and run folder of one training.

    Args:
        config: of the run.
        model: with adapters, the same in every process.
        folder: of the run; a checkpoint in it is resumed.
        group: the processes that share each step.
    """

    def __init__(self, config: ReaderConfig, model: ReaderModel, folder: Path, group: DataParallelGroup) -> None:
        self._config, self._model, self._folder, self._group = config, model, folder, group
        self._parameters = [value for value in model.parameters() if value.requires_grad]
        self._optimizer = AdamW(self._parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
        self.num_done = self._resume()

    def train(self, examples: Sequence[ReaderExample]) -> None:
        """Take the steps that are left."""
        config = self._config
        self._model.train()
        if self._group.is_first:
            drop_steps_from(self._folder / METRICS, self.num_done)
        with (
            (self._folder / METRICS if self._group.is_first else Path(os.devnull)).open("a") as metrics,
            report_stage("train", config.num_steps, "steps") as running,
        ):
            running.advance_to(self.num_done)
            for number, batch in enumerate(draw_batches(examples, config.rows_per_step, config.seed)):
                if number >= config.num_steps:
                    break
                if number < self.num_done:
                    continue
                started = time.perf_counter()
                loss = self._step(number, batch)
                tokens = sum(len(one.ids) for one in batch)
                line = {"number": number, "loss": round(loss, 4), "tokens": tokens}
                metrics.write(json.dumps({**line, "seconds": round(time.perf_counter() - started, 2)}) + "\n")
                metrics.flush()
                running.advance()
                if (number + 1) % config.save_every == 0 or number + 1 == config.num_steps:
                    self._save(number + 1)

    def _step(self, number: int, batch: Sequence[ReaderExample]) -> float:
        config = self._config
        rate = compute_learning_rate(config.learning_rate, number, config.warmup_steps, config.num_steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        share = self._group.take_share(batch)
        loss = self._model.compute_loss(share) * (len(share) / len(batch)) if share else torch.zeros(())
        if share:
            torch.autograd.backward(loss)
        self._group.all_reduce_gradients(self._parameters)
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, config.clip_norm)
        if not torch.isfinite(norm):
            raise ModelError(
                f"The loss of step {number}, or its gradient, is not a number. Lower learning_rate; the last "
                "checkpoint is kept."
            )
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return float(self._group.all_reduce(loss.detach()))

    def _save(self, num_done: int) -> None:
        self.num_done = num_done
        if not self._group.is_first:
            return
        state = {"num_done": num_done, "optimizer": self._optimizer.state_dict()}
        file = BytesIO()  # torch.save to a full disk would raise RuntimeError
        torch.save({**state, "adapters": self._model.list_trained_tensors()}, file)
        write_atomic(self._folder / RESUME, file.getvalue())

    def _resume(self) -> int:
        path = self._folder / RESUME
        if not path.is_file():
            return 0
        state = torch.load(path, weights_only=True)
        self._optimizer.load_state_dict(state["optimizer"])
        self._model.backbone.load_state_dict(state["adapters"], strict=False)
        done: int = state["num_done"]
        return done


@torch.no_grad()
def measure_quality(model: ReaderModel, examples: Sequence[ReaderExample], size: int) -> ReaderQuality:
    """Measure accuracy and loss, in batches of similar length."""
    model.eval()
    ordered = sorted(examples, key=lambda one: len(one.ids))
    num_right = num_known = 0
    loss = 0.0
    for start in range(0, len(ordered), size):
        batch = ordered[start : start + size]
        loss += model.compute_loss(batch).item() * len(batch)
        for one, logprobs in zip(batch, model(batch), strict=True):
            if max(one.target) == 1.0:
                num_known += 1
                num_right += int(logprobs.argmax()) == one.target.index(1.0)
    return ReaderQuality(
        num_rows=num_known,
        accuracy=round(num_right / max(1, num_known), 4),
        loss=round(loss / max(1, len(ordered)), 4),
    )
