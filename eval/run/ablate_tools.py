"""`earwitness eval ablate-tools RUN`: what each tool of listening again is worth, by leave-one-out and Shapley values.

Every tool is called once for each item; what it finds is weighed again and again, as the agent does, without calling it
again. Leave-one-out is what the agent loses, within its budget, where it may not call a tool that it chose. A Shapley
value (Shapley 1953; Castro et al. 2009 for the sampling) is what a tool adds on average to those called before it, over
orders of all tools drawn at random, without a budget; the agent still stops once the options separate.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from agents.cascade import Cascade
from agents.listening.classifiers.text_classifier import NO_TOOL
from agents.listening.listening import FollowUp
from agents.listening.planner import ClassifierPlanner
from agents.listening.tool import ListenedClip, Listeners, ToolArguments, ToolInput, ToolResult, suit_any
from agents.listening.tools import CAPTION, SPAN, TOOLS, AnyTool, ChosenTool, estimate_tools, list_inputs, select_tools
from agents.models import LocalModels, ModelNames
from agents.paths import make_builder
from agents.reading.calibration import read_calibrations
from eval.analysis.budget import ActionsTable, compare_by_actions
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.fields import parse_fields
from eval.benchmarks.tables import is_table
from eval.run.session import hash_prompts, list_opened
from eval.scoring.statistics import compute_paired_difference
from eval.store.records import RunRecord
from eval.store.run_folder import require_record
from eval.store.stored import read_predictions
from services.audio.load import load
from services.errors import BadConfig
from services.extensions.registry import include_files
from services.files import write_atomic
from services.progress import report_stage
from services.types import Answer, AudioClip, Evidence, Question, Value

FILE = "tools.json"  # of a run folder
CALLED: Mapping[str, AnyTool] = {**TOOLS, SPAN.name: SPAN, CAPTION.name: CAPTION}
"""Name -> tool that the agent calls by itself."""


class ToolEffect(Value):
    """Difference that a tool makes to the accuracy."""

    value: float
    low: float
    high: float
    """95 % interval, by what items share a recording with others."""


class ToolValue(Value):
    """What one tool is worth."""

    tool: str
    num_called: int
    """Items on which the agent called it, within its budget."""
    num_found: int
    """Items on which it found anything."""
    leave_one_out: ToolEffect
    """Over all items; 0 on those for which the agent did not call it."""
    shapley: ToolEffect

    @property
    def loses(self) -> bool:
        """Whether it does harm, beyond what chance makes of so few items."""
        return self.leave_one_out.high < 0 or self.shapley.high < 0


class ToolAblation(Value):
    """What each tool is worth in one run, as `tools.json` of the run folder holds it."""

    budget: int
    num_samples: int
    """Orders of all tools that were drawn for each item."""
    seed: int
    n: int
    """Questions with options that were replayed."""
    num_correct_once: int
    """Right in the first reading, before any tool."""
    num_correct: int
    """Right within the budget."""
    by_actions: ActionsTable
    """Accuracy by number of actions used, beside hearing once, and a LALM alone where a run of one was named."""
    tools: tuple[ToolValue, ...]
    """In descending order of their Shapley values."""
    losing: tuple[str, ...]
    """Tools that do harm, beyond what chance makes of so few items."""


class _Replayed(NamedTuple):
    """What became of one item."""

    cluster: str
    is_right_once: bool
    is_right: bool
    found: frozenset[str]
    without: Mapping[str, float]
    """Tool that the agent called -> what is lost without it: 1, 0 or -1."""
    added: Mapping[str, float]
    """Tool -> mean of what it added."""


@dataclass(frozen=True, slots=True)
class _Replayer:
    """Replays the readings of a run."""

    cascade: Cascade
    budget: int
    num_samples: int
    seed: int

    async def replay(self, item: Item, *clips: AudioClip) -> _Replayed:
        """Call every tool once for an item, and weigh what they find with, without, and in drawn orders."""
        question = item.to_question()
        first = await self.cascade.answer(question, *clips)
        heard = list_inputs(question, clips, first.evidence)
        called = list[str]()
        tools = {name: _freeze(tool, await self._call(tool, heard), called) for name, tool in CALLED.items()}
        chosen = [one._replace(tool=tools[one.tool.name].tool) for one in select_tools(*heard)]
        read = partial(self._read, question, clips, first, item.answer or "")
        is_right = (await read(chosen, self.budget))[-1]
        by_agent = [one for one in chosen if one.tool.name in called]
        without = {
            left_out.tool.name: float(is_right) - float((await read(_drop(chosen, left_out), self.budget))[-1])
            for left_out in by_agent
        }
        added = dict.fromkeys(tools, 0.0)
        draw = random.Random(f"{self.seed} {item.id}")  # noqa: S311 - orders, not secrets
        weighed = _weigh_all(heard[0], [one.tool for one in tools.values()], chosen)
        for _ in range(self.num_samples):
            order = draw.sample(weighed, len(weighed))
            steps = await read(order, sum(one.tool.cost for one in order))
            for one, before, after in zip(order, steps, steps[1:], strict=False):
                added[one.tool.name] += (float(after) - float(before)) / self.num_samples
        once = (await read([], self.budget))[-1]
        found = frozenset(name for name, one in tools.items() if any(one.found.values()))
        return _Replayed(item.source, once, is_right, found, without, added)

    async def _call(self, tool: AnyTool, heard: Sequence[ToolInput]) -> Mapping[str, tuple[Evidence, ...]]:
        """Return SHA-256 of a recording -> what the tool finds in it."""
        listeners = Listeners(self.cascade.parts.captioner, self.cascade.parts.asr)
        return {one.clip.sha256: await tool.use(listeners, one, tool.make_arguments(listeners, one)) for one in heard}

    async def _read(
        self,
        question: Question,
        clips: Sequence[AudioClip],
        first: Answer,
        right: str,
        tools: Sequence[ChosenTool],
        budget: int,
    ) -> list[bool]:
        """Return whether the answer is right before the first tool and after each one that was called."""
        parts = self.cascade.parts
        follow_up = FollowUp(
            Listeners(parts.captioner, parts.asr),
            parts.llm,
            budget=budget,
            calibration=parts.calibration,
            planner=ClassifierPlanner(lambda *_: tuple(tools)),
        )
        drafts = (await follow_up.refine(question, clips, first))[-1].drafts
        choices = [draft.choice for draft in drafts] or [first.choice]
        return [choice is not None and choice.text == right for choice in choices]


class _FrozenTool(NamedTuple):
    """A tool that finds again what it found, without listening."""

    tool: AnyTool
    found: Mapping[str, tuple[Evidence, ...]]
    """SHA-256 of a recording -> what it found in it."""


def _freeze(tool: AnyTool, found: Mapping[str, tuple[Evidence, ...]], called: list[str]) -> _FrozenTool:
    async def run(_: Listeners, heard: ListenedClip, __: ToolArguments) -> ToolResult:
        """Find the same again, and note the call."""
        called.append(tool.name)
        return ToolResult(found[heard.clip.sha256])

    return _FrozenTool(replace(tool, run=run, plan=lambda _: ToolArguments(), suits=suit_any), found)


def _drop(chosen: Sequence[ChosenTool], left_out: ChosenTool) -> list[ChosenTool]:
    return [one for one in chosen if one is not left_out]


def _weigh_all(heard: ToolInput, tools: Sequence[AnyTool], chosen: Sequence[ChosenTool]) -> list[ChosenTool]:
    """Return every tool with the probability that the question asks for it, as the agent's choice has it."""
    estimates = estimate_tools(heard.question, heard.clip.duration_s)
    known = {one.tool.name: one.relevance for one in chosen}
    usual = {SPAN.name: 1.0, CAPTION.name: 1 - estimates[NO_TOOL]}
    return [
        ChosenTool(tool, known.get(tool.name, usual.get(tool.name, estimates.get(tool.name, 0.0)))) for tool in tools
    ]


