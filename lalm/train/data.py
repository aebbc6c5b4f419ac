"""Training data: tokenised rows, the split by recording, and the micro-batches (packed sequences) of each step.

The content of a step depends only on the seed and its number, so resuming needs no saved random state.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from lalm.messages import Conversation, MessageAudio
from lalm.model.packing import PackedGroup, PackedRow
from lalm.model.template import ChatTemplate, PromptClip, TokenIds
from lalm.train.config import BatchConfig
from services.errors import BadAudio, BadConfig


class TrainClip(NamedTuple):
    """A clip of the training data."""

    path: str
    """Path, as in the rows."""
    sha256: str
    num_segments: int
    transcript: str
    evidence: tuple[str, ...] = ()
    """Statements of the captioner, one line each."""
    silence: str = ""
    """SHA-256 of silence as long as the clip; empty where the training has no use for it."""

    @property
    def in_prompt(self) -> PromptClip:
        """The clip as the prompt represents it."""
        return PromptClip(self.num_segments, self.transcript, self.evidence)


class TrainExample(NamedTuple):
    """One training row: prompt and reply as token ids, and its clips."""

    row: PackedRow
    """With all text beside the clips."""
    clips: tuple[TrainClip, ...]
    source: str
    """Where the reply comes from: "distilled" by the backbone or from "metadata"."""
    recordings: tuple[str, ...] = ()
    """Recordings that the clips were cut or mixed from, where that is known."""
    pieces: tuple[TokenIds, ...] = ()
    """The prompt around the clips."""
    labels: tuple[str, ...] = ()
    """Names of what is heard in the clips, where they are known."""
    weight: float = 1.0
    """Average number of times that it is drawn per epoch."""

    @property
    def origins(self) -> set[str]:
        """Clips and recordings that a validation row must not share with a training row."""
        return {*self.recordings, *(clip.sha256 for clip in self.clips)}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Usable rows, and counts of those dropped."""

    examples: tuple[TrainExample, ...]
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> rows."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Reason -> what a row would need."""

    @property
    def num_clips(self) -> int:
        """Number of distinct clips."""
        return len({clip.sha256 for example in self.examples for clip in example.clips})

    def describe_dropped(self) -> str:
        """Describe how many rows were dropped, and why; empty where none was."""
        return "; ".join(
            f"{reason} {count}" + (f" ({self.details[reason].rstrip('.')})" if reason in self.details else "")
            for reason, count in sorted(self.dropped.items())
        )


def tokenise(
    conversations: Sequence[Conversation],
    template: ChatTemplate,
    find_clip: Callable[[MessageAudio], TrainClip | BadAudio],
    *,
    max_length: int,
    weights: Sequence[float] | None = None,
) -> Dataset:
    """Tokenise conversations, and drop the rows that cannot be trained on.

    Args:
        conversations: as read from the files.
        template: of the backbone.
        find_clip: audio of a row -> clip; the error where it cannot be used.
        max_length: tokens of prompt and reply; longer rows are dropped whole, never cut.
        weights: average number of times that each row is drawn per epoch; None: once.
    """
    dropped: Counter[str] = Counter()
    details: dict[str, str] = {}
    lengths: list[int] = []
    examples: list[TrainExample] = []
    for conversation, weight in zip(conversations, weights or [1.0] * len(conversations), strict=True):
        found = tuple(find_clip(audio) for audio in conversation.audios)
        heard = tuple(clip for clip in found if isinstance(clip, TrainClip))
        if not found:
            dropped["no audio"] += 1
        elif not conversation.response.strip():
            dropped["empty reply"] += 1
        elif len(heard) < len(found):
            dropped["unreadable clip"] += 1
            details.setdefault("unreadable clip", next(str(one) for one in found if isinstance(one, BadAudio)))
        else:
            pieces = template.split_prompt(conversation.turns)
            prompt = template.join_prompt(pieces, [clip.in_prompt for clip in heard])
            row = PackedRow(prompt, template.encode_reply(conversation.response))
            if (length := len(row.prompt) + len(row.reply)) > max_length:
                dropped["too long"] += 1
                lengths.append(length)
            else:
                origin = (conversation.source, conversation.recordings)
                examples.append(TrainExample(row, heard, *origin, pieces, conversation.labels, weight))
    if lengths:
        details["too long"] = f"data.max_length={max_length}; they take {min(lengths)} to {max(lengths)} tokens"
    return Dataset(tuple(examples), dropped, details)


