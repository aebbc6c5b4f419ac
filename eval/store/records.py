"""Records of a run: a `Prediction` per item, and a `RunRecord` with their provenance."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from eval.benchmarks.benchmark import Item
from eval.scoring.official import READS_LETTERS, OfficialRule, OfficialVerdict, judge_officially
from eval.scoring.rules import RuleOutcome, score_reply
from eval.scoring.scoring import Verdict
from eval.store.legacy import upgrade_answer
from eval.store.provenance import Environment
from services.types import Answer, EvidenceSummary, PlannerName, Usage, Value


class Prediction(Item):
    """An item and what became of it; the keys of the official scorers keep their names."""

    model_output: str
    """The raw reply; empty where none came."""
    model_prediction: str
    """Text of the choice that was read, or the raw reply where none was: what the official matcher is given."""
    correct_strict: bool
    correct_official: bool
    """By the benchmark's official rule: of words, on `model_prediction`; of letters, on the letter or the raw reply."""
    official_dropped: bool = False
    """Whether the official script leaves the item out of its denominator."""
    unread: bool
    """A reply came, and no choice could be read from it."""
    failed: str | None
    """The error, where no reply came."""
    outcome: RuleOutcome | None = None
    """What the item's own rule says of the reply; None: it has none, or no reply came."""
    response: Annotated[Answer | None, BeforeValidator(upgrade_answer)]
    took_s: float
    """From the start of the item to its answer, waiting for models included."""
    clock_s: float
    """Running time of the whole run so far, over all its sessions."""
    num_cached: int = 0
    """Captions, transcripts and readings from the cache, of this run or another: their seconds count nowhere."""

    @property
    def reading(self) -> str | None:
        """What was answered: the text of an option, or words; None where nothing could be read, or nothing came."""
        return None if self.unread or self.failed is not None else self.model_prediction

    @property
    def verdict(self) -> Verdict:
        """What counting needs of it; the evidence need not stay in memory."""
        usage = self.response.usage if self.response else Usage()
        by_letter = self.response.probabilities if self.response else {}
        raw = self.response.raw_probabilities if self.response else {}
        scale = self.response.calibration if self.response else None
        return Verdict(
            id=self.id,
            task=self.task,
            category=self.category,
            sub_category=self.sub_category,
            difficulty=self.difficulty,
            modality=self.modality,
            cluster=self.source,
            correct_strict=self.correct_strict,
            correct_official=self.correct_official,
            official_dropped=self.official_dropped,
            unread=self.unread,
            failed=self.failed is not None,
            degraded=bool(self.response and self.response.degraded),
            withheld=self.answer is None,
            disputed=bool(self.disputed),
            premise=self.premise,
            took_s=self.took_s,
            clock_s=self.clock_s,
            num_cached=self.num_cached,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            probabilities=tuple(by_letter[letter] for letter in sorted(by_letter)),
            raw_probabilities=tuple(raw[letter] for letter in sorted(raw)),
            findings_temperature=scale.findings_temperature if scale else None,
            num_choices=0 if self.rule else len(self.choices),
            outcome=self.outcome,
            right=self.choices.index(self.answer) if self.answer in self.choices else None,
        )


def judge_answer(
    item: Item,
    answer: Answer | None,
    failed: str | None,
    *,
    took_s: float,
    clock_s: float,
    num_cached: int = 0,
    rule: OfficialRule = "word sets",
    leaves_out: str | None = None,
) -> Prediction:
    """Judge an answer, or the lack of one.

    `rule` is by which the benchmark's official script does; it is given the raw reply, without `leaves_out`, where that
    is set, and otherwise what was read from it.
    """
    reply = answer.reply if answer else ""
    choice = answer.choice.text if answer and answer.choice else None
    prediction = reply if choice is None else choice
    official = OfficialVerdict(is_right=False)
    expected = item.expect(rule)
    outcome = score_reply(expected, reply) if expected and answer else None
    if outcome:
        official = OfficialVerdict(outcome.is_right_officially)
    elif item.answer in item.choices and not expected:
        scored = answer.choice.letter if answer and answer.choice and rule in READS_LETTERS else prediction
        if leaves_out is not None:
            scored = reply.replace(leaves_out, "") if leaves_out else reply
        official = judge_officially(rule, scored, item.choices, item.choices.index(item.answer))
    return Prediction(
        **dict(item),
        model_output=reply,
        model_prediction=prediction,
        correct_strict=outcome.is_right if outcome else choice is not None and choice == item.answer,
        correct_official=official.is_right,
        official_dropped=official.is_dropped,
        unread=outcome.is_unread if outcome else answer is not None and choice is None and bool(item.choices),
        failed=failed,
        outcome=outcome,
        response=answer,
        took_s=round(took_s, 4),
        clock_s=round(clock_s, 4),
        num_cached=num_cached,
    )


