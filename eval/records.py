"""What a run writes down: a Prediction per item, and a RunRecord that says where they come from."""

from collections.abc import Mapping

from agents.models import AnyModel
from eval.benchmarks.benchmark import Item
from eval.provenance import Environment
from eval.scoring import Verdict
from services.types import Answer, Value


class Prediction(Item):
    """An item and what became of it; the keys of the official scorers keep their names."""

    model_output: str
    """The raw reply; empty where none came."""
    model_prediction: str
    """Text of the choice that was read; empty where none was."""
    correct_strict: bool
    correct_official: bool
    """MMAU's own matcher on `model_prediction`, or on the raw reply where no choice was read."""
    unread: bool
    """A reply came, and no choice could be read from it."""
    failed: str | None
    """The error, where no reply came."""
    response: Answer | None
    took_s: float
    """From the start of the item to its answer, waiting for models included."""
    clock_s: float
    """Running time of the whole run so far, over all its sessions."""

    @property
    def verdict(self) -> Verdict:
        """What counting needs of it; the evidence need not stay in memory."""
        return Verdict(
            id=self.id,
            task=self.task,
            correct_strict=self.correct_strict,
            unread=self.unread,
            failed=self.failed is not None,
            took_s=self.took_s,
            clock_s=self.clock_s,
        )


class ModelUse(Value):
    """A model that took part."""

    role: str
    name: str
    revision: str


class RunOptions(Value):
    """What was asked for."""

    benchmark: str
    path: str
    llm: str
    llm_url: str | None = None
    captioner: str | None = None
    asr: str | None = None
    limit: int | None = None
    audio_root: str | None = None


class RunRecord(Value):
    """All that decides a run's numbers; a run folder belongs to exactly one."""

    options: RunOptions
    benchmark_file: str
    benchmark_sha256: str
    prompts_sha256: str
    models: tuple[ModelUse, ...] = ()
    """Empty until the models are opened: only then are their revisions known."""
    environments: tuple[Environment, ...]
    """Where it ran: one, and one more for each time it went on in other surroundings."""

    def with_models(self, opened: Mapping[str, AnyModel]) -> "RunRecord":
        """Return the record with the models that were opened, given by role."""
        uses = (ModelUse(role=role, name=model.name, revision=model.revision) for role, model in opened.items())
        return self.model_copy(update={"models": tuple(uses)})

    def differences(self, other: "RunRecord") -> list[str]:
        """Name every field that decides the numbers and differs in `other`, as far as both know it."""
        recorded, wanted = self._decisive(), other._decisive()
        return [
            f"{field} was {recorded[field]!r} and is now {wanted[field]!r}"
            for field in recorded
            if field in wanted and recorded[field] != wanted[field]
        ]

    def _decisive(self) -> dict[str, object]:
        revisions = {f"revision of {model.role} {model.name}": model.revision for model in self.models}
        sums = {"benchmark sha256": self.benchmark_sha256, "prompts sha256": self.prompts_sha256}
        return self.options.model_dump() | sums | revisions
