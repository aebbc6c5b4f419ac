"""Profile of knowledge beside skills: a text-only score by sub-category, next to what a LALM hears by skill.

For one model: which auditory knowledge of a backbone, as AKB asks it in text (Lu et al. 2026, arXiv:2603.19195), goes
with which skill of the LALM that was made of it? The two lists share no items, so nothing is tested, and each accuracy
has its own interval. `eval correlate` tests over several models.
"""

from collections.abc import Iterable
from pathlib import Path

from eval.scoring.intervals import Interval, compute_wilson_interval
from eval.scoring.scoring import Verdict
from eval.store.stored import StoredResult, open_stored
from services.errors import BadConfig
from services.types import Value

HEARS = ("lalm", "informed")


class SkillScore(Value):
    """Accuracy on the items of one sub-category."""

    category: str
    name: str
    """Sub-category; of items without one, the category or the task."""
    n: int
    correct: int
    """By strict reading."""
    wilson_95: Interval

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.correct / self.n


class RunProfile(Value):
    """The skills of one run."""

    model: str
    benchmark: str
    run: str
    skills: tuple[SkillScore, ...]
    """By category, and within it from the best to the worst."""


class ProfilePair(Value):
    """What a model knows in text, and what one hears."""

    text: RunProfile
    lalm: RunProfile


def pair_profiles(text_run: Path, lalm_run: Path) -> ProfilePair:
    """Read a run over path text and one over path lalm or informed.

    Raises:
        BadConfig: a folder holds no such run, or its answers are withheld.
    """
    text, lalm = open_stored(text_run), open_stored(lalm_run)
    _require_path(text, ("text",), "the first")
    _require_path(lalm, HEARS, "the second")
    return ProfilePair(text=_build_profile(text, "llm"), lalm=_build_profile(lalm, "lalm"))


def _require_path(result: StoredResult, paths: Iterable[str], which: str) -> None:
    if result.record is None:
        raise BadConfig(f"'{result.file}' is not a run folder; {which} has to be a run over path {' or '.join(paths)}.")
    path = result.record.options.path
    if path not in paths:
        raise BadConfig(
            f"'{result.file.parent}' is a run over path {path}; {which} has to be one over path {' or '.join(paths)}."
        )


def _build_profile(result: StoredResult, role: str) -> RunProfile:
    assert result.record is not None, result.name
    options = result.record.options
    model = options.llm if role == "llm" else options.lalm
    known = [verdict for verdict in result.verdicts if not verdict.withheld]
    if not known:
        raise BadConfig(f"'{result.file.parent}' has no answers that can be scored: they are withheld.")
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in known:
        name = verdict.sub_category or verdict.category or verdict.task
        groups.setdefault((verdict.category or verdict.task, name), []).append(verdict)
    skills = [_score(category, name, verdicts) for (category, name), verdicts in groups.items()]
    skills.sort(key=lambda skill: (skill.category, -skill.accuracy, skill.name))
    return RunProfile(
        model=model or options.server or "", benchmark=options.benchmark, run=result.name, skills=tuple(skills)
    )


def _score(category: str, name: str, verdicts: list[Verdict]) -> SkillScore:
    correct = sum(verdict.correct_strict for verdict in verdicts)
    interval = compute_wilson_interval(correct, len(verdicts))
    return SkillScore(category=category, name=name, n=len(verdicts), correct=correct, wilson_95=interval)