def split_dataset(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split into training and validation by recording, without leakage: no clip or recording is on both sides.

    Raises:
        BadConfig: no row is left to train on.
    """
    clips = sorted({clip.sha256 for example in dataset.examples for clip in example.clips})
    random.Random(seed).shuffle(clips)  # noqa: S311 - no secret
    families = _find_families(dataset.examples)
    num_left, held = round(share * len(clips)), set[str]()
    for clip in clips:
        family = families[clip]
        size = len(family.intersection(clips))
        if clip not in held and size <= num_left:
            held |= family
            num_left -= size
    rest = [one for one in dataset.examples if not held & one.origins]
    back = [one for one in dataset.examples if held & one.origins]
    if not rest:
        raise BadConfig(f"No row is left to train on: {dataset.describe_dropped() or 'the files are empty'}.")
    return Dataset(tuple(rest), dataset.dropped, dataset.details), Dataset(tuple(back))


def _find_families(examples: Sequence[TrainExample]) -> Mapping[str, set[str]]:
    """Return the connected component of each clip and recording: all that rows link it with, itself included."""
    families: dict[str, set[str]] = {}
    for one in examples:
        joined = set().union(*(families.get(origin, {origin}) for origin in one.origins))
        families |= dict.fromkeys(joined, joined)
    return families


class MicroBatch(NamedTuple):
    """Content of one packed sequence, and its clips in the order of their audio embeddings."""

    groups: tuple[PackedGroup, ...]
    clips: tuple[TrainClip, ...]

    @property
    def num_rows(self) -> int:
        """Number of rows of all groups."""
        return sum(len(group.rows) for group in self.groups)

    @property
    def num_segments(self) -> int:
        """Number of audio segments."""
        return sum(clip.num_segments for clip in self.clips)

    @property
    def num_tokens(self) -> int:
        """Number of tokens that the backbone reads."""
        return sum(group.num_tokens - len(group.rows) for group in self.groups)

    @property
    def num_replied(self) -> int:
        """Number of reply tokens, which the loss is computed on."""
        return sum(len(row.reply) for group in self.groups for row in group.rows)


class ShownRows(NamedTuple):
    """Rows about the same clips as they are shown in an epoch, and those clips."""

    rows: tuple[PackedRow, ...]
    clips: tuple[TrainClip, ...]


ShowRows: TypeAlias = Callable[[Sequence[TrainExample], int, int], ShownRows]
"""Rows about the same clips, epoch, part -> rows as they are shown."""


def show_whole(examples: Sequence[TrainExample], _epoch: int, _part: int) -> ShownRows:
    """Show rows with all text beside their clips."""
    return ShownRows(tuple(one.row for one in examples), examples[0].clips)


class Sampler:
    """Yields the micro-batches of every epoch; `lalm/train/steps.py` makes steps of them.

    Args:
        dataset: rows.
        batch: packing and gradient accumulation.
        num_queries: audio embeddings of a segment.
        seed: of the order.
        show: returns rows as they are shown in an epoch.
    """

    def __init__(
        self, dataset: Dataset, batch: BatchConfig, *, num_queries: int, seed: int, show: ShowRows = show_whole
    ) -> None:
        self._batch, self._num_queries, self._seed, self._show = batch, num_queries, seed, show
        by_clips: Mapping[tuple[TrainClip, ...], list[TrainExample]] = defaultdict(list)
        for example in dataset.examples:
            by_clips[example.clips].append(example)
        self._by_clips = dict(by_clips)

    def draw_epoch(self, number: int) -> Iterator[MicroBatch]:
        """Yield the rows, each as often as its weight says, in an order that depends on the seed and the epoch."""
        rng = random.Random(f"{self._seed} {number}")  # noqa: S311 - no secret
        groups: list[tuple[PackedGroup, tuple[TrainClip, ...]]] = []
        for clips, rows in self._by_clips.items():
            drawn = [one for one in rows for _ in range(_count_draws(one, number, self._seed))]
            mixed = rng.sample(drawn, len(drawn))
            slots = sum(clip.num_segments for clip in clips) * self._num_queries
            for start in range(0, len(mixed), self._batch.rows_per_clip):
                shown = self._show(mixed[start : start + self._batch.rows_per_clip], number, start)
                groups.extend((group, shown.clips) for group in self._split_to_fit(PackedGroup(shown.rows, slots)))
        rng.shuffle(groups)
        yield from self._fill_batches(groups)

    def _split_to_fit(self, group: PackedGroup) -> Iterator[PackedGroup]:
        """Halve a group until it fits into a sequence."""
        if group.num_tokens <= self._batch.tokens or len(group.rows) == 1:
            yield group
            return
        half = len(group.rows) // 2
        yield from self._split_to_fit(PackedGroup(group.rows[:half], group.num_slots))
        yield from self._split_to_fit(PackedGroup(group.rows[half:], group.num_slots))

    def _fill_batches(self, groups: Sequence[tuple[PackedGroup, tuple[TrainClip, ...]]]) -> Iterator[MicroBatch]:
        chosen: list[PackedGroup] = []
        clips: list[TrainClip] = []
        used = 0
        for group, heard in groups:
            size = group.num_tokens
            if chosen and used + size > self._batch.tokens:
                yield MicroBatch(tuple(chosen), tuple(clips))
                chosen, clips, used = [], [], 0
            chosen.append(group)
            clips.extend(heard)
            used += size
        if chosen:
            yield MicroBatch(tuple(chosen), tuple(clips))


def _count_draws(example: TrainExample, epoch: int, seed: int) -> int:
    """Return how often a row is drawn in an epoch: its weight, rounded down or up so that the average is exact."""
    if example.weight == 1:
        return 1
    key = f"{seed} draws {example.row.prompt} {example.row.reply}"
    start = random.Random(key).random()  # noqa: S311 - no secret
    return math.floor((epoch + 1) * example.weight + start) - math.floor(epoch * example.weight + start)
