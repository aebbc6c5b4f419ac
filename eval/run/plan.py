"""Plan of one pass over a benchmark: the items, the path and the models."""

from pathlib import Path
from typing import NamedTuple

from agents.paths import TEXT_ONLY, Build, make_builder
from agents.reading.calibration import read_calibrations
from eval.benchmarks.benchmark import Benchmark
from eval.store.records import RunOptions
from eval.variation.repeats import shuffle_all


class Plan(NamedTuple):
    """What is asked, and who answers; a control is a changed plan."""

    benchmark: Benchmark
    options: RunOptions
    hears: bool
    """Whether clips are opened for it."""
    build: Build

    @property
    def is_local(self) -> bool:
        """Whether the models are opened in this process."""
        return self.options.server is None


def plan_run(benchmark: Benchmark, options: RunOptions) -> Plan:
    """Plan the run itself."""
    return Plan(benchmark, options, hears=options.path not in TEXT_ONLY, build=select_builder(options))


def plan_repeat(main: Plan, number: int) -> Plan:
    """Plan the repeat of that number; the first is the run itself."""
    options = main.options.model_copy(update={"repeat": number})
    benchmark = main.benchmark if options.temperature else shuffle_all(main.benchmark, options.repeat_seed)
    return main._replace(benchmark=benchmark, options=options, build=select_builder(options))


def select_builder(options: RunOptions) -> Build:
    """Return what builds the answerer of a path, here or on a running service."""
    if options.prompt_form is not None:
        from eval.variation.prompt_forms import build_formed

        return build_formed(options)
    if options.server is None:
        return make_builder(
            options.path,
            budget=options.budget,
            summary=options.summary,
            planner=options.planner,
            rotations=options.rotations,
            router=Path(options.router) if options.router else None,
            calibration=read_calibrations(Path(options.calibration)) if options.calibration else None,
        )
    from eval.run.remote import RemoteAnswerer

    server, path = options.server, options.path
    return lambda _: RemoteAnswerer(server, path)
