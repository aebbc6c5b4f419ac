"""MMAR: deep reasoning in speech, audio, music and their mix.

Asked:    multiple-choice questions (2 to 6 options, 4 items with an empty one) about clips from videos.
Size:     1,000 items: speech 294, sound 165, music 206, mixed 335; four layers of reasoning.
Licence:  the repository states none; the clips stem from YouTube and Bilibili.
Paper:    Ma et al., "MMAR: A Challenging Benchmark for Deep Reasoning in Speech, Audio, Music, and Their Mix",
          arXiv:2505.13032; rubrics added in 2026 (arXiv:2602.14224).
Audio:    not redistributed here; https://github.com/ddlBoJack/MMAR says where it is. A clip is found by
          `audio_path`, never by `id`: 42 ids are not the name of their file.
Score:    as for MMAU, whose script the official one repeats. Items cut from one video share a `cluster`
          (its url: 138 items), so a clustered standard error stands beside the interval. The rubric score
          of the reasoning is `earwitness eval rubric`.
"""

from pathlib import Path

from pydantic import BaseModel, Field

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.rows import AskedRow, GroupName, Text, read_benchmark
from services.errors import BadConfig
from services.settings import read_settings

FILE_NAMES = ("MMAR-meta.jsonl", "MMAR-meta.json")  # as published since 2026, and before
AUDIO_SOURCE = "The clips: https://github.com/ddlBoJack/MMAR names the download."


class RubricItem(BaseModel):
    """One thing that good reasoning about an item mentions."""

    name: str
    scoring_point: str
    note: str = ""


class MmarRow(AskedRow):
    """A row as published."""

    audio: Text = Field(alias="audio_path")
    modality: Text
    category: GroupName = ""
    sub_category: GroupName = Field(default="", alias="sub-category")
    url: str | None = None
    rubric: tuple[RubricItem, ...] = ()


def load(audio_root: Path | None = None) -> Benchmark:
    """Load MMAR from its place in the Earwitness folder; `BadConfig` says where to put it."""
    folder = read_settings().home / "benchmarks" / "mmar"
    file = next((folder / name for name in FILE_NAMES if (folder / name).is_file()), None)
    if file is None:
        raise BadConfig(
            f"MMAR is not in {folder}. Put {FILE_NAMES[0]} and its folder audio there "
            "(https://github.com/ddlBoJack/MMAR names the download), or name them with "
            "--bench FILE.jsonl --audio-root FOLDER. Licence: none stated in the repository."
        )
    return read(file, audio_root).model_copy(update={"name": "mmar"})


def read(file: Path, audio_root: Path | None = None) -> Benchmark:
    """Read any file in the MMAR schema; see `read_benchmark`."""
    return read_benchmark(
        file,
        MmarRow,
        _make_item,
        audio_root=audio_root,
        audio_source=AUDIO_SOURCE,
        submission_keys=("answer_prediction",),
    )


def _make_item(row: MmarRow) -> Item:
    answer = None if row.is_withheld else row.answer
    fields = row.model_dump(exclude={"url", "rubric"})
    return Item(**fields | {"answer": answer, "task": row.modality, "cluster": row.url or ""})
