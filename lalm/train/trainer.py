"""Training step with gradient accumulation, validation loss, and a timed trial step, for one process of a run."""

import math
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim import AdamW
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from lalm.model.model import AudioLanguageModel
from lalm.model.packing import pack_groups
from lalm.train.config import TrainConfig
from lalm.train.corpus import Corpus
from lalm.train.data import MicroBatch, Sampler
from lalm.train.parallel import DataParallelGroup, find_layers
from services.errors import ModelError

LENGTH_MULTIPLE = 64  # tokens, to a multiple of which a packed sequence is padded


class TrainStep(NamedTuple):
    """Metrics of one optimiser step, over all processes."""

    number: int
    loss: float
    """Mean negative log-likelihood of a reply token, in nats."""
    grad_norm: float
    learning_rate: float
    num_rows: int
    num_segments: int
    """Audio segments that the connector encoded."""
    num_tokens: int
    """Tokens that the backbone read."""
    num_replied: int
    """Reply tokens, at which logits and loss were computed."""
    seconds: float


class Trainer:
    """Model, optimiser and data of one process.

    Args:
        config: of the run.
        model: connector and backbone.
        corpus: rows and features.
        group: the processes that share each step.
    """

    def __init__(
        self, config: TrainConfig, model: AudioLanguageModel, corpus: Corpus, group: DataParallelGroup
    ) -> None:
        self.model = model
        self._config, self._corpus, self._group = config, corpus, group
        if config.gradient_checkpointing:
            checkpoint_layers(model.backbone)
        if config.autocast:
            keep_input_dtype(model.backbone)
        self._parameters = [value for _, value in model.list_trained_parameters()]
        chosen = config.optimizer
        connector = [value for value in model.connector.parameters() if value.requires_grad]
        adapters = [value for value in model.backbone.parameters() if value.requires_grad]
        groups = [
            {"params": values, "peak": peak}
            for values, peak in ((connector, chosen.learning_rate), (adapters, chosen.lora_learning_rate))
            if values
        ]
        self.optimizer = AdamW(groups, betas=chosen.betas, weight_decay=chosen.weight_decay)

    def step(self, number: int, packs: Sequence[MicroBatch]) -> TrainStep:
        """Run one optimiser step; `ModelError` names the clips whose loss or gradient is not finite."""
        started = time.perf_counter()
        share = compute_learning_rate(
            1.0, number, self._config.optimizer.warmup_steps, self._config.optimizer.num_steps
        )
        for settings in self.optimizer.param_groups:
            settings["lr"] = share * settings["peak"]
        sums = self.accumulate_gradients(number, packs)
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, self._config.optimizer.clip_norm)
        if not torch.isfinite(norm):
            self._raise_not_finite(number, packs)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return _make_record(number, sums, started)._replace(
            grad_norm=float(norm), learning_rate=share * self._config.optimizer.learning_rate
        )

    def measure_step(self, packs: Sequence[MicroBatch]) -> TrainStep:
        """Measure a step without updating the weights."""
        started = time.perf_counter()
        sums = self.accumulate_gradients(0, packs)
        self.optimizer.zero_grad(set_to_none=True)
        return _make_record(0, sums, started)

    @torch.no_grad()
    def compute_validation_loss(self) -> float | None:
        """Return the mean loss per reply token on the validation set, in nats; None if the set is empty.

        Raises:
            ModelError: the loss is not finite.
        """
        self.model.eval()
        sums = torch.zeros(2, dtype=torch.float64)
        packs = self._make_validation_batches()
        for packed in self._group.take_share(packs):
            logprobs = self._compute_reply_logprobs(packed)
            sums += torch.tensor([-logprobs.sum().item(), len(logprobs)])
        for packed in self._make_lockstep_batches(packs):
            self._compute_reply_logprobs(packed)
        loss, count = self._group.all_reduce(sums).tolist()
        if not math.isfinite(loss):
            raise ModelError(
                "The validation loss is not a number, so the model is not saved; the last checkpoint is kept. "
                "Lower optimizer.learning_rate."
            )
        return loss / count if count else None

    def accumulate_gradients(self, number: int, packs: Sequence[MicroBatch]) -> Tensor:
        """Accumulate the gradients of a step; return its loss and counts, summed over all processes."""
        self.model.train()
        replied = sum(one.num_replied for one in packs)
        sums = torch.zeros(5, dtype=torch.float64)
        for packed in self._group.take_share(packs):
            loss = -self._compute_reply_logprobs(packed).sum()
            if not torch.isfinite(loss):
                self._raise_not_finite(number, [packed])
            torch.autograd.backward(loss / replied)
            counts = (packed.num_rows, packed.num_segments, packed.num_tokens, packed.num_replied)
            sums += torch.tensor((loss.item(), *counts), dtype=torch.float64)
        for packed in self._make_lockstep_batches(packs):
            torch.autograd.backward(0 * self._compute_reply_logprobs(packed).sum())
        self._group.all_reduce_gradients(self._parameters)
        return self._group.all_reduce(sums)

    def _compute_reply_logprobs(self, packed: MicroBatch) -> Tensor:
        device = self._group.device
        features = self._corpus.features.load_batch([clip.sha256 for clip in packed.clips], device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self._config.autocast):
            logprobs: Tensor = self.model(pack_groups(packed.groups, multiple=LENGTH_MULTIPLE).to(device), features)
        return logprobs

    def _make_lockstep_batches(self, packs: Sequence[MicroBatch]) -> Sequence[MicroBatch]:
        """Return a micro-batch to run without effect if this process has one fewer: FSDP2 gathers are collective."""
        is_needed = self._config.shard_backbone and self._group.is_idle(len(packs))
        return packs[:1] if is_needed else ()

    def _make_validation_batches(self) -> list[MicroBatch]:
        num_queries = self._config.model.connector.num_queries
        sampler = Sampler(self._corpus.validation, self._config.batch, num_queries=num_queries, seed=self._config.seed)
        return list(sampler.draw_epoch(0))

    def _raise_not_finite(self, number: int, packs: Sequence[MicroBatch]) -> None:
        names = ", ".join(sorted({clip.path for packed in packs for clip in packed.clips}))
        raise ModelError(
            f"The loss of step {number}, or its gradient, is not a number, over the rows about {names}. "
            "Lower optimizer.learning_rate, or take those rows out; the last checkpoint is kept."
        )


