"""Features of the router: numbers computed from the question, the evidence and the answers, without another model.

Their names are stored in the router's JSON file, so a feature that changes its meaning changes its name.
"""

import re
from collections.abc import Mapping
from math import log, log1p
from typing import Literal, TypeAlias

from agents.reading.confidence import Confidence, measure_confidence
from services.types import Answer, Evidence, Question

Features: TypeAlias = Mapping[str, float]
Modality: TypeAlias = Literal["sound", "music", "speech"]

WORDS: Mapping[Modality, re.Pattern[str]] = {
    "speech": re.compile(
        r"\b(sa(id|ys?|ying)|spe(ak|ech)\w*|spoken|talk\w*|voices?|words?|language|sentence|conversation|dialogue|"
        r"emotion\w*|accent|syllables?|phon\w+|stress\w*|digits?|counsel\w*)\b"
    ),
    "music": re.compile(
        r"\b(music\w*|instruments?|melod\w+|chords?|key|tempo|rhythm\w*|beats?|notes?|genre|song|scale|pitch|harmon\w+|"
        r"guitar|piano|drums?|violin|bass|sing\w*|metre|meter|tune)\b"
    ),
    "sound": re.compile(
        r"\b(sounds?|noise\w*|events?|animals?|barks?|engine|rain|water|wind|environment\w*|scene|footsteps?|"
        r"machine\w*|vehicles?|birds?|doors?|alarm|loud\w*|source)\b"
    ),
}
ASKS: Mapping[str, re.Pattern[str]] = {
    "how many": re.compile(r"\b(how (many|often)|number of|count|times)\b"),
    "order": re.compile(r"\b(first|last|before|after|then|order|sequence|follow\w*|next)\b"),
    "when": re.compile(r"\b(when|how long|duration|seconds?)\b"),
    "who": re.compile(r"\b(who|whose|speakers?|man|woman|person)\b"),
    "why": re.compile(r"\b(why|purpose|reason\w*|infer\w*|likely|suggest\w*|imply|implies)\b"),
    "where": re.compile(r"\b(where|place|location|setting)\b"),
    "how": re.compile(r"\b(emotion\w*|mood|tone|feel\w*|style|quality)\b"),
}


def guess_modality(question: Question) -> Modality | None:
    """Guess the modality of a question from its words; None where they do not decide."""
    counts = {name: len(pattern.findall(question.text.lower())) for name, pattern in WORDS.items()}
    most = max(counts.values())
    leading = [name for name, count in counts.items() if count == most]
    return leading[0] if most and len(leading) == 1 else None


def compute_question_features(question: Question) -> Features:
    """Compute the features of a question and its options, which are known before any model runs."""
    text = question.text.lower()
    options = [choice.text for choice in question.choices]
    lengths = [len(option.split()) for option in options] or [0]
    return {
        **{f"about {name}": float(bool(pattern.search(text))) for name, pattern in WORDS.items()},
        **{f"asks {name}": float(bool(pattern.search(text))) for name, pattern in ASKS.items()},
        "question words": log1p(len(text.split())),
        "options": float(len(options)),
        "words per option": log1p(sum(lengths) / len(lengths)),
        "options with digits": sum(any(map(str.isdigit, option)) for option in options) / max(1, len(options)),
    }


def compute_evidence_features(evidence: tuple[Evidence, ...]) -> Features:
    """Compute the features of the evidence: how much speech there is, and the entropy of the sounds."""
    end_s = max((one.end_s or 0.0 for one in evidence), default=0.0)
    transcripts = [one for one in evidence if one.kind == "transcript"]
    spoken_s = sum((one.end_s or end_s) - one.start_s for one in transcripts)
    sounds = [label.probability for one in evidence if one.kind == "sound" for label in one.labels]
    return {
        "speech share": min(1.0, spoken_s / end_s) if end_s else 0.0,
        "transcript words": log1p(sum(len(one.text.split()) for one in transcripts)),
        "entropy of sounds": _measure_entropy([probability for probability in sounds if probability is not None]),
    }


def _measure_entropy(tags: list[float]) -> float:
    """Return the entropy in nats of tag probabilities, normalised to sum to 1."""
    total = sum(tags)
    return -sum(tag / total * log(tag / total) for tag in tags if tag)


def compute_answer_features(cascade: Answer, lalm: Answer) -> Features:
    """Compute the features of two calibrated answers: the confidence of each, and whether they agree."""
    confidences = {"cascade": measure_confidence(cascade.probabilities), "lalm": measure_confidence(lalm.probabilities)}
    views = {f"{arm} {view}": value for arm, views in confidences.items() for view, value in _name_views(views).items()}
    differences = {f"lalm less cascade {view}": views[f"lalm {view}"] - views[f"cascade {view}"] for view in _VIEWS}
    return {**views, **differences, "agree": float(cascade.choice is not None and cascade.choice == lalm.choice)}


_VIEWS = Confidence._fields


def _name_views(views: Confidence) -> Features:
    return dict(zip(_VIEWS, views, strict=True))


def compute_features(question: Question, cascade: Answer, lalm: Answer) -> Features:
    """Compute all features, once both arms have answered."""
    features = compute_evidence_features(cascade.evidence)
    return {**compute_question_features(question), **features, **compute_answer_features(cascade, lalm)}
