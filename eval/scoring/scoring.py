"""Scoring: strict and official accuracy, Wilson intervals and clustered standard errors.

Strict: the reply is read as exactly one option, and that option's text is the answer. Official: the token-set
matcher of MMAU and MMAR. What could not be read and what failed stays in the denominator of both.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, TypeAlias, TypedDict, TypeVar

from pydantic import Field

from eval.scoring.intervals import Interval, compute_clustered_interval, compute_clustered_se, compute_wilson_interval
from eval.scoring.rule_scores import RuleScores, score_rules
from eval.scoring.rules import RuleOutcome
from services.types import Value

ALL = "all"
Counted = TypeVar("Counted")
RepeatKind: TypeAlias = Literal["option order", "sampling"]


class Verdict(NamedTuple):
    """The verdict on one item, with the figures that summaries need."""

    id: str
    task: str
    category: str = ""
    sub_category: str = ""
    difficulty: str = ""
    modality: str = ""
    cluster: str = ""
    correct_strict: bool = False
    correct_official: bool = False
    official_dropped: bool = False
    """Whether the official script leaves the item out of its denominator."""
    unread: bool = False
    failed: bool = False
    degraded: bool = False
    withheld: bool = False
    """The benchmark's authors keep the answer to themselves."""
    disputed: bool = False
    """Whether the published answer is disputed in public."""
    premise: str = ""
    """Id of the item whose answer this one's builds on; empty: none."""
    took_s: float = 0.0
    clock_s: float = 0.0
    """Running time of the whole run when the item was finished."""
    num_cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    probabilities: tuple[float, ...] = ()
    """Of the options in their order; empty where the model gave none."""
    raw_probabilities: tuple[float, ...] = ()
    """The same as the model itself gave them; empty of an answer made of two."""
    findings_temperature: float | None = None
    """Of a calibrated answer after listening again; None for any other."""
    right: int | None = None
    """Place of the right option, from 0; None where it is withheld."""
    num_choices: int = 0
    """0: not known."""
    outcome: RuleOutcome | None = None
    """What the item's own rule says of the reply."""


class Score(Value):
    """Counts over some items; unread and failed ones are wrong, never left out."""

    n: int
    correct_strict: int
    correct_official: int
    unread: int
    """Replies in which no option could be read."""
    failed: int
    """Items without a reply."""
    degraded: int
    """Answers given while something was missing."""
    withheld: int
    """Items whose answer is not public: they are in `n`, and neither right nor wrong."""
    wilson_95: Interval
    """Of the strict accuracy, over the items that can be scored."""
    official_dropped: int = 0
    """Items that the official script leaves out of its denominator."""

    @property
    def official_accuracy(self) -> float | None:
        """Accuracy as the official script has it, in [0, 1]; None where it would count nothing."""
        counted = self.n - self.withheld - self.official_dropped
        return self.correct_official / counted if counted else None


class ControlTest(Value):
    """A control against the run itself, over the items that both scored."""

    n: int
    only_run: int
    """Items that only the run got right."""
    only_control: int
    mcnemar_p: float
    """Exact, two-sided."""


class ControlScore(Score):
    """Counts of a control, and what only some controls have."""

    by_task: dict[str, Score] = Field(default_factory=dict)
    against_run: ControlTest | None = None
    """None where answers are withheld."""

    changed: int | None = None
    """Items whose answer differs from the run's own, of `compared`; None where that says nothing."""
    compared: int | None = None
    consistent: int | None = None
    """Circular evaluation: items for which every rotation chose the same option."""
    mean_strict: float | None = None
    """Circular evaluation: accuracy over the single rotations; `correct_strict` counts items right in all. None where
    answers are withheld."""


class ForecastQuality(Value):
    """Calibration error, Brier score and negative log-likelihood."""

    ece: float
    """Expected calibration error over ten bins of equal width, in [0, 1]."""
    brier: float
    """Mean squared error summed over the options, in [0, 2]."""
    nll: float
    """Mean negative log-likelihood of the right option, in nats."""


class SelectiveAccuracy(Value):
    """Accuracy when answers below a confidence are withheld (selective prediction)."""

    threshold: float
    """Calibrated probability below which no answer is given."""
    n: int
    answered: int
    """Items without probabilities count as not answered."""
    correct: int
    accuracy: float | None
    """Over the answered ones; None where there are none."""
    wilson_95: Interval


