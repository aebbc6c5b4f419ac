"""Benchmark: items, how a reply to each is scored, and the folder of their clips."""

import random
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, PlainSerializer

from eval.benchmarks.fields import FieldNames
from eval.benchmarks.wording import word_several
from eval.scoring.instructions import Instruction
from eval.scoring.judge_protocols import JudgeProtocol
from eval.scoring.official import OfficialRule
from eval.scoring.rules import Expected, ScoringRule, require_packages
from services.errors import BadConfig
from services.files import find_file
from services.terminal.counts import format_count
from services.types import Question, Value

AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".mp4", ".webm", ".mkv", ".mov", ".aif"),
    *(".aiff", ".wma", ".au", ".caf", ".amr"),
)
"""Endings of recordings; what a file really holds is told by its content."""
NO_OPTIONS = (
    "has no options; name a judge for its answer with --judge, or the field that holds its options with "
    "--fields choices=NAME"
)
"""Why an open question is `unsupported` where no judge is named."""
NO_REFERENCE = "has neither options nor a reference answer, and nothing here scores a reply without one"


def _list_recordings(value: object) -> object:
    return ((value,) if value else ()) if isinstance(value, str) else value


def _write_recordings(recordings: tuple[str, ...]) -> str | list[str]:
    return list(recordings) if len(recordings) > 1 else "".join(recordings)


Recordings: TypeAlias = Annotated[
    tuple[str, ...], BeforeValidator(_list_recordings), PlainSerializer(_write_recordings)
]
"""Paths of recordings; one alone is read and written as a text, as run folders have it."""


class Item(Value):
    """One question, as published: duplicated and empty options stay."""

    id: str
    audio: Recordings = ()
    """Paths of the clips, in their order, relative to the benchmark's `audio_root`; empty: it is about no clip."""
    question: str
    choices: tuple[str, ...]
    answer: str | None
    """Text of the right option, or of what else the reply is held against; None where the benchmark withholds it."""
    rule: ScoringRule | None = None
    """How a reply is scored; None: by the option that is read from it, or by a judge where there are none."""
    answers: tuple[str, ...] = ()
    """Texts of all right options, where several may be; the model is told so."""
    instructions: tuple[Instruction, ...] = ()
    """What the question says about the form of the reply, where that is verified."""
    spoken: str = ""
    """What the recording says, where that is the question itself: asked where nothing is heard."""
    judged_by: JudgeProtocol = "reference"
    """What a judge is asked of an open answer, or of another that the authors' script has judged too."""
    described: str = ""
    """What the recording holds, for a judge that is told so; no model that answers is."""
    task: str
    category: str = ""
    sub_category: str = ""
    difficulty: str = ""
    modality: str = ""
    cluster: str = ""
    """Source that the file names, such as the video that several recordings were cut from, or that items share which
    are about several (`join_sources`); empty: none."""
    unsupported: str = ""
    """Why it cannot be asked, such as "has 2 recordings; …": it counts as failed, not as wrong. Empty: it can."""
    premise: str = ""
    """Id of the item whose answer its own builds on, as a second hop's does on the first; empty: none."""
    disputed: str = ""
    """Who disputes its published answer, such as an issue or a commit; empty: nobody that we know of."""

    @property
    def source(self) -> str:
        """What the item shares with others, so that their errors are not independent: a video, or else a recording.

        Run folders of before 2026-11-29 hold the question's text as the cluster of MMAU's items.
        """
        named = self.cluster if self.cluster != self.question else ""
        return named or (self.audio[0] if self.audio else self.id)

    @property
    def is_open(self) -> bool:
        """Whether only a judge can score a reply."""
        return not self.choices and self.rule is None

    @property
    def is_judged(self) -> bool:
        """Whether a judge scores a reply: an open one, or one that the authors' script has judged all the same."""
        return self.is_open or (self.judged_by == "one option" and self.rule is None)

    def to_question(self, *, hears: bool = True) -> Question:
        """Return what the model is asked; it never holds the answer."""
        question = self.spoken if self.spoken and not hears else self.question
        if self.rule == "exact set":
            question = word_several(question, self.choices)
        return Question.ask(question, () if self.rule else self.choices, id=self.id)

    def expect(self, official: OfficialRule) -> Expected | None:
        """Return what a reply is scored against by the item's rule; None where it has none."""
        if self.rule is None:
            return None
        right = self.answers or ((self.answer,) if self.answer in self.choices else ())
        return Expected(self.rule, self.choices, right, self.answer or "", self.instructions, official, self.id)


