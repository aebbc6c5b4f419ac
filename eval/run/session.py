"""One `earwitness eval run`: from what was asked for to a finished run folder.

The run itself is a first pass over the benchmark; each control is one more, in a folder of its own below it.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, ParamSpec

from agents.models import LocalModels, ModelNames, ModelPool
from agents.reading.calibration import FILE_NAME, CalibrationFile, ModelCalibration
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark
from eval.benchmarks.fields import parse_fields
from eval.run.control_scores import CONTROLS_FOLDER, score_controls
from eval.run.controls import CONTROLS, ControlSampling
from eval.run.driver import Driver
from eval.run.judging import judge_replies, score_judges
from eval.run.plan import Plan, plan_repeat, plan_run
from eval.run.progress import open_watcher
from eval.run.request import RunRequest, ServedModel, name_run_folder
from eval.scoring.calibration import calibrate
from eval.scoring.scoring import RunSummary, Verdict, summarise
from eval.scoring.temperatures import Subject, fit_calibration
from eval.store.judgements import read_judges
from eval.store.provenance import describe_environment
from eval.store.records import ModelUse, Prediction, RunOptions, RunRecord
from eval.store.run_folder import RunFolder, open_run, refuse_other, require_record, write_summary
from eval.store.stored import read_predictions
from eval.store.submission import write_submission
from eval.variation.repeats import REPEATS_FOLDER, score_repeats
from services.catalog import EMBEDDED_LLMS, REPLY_TOKENS, THINKING_TOKENS, open_llm, pick
from services.digest import hash_modules
from services.errors import BadConfig
from services.extensions.registry import include_files
from services.files import write_atomic
from services.protocols import LLM, Answerer
from services.terminal.counts import format_count
from services.terminal.interruption import raise_on_interrupt
from services.types import SCHEMA_VERSION, PathName, Sampling

PROMPTS = (
    "agents",
    "eval.benchmarks.wording",
    "eval.scoring.error_rates",
    "eval.scoring.exact_sets",
    "eval.scoring.instructions",
    "eval.scoring.mmau_pro",
    "eval.scoring.reading",
    "eval.scoring.rules",
    "lalm.model.template",
    "lalm.prompting",
    "lalm.runtimes",
    "lalm.statements",
    "services.audio.remarks",
    "services.captioners.music.families",
    "services.captioners.music.notes",
    "services.captioners.naming",
    "services.captioners.sounds.meanings",
    "services.captioners.sounds.mentions",
    "services.captioners.sounds.sounds",
    "services.captioners.sounds.vocabulary",
    "services.llms.openai_server",
    "services.longform",
    "services.measurement",
    "services.number_words",
    "services.questions",
    "services.sentences",
)
"""What decides the words that models read, how replies are read, and the route to an answer."""
ANSWERING_ROLES: Mapping[PathName, str] = {"text": "llm", "cascade": "llm", "lalm": "lalm", "informed": "lalm"}
"""Path -> role of the one model whose probabilities it gives."""


Parameters = ParamSpec("Parameters")


class Outcome(NamedTuple):
    """Result of a session."""

    folder: Path
    summary: RunSummary
    num_items: int
    """Of the whole run; the summary counts fewer if it was interrupted."""
    is_complete: bool
    """Whether the run and the controls that were asked for are finished."""
    lost: str | None
    """Why the run folder lacks some of what is finished, such as a full disk; None: it holds all."""
    calibration: ModelCalibration | None = None
    """Of the model that answered, fitted on this run; None where there is nothing to fit, or the run goes on."""


def run(request: RunRequest, pool: ModelPool | None = None) -> Outcome:
    """Ask what is not yet finished and score the whole; Ctrl-C ends it early with what there is.

    `pool` holds models that other runs of this process have open.
    """
    include_files(request.include)
    options = request.resolve_options()
    session = _RunSession(request, pool or ModelPool())
    benchmark = session.load_benchmark(options)
    main = plan_run(benchmark, options)
    controls = {name: _plan_control(name, main, request) for name in request.controls}
    out = request.out or name_run_folder(options)
    refuse_other(out, session.make_record(main))
    session.open_judges()
    verdicts, is_complete, lost = session.run_pass(main, out)
    if request.judges and is_complete and lost is None:
        is_complete = session.judge(out)
        verdicts = [prediction.verdict for prediction in read_predictions(out)]
    is_finished = is_complete and lost is None
    passes = [partial(session.run_pass, plan, out / CONTROLS_FOLDER / name) for name, plan in controls.items()]
    passes += [partial(session.repeat, main, number, out) for number in range(2, request.repeats + 1)]
    if passes and is_finished:
        lost = _try_writing(write_summary, out, _build_summary(out, verdicts, session, is_finished=True))
        for ask in passes:
            done = ask()
            is_complete, lost = done.is_complete, lost or done.lost
            if not is_complete:  # interrupted: the next passes are not begun
                break
    summary = _build_summary(out, verdicts, session, is_finished=is_finished)
    if is_complete:
        session.close()
    if is_complete and lost is None:
        lost = _try_writing(write_summary, out, summary) or _try_writing(write_submission, benchmark, out)
    calibration = _calibrate_model(out, verdicts) if is_complete and lost is None else None
    if calibration:
        written = CalibrationFile(models=(calibration,)).model_dump_json(indent=1)
        lost = _try_writing(write_atomic, out / FILE_NAME, written)
    return Outcome(out, summary, len(benchmark.items), is_complete, lost, calibration)


def _try_writing(
    write: Callable[Parameters, object], *arguments: Parameters.args, **named: Parameters.kwargs
) -> str | None:
    """Write a file; return why that failed, such as a full disk, or None."""
    try:
        write(*arguments, **named)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _calibrate_model(out: Path, verdicts: Collection[Verdict]) -> ModelCalibration | None:
    """Fit temperatures of the one model whose probabilities a run holds."""
    record = require_record(out)
    path = next((name for name in ANSWERING_ROLES if name == record.options.path), None)
    used = next((model for model in record.models if path and model.role == ANSWERING_ROLES[path]), None)
    if path is None or used is None:
        return None
    questions = (
        f"{format_count(len(verdicts), 'question')} of {record.options.benchmark}; held-out figures by two halves"
    )
    subject = Subject(used.name, used.revision, path, questions)
    return fit_calibration(verdicts, subject)


class _BenchmarkPass(NamedTuple):
    """One pass over a benchmark."""

    verdicts: Collection[Verdict]
    is_complete: bool
    lost: str | None
    """Why its folder lacks some of it; None: it holds all."""


class _RunSession:
    """What the passes of one command share: the event loop and the models that are open."""

    def __init__(self, request: RunRequest, pool: ModelPool) -> None:
        self.request = request
        self._pool = pool
        self._runner = asyncio.Runner()
        self._environment = describe_environment()
        self._judges: list[LLM] = []
        self._kept: list[Answerer] = []  # until the loop ends, which closes their connections
        self.reads_order = True
        """Whether the order of the options can matter to the models of the last pass but the controls'."""

    def load_benchmark(self, options: RunOptions) -> Benchmark:
        """Load the benchmark; an LLM that cannot run here is reported before a missing file."""
        request = self.request
        try:
            fields = parse_fields(request.fields) if request.fields else None
            whole = find(request.bench, request.audio_root, fields)
            found = whole.take_first(request.limit).sample(request.sample, request.seed)
        except BadConfig:
            if options.llm not in {None, *EMBEDDED_LLMS}:
                self._choose_models(options).open_llm()
            raise
        found = found.include_open() if request.judges else found
        found.require_askable()
        return found

    def open_judges(self) -> None:
        """Open the judges, before anything is asked: one that cannot be opened is told at once."""
        request = self.request
        self._judges = [open_llm(*ServedModel.read(judge, request.judge_url)) for judge in request.judges]
        names = [judge.name for judge in self._judges]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise BadConfig(
                f"Two judges are called {repeated!r}, and their judgements are kept by name: leave one out."
            )

    def judge(self, out: Path) -> bool:
        """Have the judges score the open answers that they have not scored yet; return whether that came to its end."""
        predictions = list(read_predictions(out))
        waiting = [one.model_copy(update={"failed": None}) if one.response else one for one in predictions]
        try:
            with raise_on_interrupt():
                self._runner.run(judge_replies(out, waiting, self._judges, self.request.concurrency))
        except KeyboardInterrupt:
            return False
        return True

    def repeat(self, main: Plan, number: int, run_folder: Path) -> _BenchmarkPass:
        """Ask everything once more; open answers are judged as those of the run itself."""
        out = run_folder / REPEATS_FOLDER / str(number)
        done = self.run_pass(plan_repeat(main, number), out)
        if not (self.request.judges and done.is_complete and done.lost is None):
            return done
        return done._replace(is_complete=self.judge(out))

    def run_pass(self, plan: Plan, out: Path) -> _BenchmarkPass:
        """Ask the items of a plan that its folder does not hold yet."""
        models = self._choose_models(plan.options)
        answerer = plan.build(models)
        if not plan.options.temperature or plan.options.llm not in EMBEDDED_LLMS:  # those hold weights, each its own
            self._kept.append(answerer)
        if plan.options.control is None:
            self.reads_order = _reads_order(models)
        if plan.hears and self.request.missing == "fail":
            plan.benchmark.require_audio()
        record = self.make_record(plan).model_copy(update={"models": _list_uses(plan, models)})
        with open_run(out, record, retry_failed=self.request.retry_failed) as folder:
            driver = Driver(
                answerer,
                plan.benchmark,
                hears=plan.hears,
                clock_s=folder.clock_s,
                leaves_out=_find_left_out(plan.options),
                explains=plan.options.explains and plan.options.control is None,
            )
            self._ask(driver, plan, folder)
            is_complete = len(folder.verdicts) == len(plan.benchmark.items)
            lost = folder.lost
            if is_complete and (plan.options.control or plan.options.repeat > 1) and lost is None:
                lost = _try_writing(write_summary, out, summarise(folder.verdicts.values()))
            return _BenchmarkPass(folder.verdicts.values(), is_complete, lost)

    def make_record(self, plan: Plan) -> RunRecord:
        """Return what decides the numbers of a pass, models apart."""
        return RunRecord(
            schema_version=SCHEMA_VERSION,
            options=plan.options,
            benchmark_file=str(plan.benchmark.file.resolve()),
            benchmark_sha256=plan.benchmark.sha256,
            prompts_sha256=hash_prompts(),
            environments=(self._environment,),
        )

    def close(self) -> None:
        """End the event loop, and with it the connections to servers."""
        self._runner.close()

    def _choose_models(self, options: RunOptions) -> LocalModels:
        names = ModelNames(**options.model_dump(include=set(ModelNames.model_fields), exclude_none=True))
        if not options.temperature:
            return LocalModels(names, self._pool)
        from eval.variation.sampled import SampledModels

        most = REPLY_TOKENS if options.llm in EMBEDDED_LLMS else THINKING_TOKENS
        sampling = Sampling(temperature=options.temperature, max_tokens=most, seed=options.repeat_seed)
        return SampledModels(names, sampling, self._pool)

    def _ask(self, driver: Driver, plan: Plan, folder: RunFolder) -> None:
        waiting = [item for item in plan.benchmark.items if item.id not in folder.verdicts]
        with open_watcher(len(plan.benchmark.items), folder.verdicts.values(), _name_pass(plan.options)) as watcher:

            def keep(prediction: Prediction) -> None:
                """Write a prediction to disk, and tell the watcher."""
                was_kept = folder.lost is None
                folder.append(prediction)
                watcher.add(prediction)
                if was_kept and folder.lost:
                    watcher.say(f"Answers from here on are not kept: {folder.lost}.")

            if (
                plan.options.control is None
                and plan.options.repeat == 1
                and (fields := plan.benchmark.describe_fields())
            ):
                watcher.say(fields)
            if plan.hears and self.request.missing == "skip" and (missing := plan.benchmark.describe_missing_audio()):
                watcher.say(f"{missing} They count as failed (--missing skip).")
            try:
                with raise_on_interrupt():
                    self._runner.run(driver.ask(waiting, self.request.concurrency, keep))
            except KeyboardInterrupt:
                # The loop is not closed: that would wait, perhaps a minute, for models busy in their threads.
                watcher.say("Interrupted.")