class RiskPoint(NamedTuple):
    """A point of the risk-coverage curve: the error rate of the most confident answers."""

    coverage: float
    risk: float


class Calibration(Value):
    """Calibration of a run's probabilities, before and after temperature scaling."""

    n: int
    """Items that came with probabilities and have a public answer."""
    raw: ForecastQuality
    tempered: ForecastQuality
    """At a temperature fitted on the other half of the questions."""
    temperature: float
    """Fitted on all; above 1: the run is overconfident."""
    aurc: float
    """Area under the risk-coverage curve; the lower, the better confidence separates right from wrong."""
    risk_coverage: tuple[RiskPoint, ...]
    abstention: SelectiveAccuracy | None = None
    """With --abstain."""


class JudgeScore(Value):
    """What a judge said of a run's open answers, and what it cost."""

    judge: str
    n: int
    right: int
    refused: int = 0
    """Replies that it calls refusals to answer: they are wrong."""
    failed: int
    """Replies that it failed at, or on which it gave no verdict."""
    mean_score: float | None = None
    """Of the replies, from 1 to 10, where it scores them beside the references; None: it does not."""
    mean_reference_score: float | None = None
    mean_overall: float | None = None
    """Of the replies, from 1 to 5, where it rates criteria; None: it does not."""
    prompt_tokens: int
    completion_tokens: int


class RepeatScore(Value):
    """The same questions asked several times."""

    num: int
    """Times that they were asked, the run itself among them."""
    varies: RepeatKind
    """What differs from one time to the next."""
    reads_order: bool
    """Whether the order of the options can matter to the model."""
    accuracies: tuple[float, ...]
    """Strict accuracy of each, in [0, 1]; the run itself first."""
    mean: float
    """Of them: pass@1, averaged over the repeats."""
    sd: float
    """Standard deviation over the repeats."""
    mean_official: float
    ci_95: Interval
    """Of the mean, over the items (clustered, where they share a source)."""
    n: int
    """Items that every repeat has scored."""
    differing: int
    """Items that did not get the same answer every time."""
    fixed: int
    """Items that were asked in the very same words every time, by a model that draws nothing: they cannot differ."""
    always_right: int
    ever_right: int


class RunSummary(Score):
    """Counts over a whole run."""

    by_task: dict[str, Score]
    by_category: dict[str, Score]
    by_sub_category: dict[str, Score]
    by_difficulty: dict[str, Score]
    by_modality: dict[str, Score]
    chance: float | None = None
    """Accuracy of guessing among the options; None where they are not known."""
    clustered_se: float | None
    """Standard error of the strict accuracy where items share a source; None where none do."""
    clustered_95: Interval | None = None
    """Interval from it, by Student's t with a degree of freedom less than there are sources; where all have one
    share, with room for those that would differ."""
    num_clusters: int | None = None
    """Sources, which are recordings, or the videos that a benchmark names; None where no items share one."""
    mean_took_s: float
    """From the start of an item to its answer, waiting for models included."""
    wall_s: float
    """Running time, over all the sessions that it took."""
    prompt_tokens: int
    completion_tokens: int
    num_cached: int = 0
    """Captions, transcripts and readings that were there already: their seconds are in no figure."""
    cost_usd: float | None = None
    """At the price given with --price; None without one."""
    controls: dict[str, ControlScore] = Field(default_factory=dict)
    calibration: Calibration | None = None
    """None where the answers came without probabilities, or are withheld."""
    judges: tuple[JudgeScore, ...] = ()
    """Of open answers, in the order in which they were named: the first one's judgements count."""
    undisputed: Score | None = None
    """The same without the items whose published answer is disputed; None where none is."""
    given_premise: dict[str, Score] = Field(default_factory=dict)
    """By task, and last of all together: the items that build on another's answer and whose premise is strictly right,
    as SAKURA's multi-hop questions given its single-hop ones (arXiv:2505.13237). Empty where none builds on any."""
    rules: RuleScores | None = None
    """Of replies that rules score; None where none does."""
    repeats: RepeatScore | None = None
    """None: it was asked once."""
    judge_kappa: float | None = None
    """Cohen's kappa of the first two judges; None for fewer, or where both always say the same."""


