"""Self-distillation (stage 1): the backbone replies to prompts about clips described in words; writes JSON lines.

    python -m lalm.distill lalm/configs/distill-tiny.yaml

The backbone reads a description in place of the clip, and its own replies become the training targets
(DeSTA2.5-Audio, arXiv:2507.02768, section 3). Next to the output are NAME.replies.jsonl (journal of all replies, from
which the same command resumes), NAME.dropped.jsonl (filtered replies with the reason) and NAME.summary.json (counts).
"""

import asyncio
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lalm.distill.config import DistillConfig
from lalm.distill.description import describe_clip
from lalm.distill.filtering.filters import BackboneReply, find_fault
from lalm.distill.filtering.truth import AskedQuestion, contradicts
from lalm.distill.forms import FORMS, FormName, build_form_content, build_form_messages, build_form_prompt
from lalm.distill.journal import Journal, hash_prompt
from lalm.distill.metadata import Metadata, filter_by_licence, read_metadata
from lalm.distill.prompt_pool import REPHRASE, SYSTEM, PoolPrompt, fill_prompt, load_pool
from lalm.distill.targets import TargetWriter, build_turns
from lalm.messages import ChatTurn, Conversation
from lalm.prompting import insert_audio
from services.catalog import open_llm
from services.errors import BadConfig
from services.files import find_file
from services.json_lines import write_lines
from services.progress import report_stage
from services.protocols import LLM
from services.terminal.command import INTERRUPTED, RecipeArguments, run_recipe
from services.terminal.display import show_progress
from services.terminal.interruption import raise_on_interrupt
from services.types import Message, Value
from services.yaml_file import read_config

REPLIES, DROPPED, SUMMARY = ".replies.jsonl", ".dropped.jsonl", ".summary.json"  # suffixes of the other files


class PlannedPrompt(NamedTuple):
    """One prompt about one clip, to be sent to the backbone."""

    row: Metadata
    prompt: PoolPrompt
    text: str
    """Text of the prompt, its question filled in."""
    is_prompt_first: bool
    asked: AskedQuestion | None = None
    """The question in it whose answer is known, if it has one."""
    form: FormName = "instruct"


class DroppedReply(Value):
    """A filtered reply, with the reason."""

    reason: str
    id: str
    prompt_id: str
    prompt: str
    response: str


class DistillSummary(Value):
    """Counts of a distillation."""

    clips: int
    """Clips with an accepted licence and an existing file."""
    clips_without_audio: int
    clips_without_licence: int
    """Clips whose licence is excluded (`drop_licences`)."""
    metadata_rows: int
    replies: int
    """Replies of the backbone so far."""
    replies_wanted: int
    distilled_rows: int
    dropped: dict[str, int]
    """Reason -> number of replies."""
    prompt_pool: str
    """Version of the prompt pool."""
    backbone: str
    backbone_revision: str


def distill(config: DistillConfig, root: Path) -> DistillSummary:
    """Run or resume a distillation; paths in `config` start from `root`. Ctrl-C writes the replies so far.

    Raises:
        BadConfig: metadata, output or journal cannot be used, or no clip is left.
        ModelError: the backbone cannot be opened.
    """
    # 1. Read the metadata of the clips
    file, output = root / config.metadata, root / config.output
    _check_output(file, output)
    described = read_metadata(file)
    known = filter_by_licence(described, config.drop_licences)
    rows = [row for row in known if find_file(file.parent, row.audio).is_file()]
    if not rows:
        raise BadConfig(
            f"No clip is left of '{file}': {len(known)} of its {len(described)} rows have a licence that is kept, "
            "and of those none a file."
        )
    # 2. Plan the prompts
    writer = TargetWriter(rows)
    asks = plan_prompts(rows, writer, config) if "distilled" in config.targets else []
    # 3. Collect the replies of the backbone, after those of an earlier run
    _make_folder(output.parent)
    llm = open_llm(config.backbone, config.llm_url, config.sampling) if asks else None
    replies: list[BackboneReply] = []
    if llm is not None:
        with Journal(output.with_suffix(REPLIES), config.compute_fingerprint(llm.revision)) as journal:
            replies = collect_replies(llm, asks, journal, config)
    # 4. Filter, and write the training rows
    rounds = config.metadata_rounds if "metadata" in config.targets else 0
    metadata_rows = [one for row in rows for turn in range(rounds) for one in _draw_metadata_rows(writer, row, turn)]
    kept, dropped = filter_replies(asks, replies, config, llm)
    write_lines(output, (one.to_line() for one in (*metadata_rows, *kept)))
    write_lines(output.with_suffix(DROPPED), (one.model_dump_json() + "\n" for one in dropped))
    summary = DistillSummary(
        clips=len(rows),
        clips_without_audio=len(known) - len(rows),
        clips_without_licence=len(described) - len(known),
        metadata_rows=len(metadata_rows),
        replies=len(replies),
        replies_wanted=len(asks),
        distilled_rows=len(kept),
        dropped=dict(Counter(one.reason for one in dropped).most_common()),
        prompt_pool=load_pool().version,
        backbone=config.backbone if llm else "",
        backbone_revision=llm.revision if llm else "",
    )
    write_lines(output.with_suffix(SUMMARY), [summary.model_dump_json(indent=1) + "\n"])
    return summary


