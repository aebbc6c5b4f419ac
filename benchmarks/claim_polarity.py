"""Measure the check of claims on hypotheses and captions that others wrote (Audio Entailment, arXiv:2407.18062, MIT).

    python benchmarks/claim_polarity.py data/CLE/clotho_entailment_evaluation.csv data/ACE/audiocaps_entailment_test.csv

Each hypothesis is a claim that cites all captions of its recording; besides, each of several captions is a claim that
cites the others, which are about the same recording and should never be its opposite. Prints the verdicts.
"""

import argparse
import ast
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agents.reasons.check import WrittenCitation, WrittenClaim, check_claim
from agents.reasons.polarity import read_polarity
from lalm.statements import name_statements
from services.types import Evidence

HYPOTHESES = ("Entailment", "Neutral", "Contradiction")


class JudgedClaim(NamedTuple):
    """A claim and what the check makes of it."""

    kind: str
    text: str
    captions: tuple[str, ...]
    verdict: str


def judge_rows(path: Path) -> Iterator[JudgedClaim]:
    """Yield the claims of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            captions = _read_captions(row["Caption"])
            for kind in HYPOTHESES:
                yield _judge(kind, row[kind], captions)
            if len(captions) > 1:
                for number, caption in enumerate(captions):
                    yield _judge("Other caption", caption, captions[:number] + captions[number + 1 :])


def _read_captions(cell: str) -> tuple[str, ...]:
    """Return the captions of a recording: one, or a list as Python writes it."""
    return tuple(ast.literal_eval(cell)) if cell.startswith("[") else (cell,)


def _judge(kind: str, text: str, captions: tuple[str, ...]) -> JudgedClaim:
    evidence = name_statements([Evidence(kind="caption", source="others", revision="1", text=one) for one in captions])
    ours = {name: one for name, one in evidence.items() if _is_related(text, {name: one})}
    claim = check_claim(WrittenClaim(text, tuple(map(WrittenCitation, ours))), ours)
    return JudgedClaim(kind, text, captions, claim.verdict)


def _is_related(text: str, evidence: dict[str, Evidence]) -> bool:
    """Say whether a caption has a word in common with a claim: one that has none would not be cited."""
    (name,) = evidence
    return check_claim(WrittenClaim(text, (WrittenCitation(name),)), evidence).verdict != "unrelated"


def main() -> None:
    """Print the verdicts by kind of claim, of all claims and of those that deny something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--show", default="", help="kind and verdict of claims to print, such as Entailment:unchecked")
    chosen = parser.parse_args()
    judged = [one for path in chosen.files for one in judge_rows(path)]
    for one in judged:
        if f"{one.kind}:{one.verdict}" == chosen.show:
            print(f"{one.text} <- {' | '.join(one.captions)}")
    for name, claims in (("all", judged), ("those that deny", [one for one in judged if _denies(one.text)])):
        for kind in (*HYPOTHESES, "Other caption"):
            found = Counter(one.verdict for one in claims if one.kind == kind)
            if found:
                print(f"{name}, {kind}: {found.total()}, {dict(found.most_common())}")


def _denies(text: str) -> bool:
    read = read_polarity(text)
    return bool(read.denials or read.hedges)


if __name__ == "__main__":
    main()
