"""The paper's published results as data, with what can be derived from them.

Lu et al. 2026 (arXiv:2603.19195) released neither predictions nor code; the figures in published.json are its printed
tables, and the counts of right answers that its scatter plots show.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

from eval.analysis.score_table import PercentScore, ScoreTable
from services.types import Value

FILE = Path(__file__).with_name("published.json")
NUM_AKB = 2_000  # questions in AKB-2000
ROUNDING = 0.005 + 1e-9  # percentages are printed with two decimals
OUR_NAMES = {"phi-4": "Phi-4-14B", "phi-4-mini": "Phi-4-mini-4B"}  # where the paper's is not ours in capitals


class AkbRow(Value):
    """Accuracy on AKB-2000, in percent."""

    avg: float
    sound: float
    paralinguistic: float
    phonetic: float
    music: float
    quality: float
    technical: float


class CascadeRow(Value):
    """Accuracy of a cascade on MMAU test-mini and MMAR, in percent."""

    mmau_avg: float
    mmau_sound: float
    mmau_music: float
    mmau_speech: float
    mmar_avg: float
    mmar_sound: float
    mmar_music: float
    mmar_speech: float


class AudioRow(Value):
    """Accuracy of an audio-language model, in percent."""

    mmau: float
    mmar: float


class AudioCounts(Value):
    """Right answers of a fine-tuned model."""

    mmau_sound: int
    mmau_music: int
    mmau_speech: int
    mmar_sound: int
    mmar_music: int
    mmar_speech: int
    mmar_rest: int
    """Of the 335 items about mixed audio."""


class PrintedCorrelation(Value):
    """A cell of the paper's heat-map."""

    x: str
    y: str
    n: int
    r: float


class Shift(Value):
    """Cells of figure 3 that hold another column's value."""

    models: tuple[str, ...]
    columns: dict[str, str]
    """Column of the figure -> column of the cascade table whose value stands there."""


class Published(Value):
    """Scores and tables that the paper prints (published.json)."""

    source: str
    akb: dict[str, AkbRow]
    cascade: dict[str, CascadeRow]
    """LLM -> accuracy with captions by Gemini 2.5 Pro."""
    captioners: dict[str, CascadeRow]
    """Captioner -> accuracy with Gemini 2.5 Pro as reader."""
    audio_published: dict[str, AudioRow]
    audio_fine_tuned: dict[str, AudioRow]
    """LLM -> accuracy of the model fine-tuned from it."""
    audio_counts: dict[str, AudioCounts]
    audio_counts_note: str
    category_sizes: dict[str, dict[str, int]]
    printed_correlations: tuple[PrintedCorrelation, ...]
    printed_category_correlations: dict[str, float]
    figure_3_shifted: Shift

    def make_table(self) -> ScoreTable:
        """Return the scores as columns akb, mmau_t, mmar_t (text), mmau_a, mmar_a (audio)."""
        columns = {
            "akb": {model: row.avg for model, row in self.akb.items()},
            "mmau_t": {model: row.mmau_avg for model, row in self.cascade.items()},
            "mmar_t": {model: row.mmar_avg for model, row in self.cascade.items()},
            "mmau_a": {model: row.mmau for model, row in self.audio_fine_tuned.items()},
            "mmar_a": {model: row.mmar for model, row in self.audio_fine_tuned.items()},
        }
        sizes = {"akb": NUM_AKB}
        return ScoreTable(
            {
                name: {model: PercentScore(percent, sizes.get(name, 1_000)) for model, percent in column.items()}
                for name, column in columns.items()
            },
            {model: model.partition("-")[0].rstrip("0123456789.").lower() for model in self.akb},
        )


@cache
def load_published() -> Published:
    """Read published.json."""
    return Published.model_validate_json(FILE.read_bytes())


def find_paper_name(model: str) -> str:
    """Return what the paper calls a model of our catalogue; the name itself where it has none."""
    known = {name.lower(): name for name in load_published().akb}
    return OUR_NAMES.get(model, known.get(model.lower(), model))


class Sizes(NamedTuple):
    """How many questions each category of AKB-2000 has."""

    sound: int
    paralinguistic: int
    phonetic: int
    music: int
    quality: int
    technical: int


def find_akb_category_sizes(rows: Sequence[AkbRow] | None = None) -> tuple[Sizes, ...]:
    """Return every choice of category sizes that the printed percentages allow.

    A size fits a category if each model's percentage is a whole number of right answers out of it, rounded;
    sizes fit together if they add up to 2,000 and each model's right answers add up to its average.
    """
    rows = list(load_published().akb.values()) if rows is None else rows
    columns = {name: [getattr(row, name) for row in rows] for name in Sizes._fields}
    fitting = [
        [n for n in range(1, NUM_AKB) if all(_is_share(percent, n) for percent in column)]
        for column in columns.values()
    ]
    totals = [round(row.avg * NUM_AKB / 100) for row in rows]
    return tuple(
        Sizes(*sizes)
        for sizes in product(*fitting)
        if sum(sizes) == NUM_AKB and _add_up(sizes, list(columns.values()), totals)
    )


def _is_share(percent: float, n: int) -> bool:
    """Tell whether a percentage is a whole number of right answers out of n, rounded to two decimals."""
    return abs(100 * round(percent * n / 100) / n - percent) <= ROUNDING


def _add_up(sizes: Sequence[int], columns: Sequence[Sequence[float]], totals: Sequence[int]) -> bool:
    return all(
        sum(round(column[model] * n / 100) for column, n in zip(columns, sizes, strict=True)) == total
        for model, total in enumerate(totals)
    )


def compute_category_scores(*, as_plotted: bool) -> Mapping[str, tuple[list[float], list[float]]]:
    """Return cascade and audio accuracies in percent of the eight fine-tuned models, by category.

    `as_plotted` takes figure 3's values, in which two models' cascade scores are shifted by one column.
    """
    data = load_published()
    shift = data.figure_3_shifted
    scores = {}
    for category in data.printed_category_correlations:
        bench, _, name = category.partition("_")
        size = data.category_sizes[bench][name]
        models = list(data.audio_counts)
        shown = [
            shift.columns.get(category, category) if as_plotted and model in shift.models else category
            for model in models
        ]
        cascade = [getattr(data.cascade[model], column) for model, column in zip(models, shown, strict=True)]
        audio = [100 * getattr(data.audio_counts[model], category) / size for model in models]
        scores[category] = (cascade, audio)
    return scores
