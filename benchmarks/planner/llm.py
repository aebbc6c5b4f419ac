"""Let an LLM plan the calls of tools beside the classifier, on the same unsure questions of a benchmark.

    python -m benchmarks.planner.llm dev.json --items 20 --budget 1

An LLM that cannot be held to a JSON schema, as no embedded reader can, is asked in words alone to keep to one: the
number of its faults is then what a grammar would save. Prints how many answers are right as they were heard once, with
the tools that each planner calls, and how the LLM's plans ended.
"""

import argparse
import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from time import process_time
from typing import Any, NamedTuple

from agents.cascade import Cascade
from agents.listening.listening import FollowUp
from agents.listening.llm_planner import LLMPlanner
from agents.listening.planner import ClassifierPlanner, Planner
from agents.listening.tool import Listeners
from agents.models import LocalModels, ModelNames
from agents.paths import make_builder
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark, Item
from services.audio.load import load
from services.protocols import LLM, StructuredLLM
from services.types import Answer, AudioClip, Message, Reading, ToolPlan


class AskedInWords:
    """An LLM that is asked to keep to a schema, and held to none."""

    takes_schema = True

    def __init__(self, llm: LLM) -> None:
        self.name, self.revision, self.style = llm.name, llm.revision, llm.style
        self.complete, self.choose = llm.complete, llm.choose

    async def complete_as(self, messages: tuple[Message, ...], _: dict[str, Any]) -> Reading:
        """Reply without a schema."""
        return await self.complete(messages)


class PlannedAnswers(NamedTuple):
    """What became of a question."""

    right: str | None
    once: Answer
    by_classifier: Answer
    by_llm: Answer
    llm_s: float
    """Processor seconds of the answer that the LLM planned."""


class PlannerComparison:
    """Asks the unsure questions of a benchmark with either planner.

    Args:
        llm: catalogue name of the LLM that reads, and plans.
        budget: of either.
    """

    def __init__(self, llm: str, budget: int) -> None:
        models = LocalModels(ModelNames(llm=llm))
        cascade = make_builder("cascade", budget=0)(models).answerer
        assert isinstance(cascade, Cascade)
        plain = models.open_llm()
        planning = plain if isinstance(plain, StructuredLLM) else AskedInWords(plain)
        self._cascade, self._budget = cascade, budget
        self._planners: tuple[Planner, Planner] = (ClassifierPlanner(), LLMPlanner(planning))

    async def compare(self, item: Item, *clips: AudioClip) -> PlannedAnswers | None:
        """Answer with either planner; None where nothing is to be planned."""
        question, parts = item.to_question(), self._cascade.parts
        once = await self._cascade.answer(question, *clips)
        listeners = Listeners(parts.captioner, parts.asr)
        by_classifier, by_llm = (
            FollowUp(listeners, parts.llm, budget=self._budget, calibration=parts.calibration, planner=planner)
            for planner in self._planners
        )
        if not by_llm.needs_refining(question, once):
            return None
        usual, started = (await by_classifier.refine(question, clips, once))[-1], process_time()
        planned = (await by_llm.refine(question, clips, once))[-1]
        return PlannedAnswers(item.answer, once, usual, planned, process_time() - started)


async def compare_all(benchmark: Benchmark, comparison: PlannerComparison, num: int, seed: int) -> list[PlannedAnswers]:
    """Ask questions in a drawn order until so many were planned."""
    items = [one for one in benchmark.items if one.choices and one.answer and one.audio]
    Random(seed).shuffle(items)  # noqa: S311 - an order, not a secret
    done: list[PlannedAnswers] = []
    for item in items:
        clips = [load(path) for path in benchmark.find_clips(item)]
        if found := await comparison.compare(item, *clips):
            done.append(found)
            plans = " | ".join(map(_format_plan, list_plans(found.by_llm)))
            print(f"{len(done)} {item.id}: {found.llm_s:.0f} s, {plans}", flush=True)
        if len(done) == num:
            break
    return done


def list_plans(answer: Answer) -> list[ToolPlan]:
    """List the plans of an answer."""
    return [one.plan for one in answer.trace if one.plan]


def _format_plan(plan: ToolPlan) -> str:
    return f"{plan.planner} {plan.fault or plan.end or 'calls'} {plan.tool or ''}".strip()


def is_right(answer: Answer, right: str | None) -> bool:
    """Say whether an answer is right."""
    return answer.choice is not None and answer.choice.text == right


def main() -> None:
    """Print how many answers are right, and what the plans came to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--llm", default="qwen2.5-coder-1.5b")
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--budget", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    comparison = PlannerComparison(chosen.llm, chosen.budget)
    done = asyncio.run(compare_all(find(str(chosen.benchmark)), comparison, chosen.items, chosen.seed))
    for name, answers in (
        ("heard once", [one.once for one in done]),
        ("the classifier plans", [one.by_classifier for one in done]),
        (f"{chosen.llm} plans", [one.by_llm for one in done]),
    ):
        num = sum(is_right(answer, one.right) for answer, one in zip(answers, done, strict=True))
        print(f"{name}: {num} of {len(done)} right")
    print(dict(Counter(_format_plan(plan) for one in done for plan in list_plans(one.by_llm)).most_common()))
    tokens = sum(one.by_llm.usage.completion_tokens - one.by_classifier.usage.completion_tokens for one in done)
    print(
        f"{tokens / len(done):.0f} tokens written and {sum(one.llm_s for one in done) / len(done):.1f} CPU s a question"
    )


if __name__ == "__main__":
    main()