class ModelUse(Value):
    """A model that took part."""

    role: str
    name: str
    revision: str


class RunSettings(Value):
    """The way from question to answer and its models; None stands for the default, or for none."""

    path: str
    llm: str | None = None
    llm_url: str | None = None
    captioner: str | None = None
    asr: str | None = None
    lalm: str | None = None
    lalm_url: str | None = None
    server: str | None = None
    """Base URL of the running service that answered, instead of models opened here."""
    fields: tuple[str, ...] = ()
    """What a file of questions calls its fields, as NAME=FIELD; those that are not here are found."""
    limit: int | None = None
    sample: int | None = None
    """Items drawn at random, stratified by task; None: all."""
    seed: int = 0
    """Of what controls and `sample` draw at random."""
    budget: int | None = None
    """How often an unsure answer may listen again; None: as often as the path does by default."""
    summary: EvidenceSummary | None = None
    """What the LALM reads beside the recording; None: what its path reads by itself."""
    planner: PlannerName | None = None
    """Who chooses the tools that listen again; None: the classifier."""
    rotations: int | None = None
    """Orders of the options that an LLM's letters are averaged over; None: as many as suit the LLM."""
    router: str | None = None
    """File of the router that `auto` routes by; None: the one that ships."""
    include: tuple[str, ...] = ()
    """Python files whose models and benchmarks can be named beside our own."""
    calibration: str | None = None
    """File, or run folder, with the temperatures of the models; None: those that ship."""
    temperature: float | None = None
    """At which the LLM draws its replies; None: it scores the options, or replies greedily."""
    prompt_form: str | None = None
    """Form of others in which the questions are put; None: ours."""
    explains: bool = False
    """Whether the answers bring their reasons."""


class RunOptions(RunSettings):
    """What decides a run's numbers, with the defaults filled in."""

    benchmark: str
    audio_root: str | None = None
    control: str | None = None
    """None: the run itself."""
    repeat: int = 1
    """Of `--repeats`; 1: the run itself."""
    wording: int | None = None
    """Version of the frames of control `paraphrase`; None for any other pass."""
    prompt_form_sha256: str | None = None
    router_sha256: str | None = None
    calibration_sha256: str | None = None

    @property
    def repeat_seed(self) -> int:
        """Seed of what this repeat draws: each counts on from the run's own."""
        return self.seed + self.repeat - 1


class RunRecord(Value):
    """All that decides a run's numbers; a run folder belongs to exactly one."""

    schema_version: Literal[1, 2] = 1
    """Of the answers beside it, as `Answer.schema_version`; 1: from before this field existed."""
    options: RunOptions
    benchmark_file: str
    benchmark_sha256: str
    prompts_sha256: str
    """Digest of the code that words the prompts, reads the replies and chooses the route."""
    models: tuple[ModelUse, ...] = ()
    """Empty until the models are opened: only then are their revisions known."""
    environments: tuple[Environment, ...]
    """Where it ran: one, and one more for each time it went on in other surroundings."""

    def list_differences(self, other: "RunRecord") -> list[str]:
        """Name every field that decides the numbers and differs in `other`, as far as both know it."""
        recorded, wanted = self._list_decisive(), other._list_decisive()
        return [
            f"{field} was {recorded[field]!r} and is now {wanted[field]!r}"
            for field in recorded
            if field in wanted and recorded[field] != wanted[field]
        ]

    def _list_decisive(self) -> dict[str, object]:
        revisions = {f"revision of {model.role} {model.name}": model.revision for model in self.models}
        sums = {"benchmark sha256": self.benchmark_sha256, "prompts sha256": self.prompts_sha256}
        return self.options.model_dump() | sums | revisions
