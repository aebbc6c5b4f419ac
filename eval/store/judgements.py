"""Judgements of replies: what a judge said of each reply, beside the predictions of a run.

judgements.jsonl  one ReplyJudgement per reply and judge, in the order of finishing
judges.json       JudgeNames: the judges of the last command; the first one's judgements count
"""

from collections.abc import Mapping
from pathlib import Path

from eval.scoring.judge_protocols import JudgeProtocol, ScorePair
from eval.store.records import Prediction
from services.journal import JournalFormat
from services.types import Usage, Value

FILE_NAME = "judgements.jsonl"
NAMES_FILE = "judges.json"
NOT_JUDGED = "no judge has scored it yet"


class ReplyJudgement(Value):
    """What a judge said of one reply."""

    id: str
    """Of the item."""
    judge: str
    """Name of the LLM that judged."""
    protocol: JudgeProtocol = "reference"
    prompt_version: int
    answer: str
    """The reply that was judged."""
    is_right: bool | None
    """None: the judge failed, or gave no verdict."""
    is_refusal: bool = False
    """Whether the judge says that the reply gives no answer; it is then not right."""
    scores: tuple[ScorePair, ...] = ()
    """Where it scores the reply beside the reference; one for each order in which they were shown."""
    overall: float | None = None
    """Where it rates criteria: their mean, of 1 to 5."""
    reply: str
    """The judge's own words; empty where it was not asked, or failed."""
    failed: str | None = None
    """The judge's error, or what is wrong with its reply."""
    usage: Usage = Usage()


JUDGEMENTS = JournalFormat(ReplyJudgement, "a judgement", "delete that line, and its reply is judged again")


class JudgeNames(Value):
    """The judges of a run, in order."""

    judges: tuple[str, ...]


def read_judgements(folder: Path, judge: str) -> dict[str, ReplyJudgement]:
    """Return a judge's judgements by item, the last of each; a line that a crash cut short is left out."""
    return {one.row.id: one.row for one in JUDGEMENTS.read(folder / FILE_NAME) if one.row.judge == judge}


def read_judges(folder: Path) -> tuple[str, ...]:
    """Return the names of a run's judges; nothing where none has judged."""
    try:
        return JudgeNames.model_validate_json((folder / NAMES_FILE).read_bytes()).judges
    except FileNotFoundError:
        return ()


def apply_judgement(prediction: Prediction, judgements: Mapping[str, ReplyJudgement]) -> Prediction:
    """Return a prediction with what the judge said of it; one that no judge scores, or that failed, stays as it is.

    An open reply that no judge has scored has failed: it is neither right nor wrong. Of one with options the judge
    decides the official score alone, and where there is none, words do.
    """
    if not prediction.is_judged or prediction.failed is not None:
        return prediction
    judgement = judgements.get(prediction.id)
    if judgement is None or judgement.answer != prediction.model_output:
        if not prediction.is_open:
            return prediction
        return prediction.model_copy(update={"failed": NOT_JUDGED})
    if judgement.is_right is None:
        failed = {"failed": f"judge {judgement.judge}: {judgement.failed}"}
        return prediction.model_copy(update=failed | {"correct_strict": False, "correct_official": False})
    right = {"correct_official": judgement.is_right}
    if prediction.is_open:
        right["correct_strict"] = judgement.is_right
    return prediction.model_copy(update=right)