def _make_record(number: int, sums: Tensor, started: float) -> TrainStep:
    """Make the record of a step that began at `started` (perf_counter seconds)."""
    loss, *counts = sums.tolist()
    rows, segments, tokens, replied = map(int, counts)
    seconds = time.perf_counter() - started
    return TrainStep(
        number=number,
        loss=loss / replied,
        grad_norm=0.0,
        learning_rate=0.0,
        num_rows=rows,
        num_segments=segments,
        num_tokens=tokens,
        num_replied=replied,
        seconds=seconds,
    )


def compute_learning_rate(peak: float, step: int, warmup_steps: int, num_steps: int) -> float:
    """Return the learning rate of a step: linear warm-up to `peak`, then cosine decay to zero."""
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, num_steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def checkpoint_layers(backbone: PreTrainedModel) -> None:
    """Compute each layer of a backbone again for its gradient, instead of keeping what it computed (arXiv:1604.06174).

    Not by `gradient_checkpointing_enable` of transformers, which works in training mode only: there some families drop
    out values, and a frozen backbone must not.
    """
    for layer in find_layers(backbone):
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)


def keep_input_dtype(backbone: PreTrainedModel) -> None:
    """Have LoRA adapters take their inputs as they are: PEFT would cast them to float32, and autocast at once back."""
    from peft.tuners.lora import LoraLayer

    for module in backbone.modules():
        if isinstance(module, LoraLayer):
            module.cast_input_dtype_enabled = False