def ablate_tools(folder: Path, *, num_samples: int, seed: int, lalm_run: Path | None = None) -> ToolAblation:
    """Replay the run of path cascade in a folder, and write what each tool is worth into it.

    `lalm_run` is the folder of a run over path lalm on the same questions.
    """
    record = require_record(folder)
    options = record.options
    if options.path != "cascade" or options.server or options.control:
        raise BadConfig(f"'{folder}' is not a run of path cascade with models of its own, which replay the tools.")
    if options.temperature:
        raise BadConfig(
            f"'{folder}' drew its replies at --temperature {options.temperature:g}: replays need a fixed one."
        )
    benchmark = _find_benchmark(record)
    items = [one for one in read_predictions(folder) if one.choices and one.answer and one.audio and not one.failed]
    if len(items) < 2:
        raise BadConfig(f"'{folder}' holds {len(items)} answered questions with options; at least two are needed.")
    calibration = read_calibrations(Path(options.calibration)) if options.calibration else None
    build = make_builder("cascade", budget=0, rotations=options.rotations, calibration=calibration)
    names = ModelNames(**options.model_dump(include=set(ModelNames.model_fields), exclude_none=True))
    models = LocalModels(names)
    cascade = build(models).answerer
    assert isinstance(cascade, Cascade), "the builder of that path"
    now = {"benchmark_sha256": benchmark.sha256, "prompts_sha256": hash_prompts(), "models": list_opened(models)}
    if differences := record.list_differences(record.model_copy(update=now)):
        raise BadConfig(
            f"'{folder}' was run with other code, models or questions than are here now: {'; '.join(differences)}. "
            "Run it again into another --out, and name that."
        )
    replayer = _Replayer(cascade, options.budget or 1, num_samples, seed)

    async def replay_all() -> list[_Replayed]:
        """Replay one item after the other."""
        done = []
        with report_stage("replay", total=len(items), unit="steps") as running:
            for item in items:
                clips = [await asyncio.to_thread(load, path) for path in benchmark.find_clips(item)]
                done.append(await replayer.replay(item, *clips))
                running.advance_to(len(done))
        return done

    alone = read_predictions(lalm_run) if lalm_run else None
    by_actions = compare_by_actions(items, replayer.budget, alone)
    found = _sum_up(asyncio.run(replay_all()), replayer, by_actions)
    write_atomic(folder / FILE, found.model_dump_json(indent=1))
    return found


