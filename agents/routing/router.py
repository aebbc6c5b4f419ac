"""Router between the cascade and the LALM: a fitted one, and a rule for models without one.

`earwitness eval fit-router` writes the router as JSON; `router.json` beside this file, where it is, is the one that
`--path auto` loads. Prediction needs its coefficients only.
"""

from collections.abc import Mapping
from math import exp
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol, Self, TypeAlias

from pydantic import Field, model_validator

from agents.reading.calibration import Positive
from agents.reading.confidence import Factor, apply_temperature, pool_distributions
from agents.routing.features import Features, Modality, compute_features, compute_question_features, guess_modality
from services.errors import BadConfig
from services.json_lines import read_record
from services.types import Answer, Question, Route, Value

PACKAGED = Path(__file__).with_name("router.json")
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]

MIN_WEIGHT = 0.01  # exponent of an arm's probabilities


class RouteDecision(NamedTuple):
    """Decision of a router, with the reason for the trace."""

    way: Route
    why: str


class Routing(Protocol):
    """Chooses the arms that answer, and reconciles their answers."""

    def route(self, question: Question) -> RouteDecision:
        """Choose the arms from the question alone."""

    def reconcile(self, question: Question, cascade: Answer, lalm: Answer) -> "Reconciled":
        """Reconcile two answers to a multiple-choice question."""

    def calibrate(self, answer: Answer) -> Answer:
        """Return the answer of one arm with calibrated probabilities, on the scale of `reconcile`."""


class Reconciled(NamedTuple):
    """Result of reconciling two answers."""

    probabilities: dict[str, float]
    """Option letter -> probability; empty where neither arm gave any."""
    weight: float
    """Weight of the LALM in [0, 1]."""
    why: str


class Scaled(Value):
    """Named features, with the means and scales that standardise them."""

    names: tuple[str, ...]
    means: tuple[Finite, ...]
    scales: tuple[Positive, ...]

    def _require_one_each(self, *others: tuple[float, ...]) -> None:
        if any(len(other) != len(self.names) for other in (self.means, self.scales, *others)):
            raise ValueError("names, means, scales and weights differ in number")


class Logistic(Scaled):
    """A logistic regression over named features."""

    weights: tuple[Finite, ...]
    """Of the standardised features."""
    bias: Finite

    @model_validator(mode="after")
    def _has_a_weight_for_each(self) -> Self:
        self._require_one_each(self.weights)
        return self

    def predict(self, features: Features) -> float:
        """Return the probability that the LALM is right, if exactly one of the two is."""
        terms = zip(self.names, self.means, self.scales, self.weights, strict=True)
        logit = self.bias + sum(w * (features[name] - mean) / scale for name, mean, scale, w in terms)
        return 1 / (1 + exp(-max(-500.0, min(500.0, logit))))


class ArmWeight(Value):
    """Weight of one arm's log-probabilities, linear in the features."""

    weights: tuple[Finite, ...]
    bias: Finite


class Stack(Scaled):
    """A conditional logit over options (McFadden 1974): the utility of option k is Σ weight(arm) · log p(arm, k).

    The weight of an arm depends on the question and on the confidence of both arms, never on the option.
    """

    cascade: ArmWeight
    """Over the standardised features; so is that of the LALM."""
    lalm: ArmWeight

    @model_validator(mode="after")
    def _has_a_weight_for_each(self) -> Self:
        self._require_one_each(self.cascade.weights, self.lalm.weights)
        return self

    def compute_weights(self, features: Features) -> tuple[float, float]:
        """Return the weights of the cascade and of the LALM, each at least `MIN_WEIGHT`: none is negative."""
        terms = zip(self.names, self.means, self.scales, strict=True)
        scaled = [(features[name] - mean) / scale for name, mean, scale in terms]
        cascade, lalm = (
            max(MIN_WEIGHT, arm.bias + sum(w * x for w, x in zip(arm.weights, scaled, strict=True)))
            for arm in (self.cascade, self.lalm)
        )
        return cascade, lalm


class ArmModels(Value):
    """Names of the models that a router was fitted on."""

    llm: str
    captioner: str
    asr: str
    lalm: str


class Provenance(Value):
    """Provenance of a router: the runs, questions and packages that it was fitted with."""

    runs: dict[str, str]
    """Run folder's name -> sha256 of its run.json and predictions.jsonl."""
    benchmark_sha256: str
    questions: int
    discordant: int
    """Questions that exactly one arm got right, on which it was fitted."""
    folds: int
    versions: dict[str, str]
    """Package -> version."""