def _name_pass(options: RunOptions) -> str:
    return options.control or (f"repeat {options.repeat}" if options.repeat > 1 else "")


def _find_left_out(options: RunOptions) -> str | None:
    """Return what the raw replies to a form of others are scored without; None where the form is ours."""
    if options.prompt_form is None:
        return None
    from eval.variation.prompt_forms import read_prompt_form

    return read_prompt_form(options.prompt_form).leaves_out


def _reads_order(models: LocalModels) -> bool:
    """Whether a model that reads options was opened to which their order can matter, or none that we know."""
    styles = [style for model in models.opened.values() if (style := getattr(model, "style", None))]
    return not styles or any(style.scores == "letters" for style in styles)


def _plan_control(name: str, main: Plan, request: RunRequest) -> Plan:
    # No judge scores those without options, and controls compare options; replies that rules score have none.
    closed = tuple(item for item in main.benchmark.items if not item.rule and (item.choices or not request.judges))
    if not closed:
        raise BadConfig(f"Control {name!r} compares options, and no question of {main.benchmark.name} shows any.")
    main = main._replace(benchmark=main.benchmark.model_copy(update={"items": closed}))
    plan = pick(CONTROLS, "control", name)(
        main, ControlSampling(request.seed, request.num_probed, request.missing == "skip")
    )
    return plan._replace(options=plan.options.model_copy(update={"control": name}))