def join_sources(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items with one cluster for all that are linked by shared recordings, where some are about several.

    A question about recordings a and b depends on one about b and c, and that on one about c (connected components by
    union-find). The cluster is called after the first recording; items that name their source keep it.
    """
    kept, parents = tuple(items), dict[str, str]()

    def find_root(name: str) -> str:
        """Return what stands for a recording."""
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    joined = {root for item in kept if len(item.audio) > 1 for root in map(find_root, item.audio)}
    for item in kept:
        if len(item.audio) > 1 and not item.cluster:
            first, *others = map(find_root, item.audio)
            parents.update(dict.fromkeys(others, first))
    return tuple(
        item.model_copy(update={"cluster": find_root(item.audio[0])})
        if item.audio and not item.cluster and item.audio[0] in joined
        else item
        for item in kept
    )


class Benchmark(Value):
    """A named set of items, and the file that they were read from."""

    name: str
    file: Path
    sha256: str
    """Hex digest of the file: two versions of a benchmark are never mixed in one run."""
    audio_root: Path
    audio_source: str = ""
    """Where the clips can be had, in words."""
    submission_keys: tuple[str, ...] = ()
    """What the official scorers call a prediction."""
    submission_lines: bool = False
    """Whether they read JSON lines rather than a list."""
    official_rule: OfficialRule = "word sets"
    """By which they call a prediction right."""
    fields: FieldNames | None = None
    """What the file calls its fields, where they were found or named; None: the benchmark has its own schema."""
    declared: str = ""
    """Name of the benchmark whose declaration the file was read by; empty: none."""
    files: tuple[Path, ...] = ()
    """Files that its declaration named, of which `file` may be the folder; empty: `file` itself was named."""
    num_dropped: int = 0
    """Leading folders of the published paths that are not below `audio_root`."""
    items: tuple[Item, ...]

    def include_open(self) -> "Benchmark":
        """Return the benchmark with its open questions to be asked, because a judge will score the answers."""
        opened = {"unsupported": ""}
        items = (item.model_copy(update=opened) if item.unsupported == NO_OPTIONS else item for item in self.items)
        return self.model_copy(update={"items": tuple(items)})

    def require_askable(self) -> None:
        """Check that some item can be asked; raise `BadConfig` that says why none can."""
        if all(item.unsupported for item in self.items):
            raise BadConfig(f"{self.name} cannot be asked: its first question {self.items[0].unsupported}.")
        require_packages([expected for item in self.items if (expected := item.expect(self.official_rule))])

    def describe_fields(self) -> str:
        """Say how a file of no known schema was read; nothing of any other."""
        if self.declared:
            return "" if self.declared == self.name else f"{self.name} is read as {self.declared}."
        return f"{self.name} is read by its fields: {self.fields.format()}." if self.fields else ""

    def take_first(self, limit: int | None) -> "Benchmark":
        """Return the benchmark with its first `limit` items only; None keeps all."""
        return self if limit is None else self.model_copy(update={"items": self.items[:limit]})

    def sample(self, num: int | None, seed: int) -> "Benchmark":
        """Return the benchmark with a random sample of its items, in their order; None keeps all.

        Each task has its share of the items (largest remainders), so that a small sample is as mixed as the whole.
        """
        if num is None or num >= len(self.items):
            return self
        places: dict[str, list[int]] = {}
        for place, item in enumerate(self.items):
            places.setdefault(item.task, []).append(place)
        quotas = {task: num * len(those) / len(self.items) for task, those in places.items()}
        counts = {task: int(quota) for task, quota in quotas.items()}
        by_remainder = sorted(quotas, key=lambda task: counts[task] - quotas[task])
        for task in by_remainder[: num - sum(counts.values())]:
            counts[task] += 1
        rng = random.Random(seed)  # noqa: S311 - nothing secret
        drawn = sorted(place for task, those in places.items() for place in rng.sample(those, counts[task]))
        return self.model_copy(update={"items": tuple(self.items[place] for place in drawn)})

    @property
    def is_withheld(self) -> bool:
        """Whether only the benchmark's authors can score it."""
        return self.items[0].answer is None

    @cached_property
    def num_with_stem(self) -> Counter[str]:
        """Published path without its ending -> how many paths are that but for their endings."""
        clips = {clip for item in self.items for clip in item.audio}
        return Counter(str(PurePosixPath(clip).with_suffix("")) for clip in clips)

    def find_clips(self, item: Item) -> tuple[Path, ...]:
        """Return where the item's clips lie; one that is named without its ending is found with it."""
        return tuple(map(self._find_clip, item.audio))

    def _find_clip(self, published: str) -> Path:
        name = str(PurePosixPath(*PurePosixPath(published).parts[self.num_dropped :]))
        path = find_file(self.audio_root, name)
        if path.is_file():
            return path
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            return next((file for end in AUDIO_SUFFIXES if (file := path.with_name(path.name + end)).is_file()), path)
        if self.num_with_stem[str(PurePosixPath(published).with_suffix(""))] > 1:
            return path  # a.wav and a.mp3 are two recordings
        converted = [file for end in AUDIO_SUFFIXES if (file := path.with_suffix(end)).is_file()]
        return converted[0] if len(converted) == 1 else path

    def has_clips(self) -> bool:
        """Whether some clip is where its path says."""
        return any(path.is_file() for item in self.items if not item.unsupported for path in self.find_clips(item))

    def locate_clips(self) -> "Benchmark":
        """Return the benchmark with as many leading folders dropped as make all of its clips be found; else itself.

        Published paths begin where their authors unpacked them, users' folders elsewhere. No two clips may become one.
        """
        clips = {PurePosixPath(clip): clip for item in self.items if not item.unsupported for clip in item.audio}
        if not clips or any(self._find_clip(clip).is_file() for clip in clips.values()):
            return self
        for num in range(1, max(len(clip.parts) for clip in clips)):
            moved = self.model_copy(update={"num_dropped": num})
            paths = {moved._find_clip(clip) for path, clip in clips.items() if len(path.parts) > num}
            if len(paths) == len(clips) and all(path.is_file() for path in paths):
                return moved
        return self

    def find_lacking_audio(self) -> tuple[Item, ...]:
        """Return the items that lack a clip."""
        askable = (item for item in self.items if not item.unsupported)
        return tuple(item for item in askable if not item.audio or self._find_absent(item))

    def _find_absent(self, item: Item) -> Path | None:
        return next((path for path in self.find_clips(item) if not path.is_file()), None)

    def describe_missing_audio(self) -> str:
        """Say how many clips are not there and where they can be had; nothing where all are there."""
        missing = self.find_lacking_audio()
        if not missing:
            return ""
        source = f" {self.audio_source}" if self.audio_source else ""
        lack = "lacks its" if len(missing) == 1 else "lack their"
        return (
            f"{self.name}: {len(missing)} of {format_count(len(self.items), 'item')} {lack} audio, the first at "
            f"{self._find_absent(missing[0]) or self.audio_root}.{source}"
        )

    def require_audio(self) -> None:
        """Check that every clip is there; raise `BadConfig` that counts the missing ones and says what helps."""
        if not any(item.audio for item in self.items):
            raise BadConfig(f"{self.name} is about text only; ask it with --path text.")
        if missing := self.describe_missing_audio():
            raise BadConfig(
                f"{missing} Name the folder that holds it with --audio-root, or take --missing skip, which asks the "
                "rest and counts these as failed (--missing fail, the default, asks nothing)."
            )
