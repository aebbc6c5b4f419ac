"""Catalogue of paths from question to answer: a plain dict, name -> function that builds it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agents.degradation import STRICT, Policy
from agents.models import Models
from agents.reading.calibration import CalibrationFile, Calibrations
from agents.reasons.reasoned import Reasoned
from services.catalog import pick
from services.errors import BadConfig
from services.protocols import LALM, LLM, Answerer, Loadable
from services.types import EvidenceSummary, PlannerName

if TYPE_CHECKING:
    from agents.cascade import Cascade
    from agents.direct import Direct
    from agents.listening.planner import Planner


class PathOptions(NamedTuple):
    """Options of a path."""

    budget: int
    """Maximum number of actions of active listening."""
    policy: Policy
    rotations: int | None
    """Orders of the options that an LLM's letters are averaged over; None: as many as suit the LLM."""
    router: Path | None
    """Router file of `auto`; None: the packaged router, where it was fitted on these models, else the rule."""
    calibration: CalibrationFile | None
    """Temperatures of these models that count before those that ship."""
    summary: EvidenceSummary
    """What the LALM reads beside the recording."""
    planner: PlannerName
    """Who chooses the tools of active listening."""


def _build_text(models: Models, options: PathOptions) -> Answerer:
    from agents.text_only import TextOnly

    llm = _open_reader(models, options)
    return TextOnly(llm, Calibrations(options.calibration).find(llm, "text"))


def _open_reader(models: Models, options: PathOptions) -> LLM:
    from agents.reading.reading import RotatedLLM

    llm = models.open_llm()
    if options.rotations is None:
        return llm
    if llm.style.scores != "letters":
        raise BadConfig(f"{llm.name!r} scores the texts of the options, in no order: leave out --rotations.")
    return RotatedLLM(llm, options.rotations)


def _build_cascade(models: Models, options: PathOptions) -> "Cascade":
    import agents.graph.graph  # noqa: F401 - LangGraph takes 0.7 s, which should not count against a deadline
    from agents.cascade import Cascade
    from agents.listening.listening import FollowUp
    from agents.listening.tool import Listeners

    llm, listeners = _open_reader(models, options), Listeners(models.open_captioner(), models.open_asr())
    calibration, policy = Calibrations(options.calibration).find(llm, "cascade"), options.policy
    planner = _open_planner(models, options)
    follow_up = FollowUp(listeners, llm, budget=options.budget, calibration=calibration, policy=policy, planner=planner)
    asks_again = follow_up if options.budget else None
    ears = listeners.captioner, listeners.asr
    return Cascade(llm, *ears, follow_up=asks_again, policy=policy, calibration=calibration)


def _open_planner(models: Models, options: PathOptions) -> "Planner":
    from agents.listening.planner import ClassifierPlanner

    if options.planner == "classifier":
        return ClassifierPlanner()
    from agents.listening.llm_planner import LLMPlanner, require_planner

    return LLMPlanner(require_planner(models.open_llm()), options.policy)


def _open_lalm(models: Models, *, loads: bool) -> LALM:
    """Open the LALM; where it `loads` the weights, what is wrong with them is known before the first question."""
    lalm = models.open_lalm()
    if loads and isinstance(lalm, Loadable):
        lalm.load()
    return lalm


def _build_lalm(models: Models, options: PathOptions, *, loads: bool = True) -> "Direct":
    from agents.direct import Direct

    lalm = _open_lalm(models, loads=loads)
    return Direct(lalm, Calibrations(options.calibration).find(lalm, "lalm"))


def _build_informed(models: Models, options: PathOptions) -> Answerer:
    import agents.graph.graph  # noqa: F401 - as for the cascade
    from agents.informed import Alone, Informed, InformedByTools

    if options.summary == "none":
        return Alone(_build_lalm(models, options))
    lalm = _open_reading_lalm(models, options)
    if options.summary == "tools":
        return InformedByTools(lalm, _build_cascade(models, options._replace(budget=options.budget or 1)))
    return Informed(lalm, models.open_captioner(), models.open_asr(), policy=options.policy)