class Router(Value):
    """A fitted router, as its JSON file has it: coefficients and provenance."""

    format: Literal[3] = 3
    """3: over calibrated probabilities; 2 was over those that models give."""
    models: ArmModels
    cascade_temperature: Positive
    lalm_temperature: Positive
    before: Logistic
    """From the question alone."""
    after: Stack
    """From the question, the evidence and both answers; over probabilities at the temperatures above, which come on
    top of each arm's own calibration."""
    certainty: Positive
    """Both arms run unless `before` gives one at least this probability; above 1: always both."""
    provenance: Provenance

    def route(self, question: Question) -> RouteDecision:
        """Route to one arm where the question alone decides, else to both."""
        likely = self.before.predict(compute_question_features(question))
        return RouteDecision(choose_route(likely, self.certainty), f"fitted router, the LALM right with {likely:.2f}")

    def reconcile(self, question: Question, cascade: Answer, lalm: Answer) -> Reconciled:
        """Pool the distributions of both arms with the fitted weights."""
        first, second = self.calibrate_both(cascade, lalm)
        weights = self.after.compute_weights(compute_features(question, first, second))
        probabilities = pool_distributions(
            Factor(first.probabilities, weights[0]), Factor(second.probabilities, weights[1])
        )
        return Reconciled(probabilities, weights[1] / sum(weights), "fitted router")

    def calibrate(self, answer: Answer) -> Answer:
        """Apply the temperature of the arm."""
        return _apply_arm_temperature(
            answer, self.lalm_temperature if answer.path == "lalm" else self.cascade_temperature
        )

    def calibrate_both(self, cascade: Answer, lalm: Answer) -> tuple[Answer, Answer]:
        """Return both answers with calibrated probabilities."""
        return self.calibrate(cascade), self.calibrate(lalm)


class Rule:
    """Sound to the LALM, music to the cascade, the rest to both (arXiv:2603.19195 compares them on MMAU)."""

    ways: Mapping[Modality, Route] = {"sound": "lalm", "music": "cascade"}

    def route(self, question: Question) -> RouteDecision:
        """Route by the words of the question."""
        about = guess_modality(question)
        if about is None:
            return RouteDecision("both", "rule, the question does not say what it is about")
        return RouteDecision(self.ways.get(about, "both"), f"rule, a question about {about}")

    def reconcile(self, question: Question, cascade: Answer, lalm: Answer) -> Reconciled:  # noqa: ARG002 - equal weights
        """Pool both distributions with equal weights."""
        return Reconciled(pool_answers(cascade, lalm, 0.5), 0.5, "product of probabilities")

    def calibrate(self, answer: Answer) -> Answer:
        """Return the answer as it is: no temperature was fitted on these models."""
        return answer


def choose_route(likely: float, certainty: float) -> Route:
    """Choose the route where the LALM is the better arm with this probability."""
    if likely >= certainty:
        return "lalm"
    return "cascade" if 1 - likely >= certainty else "both"


def _apply_arm_temperature(answer: Answer, temperature: float) -> Answer:
    return answer.model_copy(update={"probabilities": apply_temperature(answer.probabilities, temperature)})


def pool_answers(cascade: Answer, lalm: Answer, weight: float) -> dict[str, float]:
    """Return the weighted product of the probabilities of two answers; `weight` is that of the LALM in [0, 1]."""
    return pool_distributions(Factor(cascade.probabilities, 1 - weight), Factor(lalm.probabilities, weight))


def choose_arm(cascade: Answer, lalm: Answer, weight: float) -> Answer:
    """Return the answer of the arm with the higher weight, of those that chose an option."""
    first, second = (lalm, cascade) if weight > 0.5 else (cascade, lalm)
    return second if first.choice is None and second.choice is not None else first


def read_router(file: Path) -> Router:
    """Read a router; `BadConfig` where the file is not one, or it uses features that this version does not compute."""
    router = read_record(Router, file, name="a router", cure="`earwitness eval fit-router` writes one")
    question, nothing = Question.ask("?", ("a", "b")), Answer(question_id="", reply="", choice=None, path="cascade")
    known = compute_features(question, nothing, nothing)
    if unknown := [name for name in (*router.before.names, *router.after.names) if name not in known]:
        raise BadConfig(f"{str(file)!r} looks at the feature {unknown[0]!r}, which this version does not know.")
    return router


def load_router(models: ArmModels, file: Path) -> Router:
    """Load a router; `BadConfig` where it was fitted on other models."""
    router = read_router(file)
    if router.models != models:
        fitted, here = (", ".join(f"{role} {name}" for role, name in one) for one in (router.models, models))
        raise BadConfig(f"{str(file)!r} was fitted on {fitted}; here answer {here}. Name those, or another router.")
    return router


def load_routing(models: ArmModels, file: Path = PACKAGED) -> Routing:
    """Load the router in `file` if it was fitted on these models, else return the rule."""
    if not file.is_file():
        return Rule()
    router = read_router(file)
    return router if router.models == models else Rule()
