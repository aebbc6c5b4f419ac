"""JSON lines -> rows of token ids -> groups about the same clips -> the packed sequences of each step.

What a step holds follows from the seed and its number alone, so a run that goes on needs no memory of its own.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lalm.messages import Conversation
from lalm.model.packing import PackedGroup, PackedRow
from lalm.model.template import ChatTemplate, PromptClip
from lalm.train.config import BatchConfig
from services.errors import BadConfig


class TrainClip(NamedTuple):
    """A clip as the trainer knows it."""

    path: str
    """As the rows name it."""
    sha256: str
    num_segments: int
    transcript: str


class TrainExample(NamedTuple):
    """One row: what is read, what is to be said, and what is heard."""

    row: PackedRow
    clips: tuple[TrainClip, ...]
    source: str
    """Where the reply comes from: "distilled" by the backbone or from "metadata"."""
    recordings: tuple[str, ...] = ()
    """What the clips were cut or mixed from, where that is known."""

    @property
    def origins(self) -> set[str]:
        """What a row that is held back must not share with one that is learnt from."""
        return {*self.recordings, *(clip.sha256 for clip in self.clips)}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows that can be learnt from, and why the others cannot."""

    examples: tuple[TrainExample, ...]
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> rows."""

    @property
    def num_clips(self) -> int:
        """Different clips."""
        return len({clip.sha256 for example in self.examples for clip in example.clips})


def tokenise(
    conversations: Sequence[Conversation],
    template: ChatTemplate,
    hear: Callable[[str], TrainClip | None],
    *,
    max_length: int,
) -> Dataset:
    """Turn conversations into rows.

    Args:
        conversations: as read from the files.
        template: of the backbone.
        hear: audio path -> clip; None where it cannot be used.
        max_length: tokens of prompt and reply; longer rows are dropped whole, never cut.
    """
    dropped: Counter[str] = Counter()
    examples: list[TrainExample] = []
    for conversation in conversations:
        clips = tuple(hear(path) for path in conversation.audio_paths)
        if not clips:
            dropped["no audio"] += 1
        elif not conversation.response.strip():
            dropped["empty reply"] += 1
        elif None in clips:
            dropped["unreadable clip"] += 1
        else:
            heard = tuple(clip for clip in clips if clip is not None)
            prompt = template.encode_prompt(
                conversation.turns, [PromptClip(clip.num_segments, clip.transcript) for clip in heard]
            )
            row = PackedRow(prompt, template.encode_reply(conversation.response))
            if len(row.prompt) + len(row.reply) > max_length:
                dropped["too long"] += 1
            else:
                examples.append(TrainExample(row, heard, conversation.source, conversation.recordings))
    return Dataset(tuple(examples), dropped)


def split_dataset(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Hold back a share of the clips, with all their rows and all that shares a recording: training, validation."""
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
        reasons = ", ".join(f"{reason}: {count}" for reason, count in dataset.dropped.items()) or "the files are empty"
        raise BadConfig(f"No row is left to train on ({reasons}).")
    return Dataset(tuple(rest), dataset.dropped), Dataset(tuple(back))


def _find_families(examples: Sequence[TrainExample]) -> Mapping[str, set[str]]:
    """Return for each clip and recording all those that rows connect it with, itself among them."""
    families: dict[str, set[str]] = {}
    for one in examples:
        joined = set().union(*(families.get(origin, {origin}) for origin in one.origins))
        families |= dict.fromkeys(joined, joined)
    return families


class MicroBatch(NamedTuple):
    """What is packed into one sequence, and the clips it needs, in order of their audio embeddings."""

    groups: tuple[PackedGroup, ...]
    clips: tuple[TrainClip, ...]

    @property
    def num_rows(self) -> int:
        """Rows of all groups."""
        return sum(len(group.rows) for group in self.groups)

    @property
    def num_segments(self) -> int:
        """Segments of audio."""
        return sum(clip.num_segments for clip in self.clips)

    @property
    def num_tokens(self) -> int:
        """Tokens that the backbone reads."""
        return sum(group.num_tokens - len(group.rows) for group in self.groups)

    @property
    def num_replied(self) -> int:
        """Reply tokens."""
        return sum(len(row.reply) for group in self.groups for row in group.rows)


class Sampler:
    """Gives the packed sequences of every step.

    Args:
        dataset: rows.
        batch: how many go together.
        num_queries: audio embeddings of a segment.
        seed: of the order.
    """

    def __init__(self, dataset: Dataset, batch: BatchConfig, *, num_queries: int, seed: int) -> None:
        self._batch, self._num_queries, self._seed = batch, num_queries, seed
        by_clips: Mapping[tuple[TrainClip, ...], list[PackedRow]] = defaultdict(list)
        for example in dataset.examples:
            by_clips[example.clips].append(example.row)
        self._by_clips = dict(by_clips)

    def steps(self) -> Iterator[tuple[MicroBatch, ...]]:
        """Yield the sequences of each step, epoch after epoch, without end."""
        epoch, pending = 0, []
        while True:
            for sequence in self.epoch(epoch):
                pending.append(sequence)
                if len(pending) == self._batch.sequences_per_step:
                    yield tuple(pending)
                    pending = []
            epoch += 1

    def epoch(self, number: int) -> Iterator[MicroBatch]:
        """Yield every row once, in an order that follows from the seed and the epoch."""
        rng = random.Random(f"{self._seed} {number}")  # noqa: S311 - no secret
        groups: list[tuple[PackedGroup, tuple[TrainClip, ...]]] = []
        for clips, rows in self._by_clips.items():
            mixed = rng.sample(rows, len(rows))
            slots = sum(clip.num_segments for clip in clips) * self._num_queries
            for start in range(0, len(mixed), self._batch.rows_per_clip):
                part = tuple(mixed[start : start + self._batch.rows_per_clip])
                groups.extend((group, clips) for group in self._split_to_fit(PackedGroup(part, slots)))
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