def _find_benchmark(record: RunRecord) -> Benchmark:
    """Load the benchmark of a run again, as the run did: by its name, or from a file by its fields."""
    options = record.options
    include_files(options.include)
    root = Path(options.audio_root) if options.audio_root else None
    file = Path(record.benchmark_file)
    if is_table(file.name) and file.stem == options.benchmark:
        return find(str(file), root, parse_fields(options.fields) if options.fields else None)
    return find(options.benchmark, root)


def _sum_up(done: Sequence[_Replayed], replayer: _Replayer, by_actions: ActionsTable) -> ToolAblation:
    clusters = [one.cluster for one in done]
    values = [
        ToolValue(
            tool=name,
            num_called=sum(name in one.without for one in done),
            num_found=sum(name in one.found for one in done),
            leave_one_out=_estimate([one.without.get(name, 0.0) for one in done], clusters),
            shapley=_estimate([one.added[name] for one in done], clusters),
        )
        for name in CALLED
    ]
    ranked = tuple(sorted(values, key=lambda one: -one.shapley.value))
    return ToolAblation(
        budget=replayer.budget,
        num_samples=replayer.num_samples,
        seed=replayer.seed,
        n=len(done),
        num_correct_once=sum(one.is_right_once for one in done),
        num_correct=sum(one.is_right for one in done),
        by_actions=by_actions,
        tools=ranked,
        losing=tuple(one.tool for one in ranked if one.loses),
    )


def _estimate(differences: Sequence[float], clusters: Sequence[str]) -> ToolEffect:
    told = compute_paired_difference(differences, clusters if len(set(clusters)) > 1 else None)
    return ToolEffect(value=told.value, low=told.ci_95.low, high=told.ci_95.high)
