"""MMAU: massive multi-task audio understanding and reasoning.

Asked:    multiple-choice questions (2 to 8 options) about clips of sound, music and speech.
Size:     test-mini 1,000 items (sound 333, music 334, speech 333), version v05.15.25 (the release before it is
          `mmau-before-v05.15.25`: 894 of its ids are in both, 209 of these with another answer); test 9,000 items,
          whose answers are withheld: a run over it writes a submission file instead of a score.
Licence:  questions Apache-2.0; the clips come from 13 corpora, each with its own licence.
Paper:    Sakshi et al., "MMAU: A Massive Multi-Task Audio Understanding and Reasoning Benchmark",
          ICLR 2025, arXiv:2410.19168.
Audio:    not redistributed here; https://github.com/Sakshi113/MMAU says where it is (a Hugging Face dataset).
Score:    two, side by side. Strict: the reply is read as exactly one option, and is right when that option's
          text is the answer. Official: the script's comparison of sets of words (`official.string_match`), on the
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
from services.settings import read_settings

FILES = {
    "mmau": "mmau-test-mini.json",
    "mmau-before-v05.15.25": "before-v05.15.25/mmau-test-mini.json",
    "mmau-test": "mmau-test.json",
}
BEFORE = frozenset(
    {
        "e8cc09223b497191781756212cb616315690aaa6ea7ac359db1b65d97d1e2433",
        "ed2fd6b6c24ebec1a5a496de5d767e7ebfe79556044d8f0d8bd00ad0cf02d623",
        "850c2794664d53c1f7e7e2bcf35744b9ab4e60debad2156d67efd6956220affa",
        "1b6d31d0b70c2944a064a5de0147435427af0bcd3167eff175daa8bd5321e9d3",
        "a5006730ccb3fbf1fc72016774413b9b4a596bb00ce8f37796d9d30979b46192",
    }
)
"""SHA-256 of mmau-test-mini.json before v05.15.25: Sakshi113/MMAU at 1f675a9, a5cd89a, a8d61f7, 26d9342, 78fe032."""
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
    folder = read_settings().home / "benchmarks" / "mmau"
    file = folder / FILES[name]
    if not file.is_file():
        raise BadConfig(
            f"{name} is not at {file}. Put {file.name} and the folder of its clips there "
            "(https://github.com/Sakshi113/MMAU names the download), or name them with "
            "--bench FILE.json --audio-root FOLDER. Licence: Apache-2.0 (questions), of 13 corpora (clips)."
        )
    found = read(file, audio_root).model_copy(update={"name": name})
    if (found.sha256 in BEFORE) != (name == "mmau-before-v05.15.25") and name != "mmau-test":
        other = "before v05.15.25" if found.sha256 in BEFORE else "v05.15.25, or none that is known"
        raise BadConfig(
            f"{file} is MMAU test-mini of the release {other}, not {name}: a quarter of the questions differ. Put the "
            "right one there, or ask this one by its file with --bench."
        )
    return found


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
