"""Router between the cascade and the LALM: a fitted one, and the rule for models that none was fitted on.

`earwitness eval fit-router` writes the router as JSON; `router.json` beside this file, where it is, is the one that
`--path auto` loads. Prediction is a few lines over its coefficients.
"""

from collections.abc import Mapping
from math import exp
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol, Self, TypeAlias

from pydantic import Field, ValidationError, model_validator

from agents.reading.confidence import Factor, apply_temperature, pool_distributions
from agents.routing.features import Features, Modality, all_features, modality, question_features
from services.errors import BadConfig, worded
from services.types import Answer, Question, Route, Value

PACKAGED = Path(__file__).with_name("router.json")
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]

LEAST_SAY = 0.01  # exponent of an arm's probabilities


class Routed(NamedTuple):
    """What a router decided, and why in words."""

    way: Route
    why: str


class Routing(Protocol):
    """Chooses the arms that answer, and makes one answer of two."""

    def route(self, question: Question) -> Routed:
        """Choose the arms from the question alone."""

    def reconcile(self, question: Question, cascade: Answer, lalm: Answer) -> "Reconciled":
        """Weigh two answers to a question that has options."""

    def alone(self, answer: Answer) -> Answer:
        """Return the answer of an arm that stands alone, its probabilities on the scale of `reconcile`."""


class Reconciled(NamedTuple):
    """Two answers made one."""

    probabilities: dict[str, float]
    """Empty where neither arm gave any."""
    weight: float
    """Say of the LALM in [0, 1]."""
    why: str


class Scaled(Value):
    """Named features, and what brings each to mean 0 and deviation 1."""

    names: tuple[str, ...]
    means: tuple[Finite, ...]
    scales: tuple[Positive, ...]

    def _require_one_each(self, *others: tuple[float, ...]) -> None:
        if any(len(other) != len(self.names) for other in (self.means, self.scales, *others)):
            raise ValueError("names, means, scales and weights differ in number")


class Logistic(Scaled):
    """A logistic regression over named features."""

    weights: tuple[Finite, ...]
    """Of the features less their means, over their scales."""
    bias: Finite

    @model_validator(mode="after")
    def _has_a_weight_for_each(self) -> Self:
        self._require_one_each(self.weights)
        return self

    def probability(self, features: Features) -> float:
        """Return the probability that the LALM is right, if exactly one of the two is."""
        terms = zip(self.names, self.means, self.scales, self.weights, strict=True)
        logit = self.bias + sum(w * (features[name] - mean) / scale for name, mean, scale, w in terms)
        return 1 / (1 + exp(-max(-500.0, min(500.0, logit))))


class Say(Value):
    """How much one arm's log-probabilities count: linear in the features."""

    weights: tuple[Finite, ...]
    bias: Finite


class Stack(Scaled):
    """A conditional logit over options (McFadden 1974): the utility of option k is Σ say(arm) · log p(arm, k).

    Each arm's say depends on what is asked and on how sure both arms are, never on which option it is.
    """

    cascade: Say
    """Of the features less their means, over their scales; so is the LALM's."""
    lalm: Say

    @model_validator(mode="after")
    def _has_a_weight_for_each(self) -> Self:
        self._require_one_each(self.cascade.weights, self.lalm.weights)
        return self

    def says(self, features: Features) -> tuple[float, float]:
        """Return the say of the cascade and of the LALM, each at least `LEAST_SAY`: no arm counts against itself."""
        terms = zip(self.names, self.means, self.scales, strict=True)
        scaled = [(features[name] - mean) / scale for name, mean, scale in terms]
        cascade, lalm = (
            max(LEAST_SAY, arm.bias + sum(w * x for w, x in zip(arm.weights, scaled, strict=True)))
            for arm in (self.cascade, self.lalm)
        )
        return cascade, lalm


class ArmModels(Value):
    """The models that answered when a router was fitted, by name."""

    llm: str
    captioner: str
    asr: str
    lalm: str


class Provenance(Value):
    """Where a router comes from."""

    runs: dict[str, str]
    """Run folder's name -> sha256 of its run.json and predictions.jsonl."""
    benchmark_sha256: str
    questions: int
    discordant: int
    """Questions that exactly one of the two got right: what it was fitted on."""
    folds: int
    versions: dict[str, str]
    """Package -> version."""


