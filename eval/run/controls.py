"""Controls: ablations that show guessing without audio, and position and length bias.

no-audio           the LLM alone reads the question: what can be guessed without hearing
transcript-only    the cascade with nothing but the ASR: what words alone give away
shuffled-captions  the cascade reads captions and transcript of another clip: does it use them at all
constant-first     always the first option; no model is asked
longest            always the longest option; no model is asked
shuffled-options   the options of each item in a random order: is there a position bias
paraphrase         each question in other words that leave its answer as it is: how many answers change
circular           every rotation of the options; an item is right only if all are (CircularEval of MMBench,
                   Liu et al. 2023, arXiv:2307.06281), and consistent if all choose the same option
swapped-audio      some items with another item's clip: how many answers change
silent-audio       some items, on path lalm all, with silence as long as their clip: how many answers change
"""

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from eval.benchmarks.benchmark import Benchmark, Item
from eval.run.plan import Plan, select_builder
from eval.store.records import RunOptions
from eval.variation.paraphrase import paraphrase, read_wordings
from eval.variation.repeats import shuffle_all
from services.errors import BadConfig
from services.protocols import Answerer
from services.types import Answer, AudioClip, Choice, Question, TraceStep

ROTATION = "#rotation"  # joins an item's id with the number of its rotation


class ControlSampling(NamedTuple):
    """Seed and sample size of the controls."""

    seed: int
    num_probed: int | None
    """Items that the two probes of the audio ask; None: all."""
    skips_missing: bool = False
    """Whether items without their clip count as failed instead of ending the run; no other item hears such a clip."""


Control: TypeAlias = Callable[[Plan, ControlSampling], Plan]
ControlRule: TypeAlias = Callable[[tuple[Choice, ...]], Choice]


def _drop_audio(plan: Plan, _: ControlSampling) -> Plan:
    _needs_hearing(plan, "no-audio")
    if plan.options.llm is None and plan.is_local:
        raise BadConfig("Control 'no-audio' needs the LLM to ask alone: name it with --llm.")
    options = _keep_options(
        plan.options,
        *("benchmark", "llm", "llm_url", "server", "limit", "sample", "seed", "rotations"),
        *("temperature", "prompt_form", "prompt_form_sha256"),
    )
    return plan._replace(options=options, hears=False, build=select_builder(options))


def _keep_transcript(plan: Plan, _: ControlSampling) -> Plan:
    _needs_path(plan, "transcript-only", "cascade")
    if not plan.is_local:
        raise BadConfig("Control 'transcript-only' chooses the captioner, which --server has chosen already.")
    return plan._replace(options=plan.options.model_copy(update={"captioner": "transcript"}))


def _shuffle_captions(plan: Plan, draw: ControlSampling) -> Plan:
    _needs_path(plan, "shuffled-captions", "cascade")
    return plan._replace(benchmark=_with_other_clips(plan.benchmark, draw))


def _swap_audio(plan: Plan, draw: ControlSampling) -> Plan:
    _needs_hearing(plan, "swapped-audio")
    return plan._replace(benchmark=_draw_items(_with_other_clips(plan.benchmark, draw), draw))


def _silence_audio(plan: Plan, draw: ControlSampling) -> Plan:
    _needs_hearing(plan, "silent-audio")
    build = plan.build
    is_whole = plan.options.path == "lalm"  # what a LALM answers in front of silence is the floor of its score
    benchmark = plan.benchmark if is_whole else _draw_items(plan.benchmark, draw)
    return plan._replace(benchmark=benchmark, build=lambda models: SilencedAnswerer(build(models)))


def _choose_first(plan: Plan, _: ControlSampling) -> Plan:
    return _choose_by_rule(plan, lambda choices: choices[0])


def _choose_longest(plan: Plan, _: ControlSampling) -> Plan:
    return _choose_by_rule(plan, lambda choices: max(choices, key=_count_chars))


def _choose_by_rule(plan: Plan, rule: ControlRule) -> Plan:
    options = _keep_options(plan.options, "benchmark", "limit", "sample", "seed")
    return plan._replace(options=options, hears=False, build=lambda _: RuleAnswerer(rule))


def _shuffle_options(plan: Plan, draw: ControlSampling) -> Plan:
    return plan._replace(benchmark=shuffle_all(plan.benchmark, draw.seed))


def _paraphrase(plan: Plan, draw: ControlSampling) -> Plan:
    wordings = read_wordings()
    options = plan.options.model_copy(update={"wording": wordings.version})
    items = [paraphrase(item, wordings, draw.seed) for item in plan.benchmark.items]
    return plan._replace(benchmark=_with_items(plan.benchmark, items), options=options)