def plan_prompts(rows: Sequence[Metadata], writer: TargetWriter, config: DistillConfig) -> list[PlannedPrompt]:
    """Plan the prompts in rounds of one a clip, so that an interrupted run covers all kinds of clips."""
    if config.form != "instruct":
        prompt = build_form_prompt(config.form)
        known = [row for row in rows if FORMS[config.form].read(row)]
        planned = [PlannedPrompt(row, prompt, prompt.text, is_prompt_first=True, form=config.form) for row in known]
        return _sort_into_batches(planned, 0, config.concurrency, _make_rng(config.sampling.seed, "order", 0))
    pool = load_pool()
    asks: list[PlannedPrompt] = []
    for turn in range(config.prompts_per_clip):
        drawn = []
        for row in rows:
            rng = _make_rng(config.sampling.seed, row.id, "ask", turn)
            prompt = pool.draw(config.styles, rng)
            filled = fill_prompt(prompt, row, writer, rng)
            is_first = rng.random() < config.prompt_first
            drawn.append(PlannedPrompt(row, prompt, filled.text, is_first, filled.asked))
        begun = -len(asks) % config.concurrency  # free places in the last batch of the round before
        asks += _sort_into_batches(drawn, begun, config.concurrency, _make_rng(config.sampling.seed, "order", turn))
    return asks


def _sort_into_batches(asks: Sequence[PlannedPrompt], begun: int, size: int, rng: random.Random) -> list[PlannedPrompt]:
    """Batch prompts of similar length, as a batch is padded to its longest, and shuffle the batches."""
    ordered = sorted(asks, key=lambda ask: sum(len(message.content) for message in _build_messages(ask)))
    batches = [ordered[start : start + size] for start in range(begun, len(ordered), size)]
    whole = [batch for batch in batches if len(batch) == size]
    rest = [batch for batch in batches if len(batch) < size]
    return [*ordered[:begun], *(ask for batch in [*rng.sample(whole, len(whole)), *rest] for ask in batch)]


def collect_replies(
    llm: LLM, asks: Sequence[PlannedPrompt], journal: Journal, config: DistillConfig
) -> list[BackboneReply]:
    """Return the reply to every prompt, or to the first ones after Ctrl-C."""
    with (
        asyncio.Runner() as runner,
        report_stage(f"ask {llm.name}", len(asks), "replies") as running,
        raise_on_interrupt(),
    ):
        asked = [hash_prompt(_build_messages(ask)) for ask in asks]
        replies = journal.read_replies(asked, batch=config.concurrency)
        running.advance_to(len(replies))
        try:
            for start in range(len(replies), len(asks), config.concurrency):
                part = slice(start, start + config.concurrency)
                batch = runner.run(_complete_batch(llm, asks[part], rephrase=config.rephrase))
                journal.append(asked[part], batch)
                replies.extend(batch)
                running.advance_to(len(replies))
        except KeyboardInterrupt:
            return replies
    return replies


async def _complete_batch(llm: LLM, asks: Sequence[PlannedPrompt], *, rephrase: bool) -> list[BackboneReply]:
    first = [_build_messages(ask) for ask in asks]
    readings = await asyncio.gather(*map(llm.complete, first))
    if rephrase:
        said = [
            (Message(role="assistant", content=one.reply), Message(role="user", content=REPHRASE)) for one in readings
        ]
        again = [(*asked, *more) for asked, more in zip(first, said, strict=True)]
        readings = await asyncio.gather(*map(llm.complete, again))
    return [BackboneReply(text=reading.reply, is_finished=reading.is_finished) for reading in readings]