def _open_reading_lalm(models: Models, options: PathOptions) -> "Direct":
    """Open a LALM that reads evidence beside the recording."""
    from agents.direct import Direct

    lalm = _open_lalm(models, loads=True)  # it decides every question
    if not lalm.style.takes_evidence:
        raise BadConfig(
            f"A summary of the evidence stands as text beside the clip, and the LALM {lalm.name!r} takes none: name "
            "one that does with --lalm, or let it hear alone with --path lalm."
        )
    return Direct(lalm, Calibrations(options.calibration).find(lalm, "informed"))


def _build_auto(models: Models, options: PathOptions) -> Answerer:
    from agents.auto import Auto
    from agents.routing.router import ArmModels, load_router, load_routing

    reads = options.summary != "none"
    direct = _open_reading_lalm(models, options) if reads else _build_lalm(models, options, loads=False)
    cascade = _build_cascade(models, options)
    parts = cascade.parts
    names = ArmModels(llm=parts.llm.name, captioner=parts.captioner.name, asr=parts.asr.name, lalm=direct.lalm.name)
    routing = load_routing(names) if options.router is None else load_router(names, options.router)
    return Auto(cascade, direct, routing, summary=options.summary)


Build: TypeAlias = Callable[[Models], Answerer]
BuildPath: TypeAlias = Callable[[Models], Reasoned]

PATHS: Mapping[str, Callable[[Models, PathOptions], Answerer]] = {
    "text": _build_text,
    "cascade": _build_cascade,
    "lalm": _build_lalm,
    "informed": _build_informed,
    "auto": _build_auto,
}

BUDGETS: Mapping[str, int] = {"cascade": 1, "auto": 1}
"""Path with active listening -> its default budget; benchmarks have their own."""


SUMMARIES: Mapping[str, EvidenceSummary] = {"informed": "perception", "auto": "none"}
"""Path on which a LALM may read a summary of the evidence -> what it reads where nothing is said."""


def make_builder(
    path: str,
    *,
    budget: int | None = None,
    rotations: int | None = None,
    router: Path | None = None,
    calibration: CalibrationFile | None = None,
    policy: Policy = STRICT,
    summary: EvidenceSummary | None = None,
    planner: PlannerName | None = None,
) -> BuildPath:
    """Return the function that builds a path; None stands for the default of the path, see `PathOptions`.

    What it builds brings the reasons of its answers where a question wants them.
    """
    build = pick(PATHS, "path", path)
    if summary and path not in SUMMARIES:
        raise BadConfig(f"Path {path!r} has no LALM that reads: leave out --summary, or take informed, auto or both.")
    if budget and path not in BUDGETS and summary != "tools":
        raise BadConfig(f"Path {path!r} cannot listen again: leave out --budget, or take cascade or auto.")
    if rotations is not None and path in LALM_ONLY:
        raise BadConfig(f"Path {path!r} scores the texts of the options, in no order: leave out --rotations.")
    if router is not None and path != "auto":
        raise BadConfig(f"Path {path!r} routes nothing: leave out --router, or take --path auto.")
    if planner and path not in BUDGETS and summary != "tools":
        raise BadConfig(f"Path {path!r} calls no tools: leave out --planner, or take cascade or auto.")
    if planner and path in BUDGETS and budget == 0:
        raise BadConfig("Without a budget no tool is called: leave out --planner, or give --budget 1 or more.")
    actions, read = BUDGETS.get(path, 0) if budget is None else budget, summary or SUMMARIES.get(path, "none")
    options = PathOptions(actions, policy, rotations, router, calibration, read, planner or "classifier")
    reads = path not in LALM_ONLY or read == "tools"
    return lambda models: Reasoned(build(models, options), models.open_llm() if reads else None, policy)


TEXT_ONLY = frozenset({"text"})  # paths without audio: no clip is opened for them
LALM_ONLY = frozenset({"lalm", "informed"})  # paths on which no LLM reads