def _rotate_options(plan: Plan, _: ControlSampling) -> Plan:
    rotated = [
        item.model_copy(
            update={"id": f"{item.id}{ROTATION}{by}", "choices": item.choices[by:] + item.choices[:by]},
        )
        for item in plan.benchmark.items
        for by in range(len(item.choices))
    ]
    return plan._replace(benchmark=_with_items(plan.benchmark, rotated))


CONTROLS: Mapping[str, Control] = {
    "no-audio": _drop_audio,
    "transcript-only": _keep_transcript,
    "shuffled-captions": _shuffle_captions,
    "constant-first": _choose_first,
    "longest": _choose_longest,
    "shuffled-options": _shuffle_options,
    "paraphrase": _paraphrase,
    "circular": _rotate_options,
    "swapped-audio": _swap_audio,
    "silent-audio": _silence_audio,
}
ASK_NO_MODEL = frozenset({"constant-first", "longest"})


RULED = TraceStep(step="rule", text="a rule over the options")


class RuleAnswerer:
    """Answers by a rule over the options; asks no model."""

    def __init__(self, rule: ControlRule) -> None:
        self._rule = rule

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:  # noqa: ARG002
        """Choose by the rule, without hearing or reading."""
        choice = self._rule(question.choices)
        return Answer(question_id=question.id, reply=choice.letter, choice=choice, path="text", trace=(RULED,))


class SilencedAnswerer:
    """Lets another answerer hear silence instead of the clips."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Ask the answerer about silence of the length of each clip."""
        return await self._answerer.answer(question, *(AudioClip(clip.samples * 0) for clip in clips))


def _keep_options(options: RunOptions, *kept: str) -> RunOptions:
    """Return the options of a pass over the same benchmark that hears nothing."""
    return RunOptions(**options.model_dump(include=set(kept)), path="text")


def _count_chars(choice: Choice) -> int:
    return len(choice.text)


def _with_items(benchmark: Benchmark, items: list[Item]) -> Benchmark:
    return benchmark.model_copy(update={"items": tuple(items)})


def _with_other_clips(benchmark: Benchmark, draw: ControlSampling) -> Benchmark:
    """Give each item clips of others and none of its own; items about the same one share the same other one.

    Items whose own clip may be missing and is (`--missing skip`) stay as they are, and their clips are given to none.
    """
    lacking = {item.id for item in benchmark.find_lacking_audio()} if draw.skips_missing else set[str]()
    clips = sorted({clip for item in benchmark.items if item.id not in lacking for clip in item.audio})
    if len(clips) < 2:
        raise BadConfig("All items are about one clip; swapping clips takes at least two.")
    random.Random(draw.seed).shuffle(clips)  # noqa: S311 - nothing secret
    places = {clip: place for place, clip in enumerate(clips)}
    items = [
        item if item.id in lacking else item.model_copy(update={"audio": _swap_clips(item, clips, places)})
        for item in benchmark.items
    ]
    return _with_items(benchmark, items)


def _swap_clips(item: Item, clips: list[str], places: Mapping[str, int]) -> tuple[str, ...]:
    """Return for each clip of an item the next one that is none of its own; of these, one twice only for want of more.

    `places` are those of the clips in `clips`, which go round.
    """
    if set(item.audio) >= places.keys():
        raise BadConfig(f"Item {item.id!r} is about every clip there is; swapping clips takes one of another item.")
    other = dict[str, str]()
    for clip in dict.fromkeys(item.audio):
        after = (clips[(places[clip] + by) % len(clips)] for by in range(1, len(clips)))
        foreign = [one for one in after if one not in item.audio] if len(item.audio) > 1 else [next(after)]
        other[clip] = next((one for one in foreign if one not in other.values()), foreign[0])
    return tuple(other[clip] for clip in item.audio)


def _draw_items(benchmark: Benchmark, draw: ControlSampling) -> Benchmark:
    """Keep a random few of the items, in their order."""
    num = len(benchmark.items)
    drawn = random.Random(draw.seed).sample(range(num), min(draw.num_probed or num, num))  # noqa: S311
    return _with_items(benchmark, [benchmark.items[number] for number in sorted(drawn)])


def _needs_hearing(plan: Plan, control: str) -> None:
    if not plan.hears:
        raise BadConfig(f"Control {control!r} changes what is heard, and path {plan.options.path!r} hears nothing.")


def _needs_path(plan: Plan, control: str, path: str) -> None:
    if plan.options.path != path:
        raise BadConfig(f"Control {control!r} belongs to path {path!r}, not to {plan.options.path!r}.")