def _build_messages(ask: PlannedPrompt) -> tuple[Message, ...]:
    if ask.form != "instruct":
        return build_form_messages(ask.form, FORMS[ask.form].read(ask.row))
    content = insert_audio(ask.text, describe_clip(ask.row), prompt_first=ask.is_prompt_first)
    return (Message(role="system", content=SYSTEM), Message(role="user", content=content))


def _build_row_turns(ask: PlannedPrompt) -> tuple[ChatTurn, ...]:
    """Build the turns of a training row: those that the backbone read, with the clip in place of the text."""
    if ask.form != "instruct":
        return build_turns(ask.row, build_form_content(ask.form))[1:]
    return build_turns(ask.row, insert_audio(ask.text, prompt_first=ask.is_prompt_first), SYSTEM)


class FilteredReplies(NamedTuple):
    """Training rows of kept replies, and the dropped replies."""

    kept: list[Conversation]
    dropped: list[DroppedReply]


def filter_replies(
    asks: Sequence[PlannedPrompt], replies: Sequence[BackboneReply], config: DistillConfig, llm: LLM | None
) -> FilteredReplies:
    """Apply the quality filters to the replies."""
    kept: list[Conversation] = []
    dropped: list[DroppedReply] = []
    earlier: dict[str, list[str]] = defaultdict(list)
    for ask, reply in zip(asks, replies, strict=False):
        assert llm is not None
        reason = find_fault(reply, earlier=earlier[ask.row.id], in_english=ask.prompt.replies_in_english)
        if reason is None and ask.asked is not None and contradicts(reply.text, ask.asked):
            reason = "contradiction"
        if reason is not None:
            record = {"id": ask.row.id, "prompt_id": ask.prompt.id, "prompt": ask.text, "response": reply.text}
            dropped.append(DroppedReply(reason=reason, **record))
            continue
        earlier[ask.row.id].append(reply.text)
        kept.append(
            Conversation(
                messages=_build_row_turns(ask),
                response=reply.text.strip(),
                id=ask.row.id,
                dataset=", ".join(ask.row.sources),
                recordings=ask.row.recordings,
                labels=ask.row.labels,
                seed_description=describe_clip(ask.row),
                prompt=ask.text,
                prompt_id=ask.prompt.id,
                style=ask.prompt.style,
                backbone=llm.name,
                backbone_revision=llm.revision,
                sampling=config.sampling,
                seed=config.sampling.seed,
            )
        )
    return FilteredReplies(kept, dropped)


def _draw_metadata_rows(writer: TargetWriter, row: Metadata, turn: int) -> list[Conversation]:
    return writer.write_rows(row, _make_rng(row.id, "metadata", turn))


def _make_rng(*of: str | int) -> random.Random:
    return random.Random(" ".join(map(str, of)))  # noqa: S311 - no secret


def _check_output(metadata: Path, output: Path) -> None:
    """Refuse an output that is a folder, or that would overwrite the metadata."""
    if not output.name or output.is_dir():
        raise BadConfig(f"output '{output}' is a folder: name a file, such as targets.jsonl.")
    for path in (output, *(output.with_suffix(end) for end in (REPLIES, DROPPED, SUMMARY))):
        if path.exists() and metadata.exists() and path.samefile(metadata):
            raise BadConfig(f"'{path}', which belongs to the output, is the metadata itself: name another output.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"The folder '{folder}' of the output cannot be made: {error.strerror}.") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, distil and print the counts; exit code 2 for an error that the user can fix."""
    return run_recipe("lalm.distill", __doc__, argv, _distill_and_print)


def _distill_and_print(arguments: RecipeArguments) -> int:
    path = arguments.config
    with show_progress(quiet=arguments.quiet):
        summary = distill(read_config(path, DistillConfig), path.parent)
    print(summary.model_dump_json(indent=1))  # noqa: T201 - command-line output
    if summary.replies == summary.replies_wanted:
        return 0
    kept = f"{summary.replies} of {summary.replies_wanted} replies are kept, and the same command asks for the rest"
    print(f"lalm.distill: interrupted; {kept}.", file=sys.stderr)  # noqa: T201
    return INTERRUPTED
