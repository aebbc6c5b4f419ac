"""What is probed: a run of `eval run` over path lalm, with its questions and answers, or a LALM by itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from eval.benchmarks.tables import is_table
from eval.store.records import RunRecord
from eval.store.run_folder import require_record
from eval.store.stored import read_predictions
from services.errors import BadConfig

if TYPE_CHECKING:
    from lalm.probing.activations import ActivationReader
    from lalm.probing.text_scores import TextScorer
    from lalm.probing.text_vectors import TextReader

RECORD = "run.json"


class AskedRun(NamedTuple):
    """A finished run of `eval run` over path lalm."""

    folder: Path
    record: RunRecord
    is_right: Mapping[str, bool]
    """Item -> whether the model answered it right; what failed is wrong."""

    @property
    def bench(self) -> str:
        """Benchmark, as `eval run --bench` takes it."""
        return self.record.benchmark_file if is_table(self.record.benchmark_file) else self.record.options.benchmark

    @property
    def lalm(self) -> str:
        """Name or folder of the model."""
        return str(self.record.options.lalm)

    @property
    def audio_root(self) -> Path | None:
        """Folder that the clips' paths start from; None: where the benchmark keeps them."""
        return Path(self.record.options.audio_root) if self.record.options.audio_root else None

    def require_same(self, sha256: str) -> None:
        """Refuse questions that have changed since the run."""
        if sha256 != self.record.benchmark_sha256:
            raise BadConfig(
                f"'{self.record.benchmark_file}' has changed since the run in '{self.folder}': ask it again."
            )


def open_asked(name: str) -> AskedRun | None:
    """Open a run folder of `eval run`; None where the name is that of something else.

    Raises:
        BadConfig: the run asked no LALM of this process.
    """
    folder = Path(name)
    if not (folder / RECORD).is_file():
        return None
    record = require_record(folder)
    options = record.options
    if options.path != "lalm" or options.lalm is None or options.lalm_url is not None:
        how = f"over path {options.path}" if options.path != "lalm" else f"of a LALM on the server {options.lalm_url}"
        raise BadConfig(
            f"'{folder}' is a run {how}, which gives no activations: probe a run over path lalm of a LALM that runs in "
            "this process, or name the LALM."
        )
    return AskedRun(folder, record, {one.id: one.correct_strict for one in read_predictions(folder)})


def open_reader(folder: Path, question: str) -> "ActivationReader":
    """Open a run of `lalm.train`, to read its activations; what it is asked is the same for every clip.

    Raises:
        ModelError: it cannot be loaded.
        BadConfig: its folder cannot be used.
    """
    from lalm.probing.activations import ActivationReader
    from lalm.probing.opened import open_run

    return ActivationReader(open_run(folder, folder.name), question)


def open_text_reader(folder: Path, backbone: str | None) -> "TextReader":
    """Open a causal LM, or the backbone of a run of `lalm.train` as it was before the training, to read names.

    Raises:
        ModelError: it cannot be loaded.
        BadConfig: the folder cannot be used.
    """
    from lalm.probing.text_vectors import TextReader
    from lalm.train import run_files

    return TextReader(backbone or run_files.read_config(folder).model.backbone)


def open_scorer(folder: Path) -> "TextScorer":
    """Open a run of `lalm.train`, to score options of questions in text.

    Raises:
        ModelError: it cannot be loaded.
        BadConfig: its folder cannot be used.
    """
    from lalm.probing.opened import open_run
    from lalm.probing.text_scores import TextScorer

    return TextScorer(open_run(folder, folder.name))