def _build_summary(out: Path, verdicts: Collection[Verdict], session: _RunSession, *, is_finished: bool) -> RunSummary:
    summary, request = summarise(verdicts), session.request
    price, draws = request.price, request.temperature is not None
    added: dict[str, object] = {
        "cost_usd": price
        and price.compute_cost(prompt_tokens=summary.prompt_tokens, completion_tokens=summary.completion_tokens),
        "controls": score_controls(out),
        "calibration": calibrate(verdicts, request.abstain),
        "repeats": score_repeats(out, draws=draws, reads_order=session.reads_order) if is_finished else None,
    }
    if request.judges:
        added["judges"], added["judge_kappa"] = score_judges(out, read_judges(out))
    return summary.model_copy(update=added)


def _list_uses(plan: Plan, models: LocalModels) -> tuple[ModelUse, ...]:
    if plan.options.server is not None:
        return (ModelUse(role="server", name=plan.options.server, revision="served"),)
    return list_opened(models)


def list_opened(models: LocalModels) -> tuple[ModelUse, ...]:
    """Return the models that a pass has opened, with their revisions."""
    opened = models.opened.items()
    return tuple(ModelUse(role=role, name=model.name, revision=model.revision) for role, model in opened)


@cache
def hash_prompts() -> str:
    """Return the digest of the code that decides the words that models read, and how replies are read."""
    return hash_modules(*PROMPTS)