def summarise(verdicts: Iterable[Verdict]) -> RunSummary:
    """Count a run, whole and by group."""
    counted = list(verdicts)
    return RunSummary(
        **dict(score(counted)),
        by_task=score_tasks(counted),
        by_category=_score_groups(lambda verdict: verdict.category, counted),
        by_sub_category=_score_groups(lambda verdict: verdict.sub_category, counted),
        by_difficulty=_score_groups(lambda verdict: verdict.difficulty, counted),
        by_modality=_score_groups(lambda verdict: verdict.modality, counted),
        chance=_compute_chance(counted),
        undisputed=_score_undisputed(counted),
        given_premise=_score_given_premise(counted),
        rules=score_rules([(verdict.outcome, verdict.cluster or verdict.id) for verdict in counted if verdict.outcome]),
        **_measure_clusters(counted),
        mean_took_s=round(sum(verdict.took_s for verdict in counted) / max(1, len(counted)), 4),
        wall_s=round(max((verdict.clock_s for verdict in counted), default=0.0), 3),
        prompt_tokens=sum(verdict.prompt_tokens for verdict in counted),
        completion_tokens=sum(verdict.completion_tokens for verdict in counted),
        num_cached=sum(verdict.num_cached for verdict in counted),
    )


def score(verdicts: list[Verdict]) -> Score:
    """Count verdicts."""
    num_correct = sum(verdict.correct_strict for verdict in verdicts)
    withheld = sum(verdict.withheld for verdict in verdicts)
    return Score(
        n=len(verdicts),
        correct_strict=num_correct,
        correct_official=sum(verdict.correct_official for verdict in verdicts),
        unread=sum(verdict.unread for verdict in verdicts),
        failed=sum(verdict.failed for verdict in verdicts),
        degraded=sum(verdict.degraded for verdict in verdicts),
        withheld=withheld,
        wilson_95=compute_wilson_interval(num_correct, len(verdicts) - withheld),
        official_dropped=sum(verdict.official_dropped for verdict in verdicts),
    )


def _score_undisputed(verdicts: list[Verdict]) -> Score | None:
    kept = [verdict for verdict in verdicts if not verdict.disputed]
    return score(kept) if len(kept) < len(verdicts) else None


def _score_given_premise(verdicts: list[Verdict]) -> dict[str, Score]:
    right = {verdict.id for verdict in verdicts if verdict.correct_strict}
    given = [verdict for verdict in verdicts if verdict.premise in right]
    if not any(verdict.premise for verdict in verdicts):
        return {}
    return dict(list_rows(score_tasks(given), score(given)))


def _compute_chance(verdicts: list[Verdict]) -> float | None:
    shares = [1 / verdict.num_choices for verdict in verdicts if verdict.num_choices and not verdict.withheld]
    return sum(shares) / len(shares) if shares else None


def list_rows(by_task: Mapping[str, Counted], total: Counted) -> dict[str, Counted]:
    """Return the rows of a table: those of the tasks, and last that of all, named so that no task is called alike.

    Items without a task are of the task `all`; where there is no other, it is the row of all.
    """
    if [*by_task] == [ALL]:
        return {ALL: total}
    name = ALL
    while name in by_task:
        name += " tasks"
    return {**by_task, name: total}


def score_tasks(verdicts: list[Verdict]) -> dict[str, Score]:
    """Count verdicts by task."""
    return _score_groups(lambda verdict: verdict.task, verdicts)


def _score_groups(key: Callable[[Verdict], str], verdicts: list[Verdict]) -> dict[str, Score]:
    """Count each group; items that have no such field are in none."""
    groups: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[key(verdict)].append(verdict)
    return {name: score(groups[name]) for name in sorted(groups) if name}


class _Clusters(TypedDict, total=False):
    clustered_se: float | None
    clustered_95: Interval
    num_clusters: int


def _measure_clusters(verdicts: list[Verdict]) -> _Clusters:
    """Return the clustered standard error and its interval, where items share a source."""
    scored = [verdict for verdict in verdicts if not verdict.withheld]
    clusters = [verdict.cluster or verdict.id for verdict in scored]
    num = len(set(clusters))
    if num == len(scored):
        return {"clustered_se": None}
    if num == 1:
        return {"clustered_se": None, "num_clusters": 1}
    right = [verdict.correct_strict for verdict in scored]
    return {
        "clustered_se": compute_clustered_se(right, clusters),
        "clustered_95": compute_clustered_interval(right, clusters),
        "num_clusters": num,
    }
