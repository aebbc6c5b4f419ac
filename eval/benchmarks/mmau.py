"""MMAU: massive multi-task audio understanding and reasoning.

Asked:    multiple-choice questions (2 to 8 options) about clips of sound, music and speech.
Size:     test-mini 1,000 items (sound 333, music 334, speech 333), version v05.15.25; test 9,000 items,
          whose answers are withheld: a run over it writes a submission file instead of a score.
Licence:  questions Apache-2.0; the clips come from 13 corpora, each with its own licence.
Paper:    Sakshi et al., "MMAU: A Massive Multi-Task Audio Understanding and Reasoning Benchmark",
          ICLR 2025, arXiv:2410.19168.
Audio:    not redistributed here; https://github.com/Sakshi113/MMAU says where it is (a Hugging Face dataset).
Score:    two, side by side. Strict: the reply is read as exactly one option, and is right when that option's
          text is the answer. Official: the script's comparison of sets of words (`scoring.string_match`), on the
          text of the option that was read, or on the raw reply where none was; it calls a bare letter wrong
          and some reordered wrong options right. Rows without a prediction count as wrong in both; the
          official script leaves them out of the denominator.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.rows import AskedRow, GroupName, Text, read_benchmark
from services.errors import BadConfig
from services.settings import settings

FILES = {"mmau": "mmau-test-mini.json", "mmau-test": "mmau-test.json"}
AUDIO_SOURCE = "The clips: https://github.com/Sakshi113/MMAU names the download (test-mini-audios, test-audios)."


def _join_categories(category: object) -> object:
    return ", ".join(map(str, category)) if isinstance(category, list) else category


class MmauRow(AskedRow):
    """A row as published."""

    audio: Text = Field(alias="audio_id")
    task: Text
    # The category is a list on 13 rows of test-mini (v05.15.25).
    category: Annotated[GroupName, BeforeValidator(_join_categories)] = ""
    sub_category: GroupName = Field(default="", alias="sub-category")
    difficulty: GroupName = ""


def load(name: str, audio_root: Path | None = None) -> Benchmark:
    """Load `mmau` or `mmau-test` from its place in the Earwitness folder; `BadConfig` says where to put it."""
    folder = settings().home / "benchmarks" / "mmau"
    file = folder / FILES[name]
    if not file.is_file():
        raise BadConfig(
            f"{name} is not at {file}. Put {file.name} and the folder of its clips there "
            "(https://github.com/Sakshi113/MMAU names the download), or name them with "
            "--bench FILE.json --audio-root FOLDER."
        )
    return read(file, audio_root).model_copy(update={"name": name})


def read(file: Path, audio_root: Path | None = None) -> Benchmark:
    """Read any file in the MMAU schema; see `read_benchmark`."""
    return read_benchmark(
        file,
        MmauRow,
        _make_item,
        audio_root=audio_root,
        audio_source=AUDIO_SOURCE,
        submission_keys=("model_output", "model_prediction"),
    )


def _make_item(row: MmauRow) -> Item:
    answer = None if row.is_withheld else row.answer
    return Item(**row.model_dump() | {"answer": answer, "modality": row.task})