class Router(Value):
    """A fitted router: as JSON, all that prediction needs and where it comes from."""

    format: Literal[2] = 2
    models: ArmModels
    cascade_temperature: Positive
    lalm_temperature: Positive
    before: Logistic
    """From the question alone."""
    after: Stack
    """From the question, the evidence and both answers; over probabilities at the temperatures above."""
    certainty: Positive
    """Both are asked unless `before` is at least so sure of one; above 1: always both."""
    provenance: Provenance

    def route(self, question: Question) -> Routed:
        """Ask one arm where the question alone decides, else both."""
        likely = self.before.probability(question_features(question))
        return Routed(way_at(likely, self.certainty), f"fitted router, the LALM right with {likely:.2f}")

    def reconcile(self, question: Question, cascade: Answer, lalm: Answer) -> Reconciled:
        """Give each arm the say that its log-probabilities earn on a question like this."""
        sure, heard = self.calibrated(cascade, lalm)
        says = self.after.says(all_features(question, sure, heard))
        probabilities = pool_distributions(Factor(sure.probabilities, says[0]), Factor(heard.probabilities, says[1]))
        return Reconciled(probabilities, says[1] / sum(says), "fitted router")

    def alone(self, answer: Answer) -> Answer:
        """Return the answer at the temperature of its arm."""
        return _at(answer, self.lalm_temperature if answer.path == "lalm" else self.cascade_temperature)

    def calibrated(self, cascade: Answer, lalm: Answer) -> tuple[Answer, Answer]:
        """Return both answers with their probabilities at the temperatures that make them those of being right."""
        return self.alone(cascade), self.alone(lalm)


class Rule:
    """Sound to the LALM, music to the cascade, the rest to both (arXiv:2603.19195: who is better where, on MMAU)."""

    ways: Mapping[Modality, Route] = {"sound": "lalm", "music": "cascade"}

    def route(self, question: Question) -> Routed:
        """Go by the words of the question."""
        about = modality(question)
        if about is None:
            return Routed("both", "rule, the question does not say what it is about")
        return Routed(self.ways.get(about, "both"), f"rule, a question about {about}")

    def reconcile(self, question: Question, cascade: Answer, lalm: Answer) -> Reconciled:  # noqa: ARG002 - same say
        """Give both the same say."""
        return Reconciled(weighed(cascade, lalm, 0.5), 0.5, "product of probabilities")

    def alone(self, answer: Answer) -> Answer:
        """Return the answer as it is: nobody has measured its probabilities."""
        return answer


def way_at(likely: float, certainty: float) -> Route:
    """Return whom to ask where the LALM is the better one with this probability."""
    if likely >= certainty:
        return "lalm"
    return "cascade" if 1 - likely >= certainty else "both"


def _at(answer: Answer, temperature: float) -> Answer:
    return answer.model_copy(update={"probabilities": apply_temperature(answer.probabilities, temperature)})


def weighed(cascade: Answer, lalm: Answer, weight: float) -> dict[str, float]:
    """Return the product of two answers' probabilities, `weight` being the say of the LALM in [0, 1]."""
    return pool_distributions(Factor(cascade.probabilities, 1 - weight), Factor(lalm.probabilities, weight))


def chosen_arm(cascade: Answer, lalm: Answer, weight: float) -> Answer:
    """Return the answer of the arm that has more say, of those that chose an option at all."""
    first, second = (lalm, cascade) if weight > 0.5 else (cascade, lalm)
    return second if first.choice is None and second.choice is not None else first


def read_router(file: Path) -> Router:
    """Read a router; `BadConfig` where the file is not one, or looks at features that nobody computes."""
    try:
        router = Router.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        why = f" ({worded(error.errors()[0])})" if isinstance(error, ValidationError) else ""
        raise BadConfig(
            f"{str(file)!r} is no router of this version{why}; `earwitness eval fit-router` writes one."
        ) from error
    question, nothing = Question.ask("?", ("a", "b")), Answer(question_id="", reply="", choice=None, path="cascade")
    known = all_features(question, nothing, nothing)
    if unknown := [name for name in (*router.before.names, *router.after.names) if name not in known]:
        raise BadConfig(f"{str(file)!r} looks at the feature {unknown[0]!r}, which this version does not know.")
    return router


def router_for(models: ArmModels, file: Path) -> Router:
    """Return the router in a file that was named; `BadConfig` where it was fitted on other models."""
    router = read_router(file)
    if router.models != models:
        fitted, here = (", ".join(f"{role} {name}" for role, name in one) for one in (router.models, models))
        raise BadConfig(f"{str(file)!r} was fitted on {fitted}; here answer {here}. Name those, or another router.")
    return router


def routing_for(models: ArmModels, file: Path = PACKAGED) -> Routing:
    """Return the router in `file` if it was fitted on these models, else the rule."""
    if not file.is_file():
        return Rule()
    router = read_router(file)
    return router if router.models == models else Rule()
