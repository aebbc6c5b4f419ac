"""Fit `agents/listening/classifiers/said.safetensors`, which estimates whether a question asks about what is said.

    python -m benchmarks.planner.fit_said [MMAR-meta.jsonl]

The questions are those of `fit.py`. A question asks about what is said where its tool reads the transcript; of those
that no tool answers, `said.json` lists the ones whose answer lies in the words (a relation, a topic, a joke), by text,
template and kind. Prints the share that is right on held-out folds, and with MMAR's own list by modality, of which no
question is fitted on. About a minute of CPU.
"""

import json
import random
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from agents.listening.classifiers.spoken import FILE, OTHER, SAID
from agents.rows.wording import frame_question
from benchmarks.planner.fit import HERE, NUM_FOLDS, Fitted, LabelledQuestion, load_questions, write_head
from benchmarks.planner.fit import fit as fit_labels

TARGET = HERE.parents[1] / "agents" / "listening" / "classifiers" / FILE
TOOLS = frozenset({"said", "words", "sum", "times said"})
"""Tools that read the transcript."""


def load_labelled() -> list[LabelledQuestion]:
    """Load the questions with one of two labels each."""
    listed = json.loads((HERE / "said.json").read_text(encoding="utf-8"))
    rng = random.Random(1)  # noqa: S311 - no secret
    groups = {*(f"template {one}" for one in listed["templates"]), *(f"kind {one}" for one in listed["kinds"])}
    texts = set(listed["questions"])

    def label(one: LabelledQuestion) -> str:
        """Return the label of one question."""
        in_list = one.group in groups or one.group.split(" ", 1)[1] in texts
        return SAID if set(one.tools) <= TOOLS or in_list else OTHER

    own = [
        LabelledQuestion(frame_question(text, rng) if is_framed else text, (name,), f"said.json {text}")
        for name in (SAID, OTHER)
        for text in listed[name]
        for is_framed in (False, True)
    ]
    return [*(one._replace(tools=(label(one),)) for one in load_questions()), *own]


def cross_validate(questions: list[LabelledQuestion]) -> None:
    """Print the share of right labels on held-out folds, by source and label."""
    groups = sorted({one.group for one in questions})
    random.Random(0).shuffle(groups)  # noqa: S311 - no secret
    folds = {group: number % NUM_FOLDS for number, group in enumerate(groups)}
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for fold in range(NUM_FOLDS):
        model = fit_labels([one for one in questions if folds[one.group] != fold])
        for one, chosen in zip(*_classify(model, [one for one in questions if folds[one.group] == fold]), strict=True):
            right[one.group.split()[0], one.tools[0]].append(chosen == one.tools[0])
    for (source, label), found in sorted(right.items()):
        print(f"{source}, {label}: {100 * np.mean(found):.1f} % of {len(found)}")


def _classify(model: Fitted, questions: list[LabelledQuestion]) -> tuple[list[LabelledQuestion], list[str]]:
    return questions, model.choose([one.text for one in questions])


def main() -> None:
    """Cross-validate, fit on all, write."""
    questions = load_labelled()
    cross_validate(questions)
    model = fit_labels(questions)
    if len(sys.argv) > 1:
        by_modality: dict[str, list[bool]] = defaultdict(list)
        for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            asked = LabelledQuestion(row["question"], (), "")
            by_modality[row["modality"]].append(_classify(model, [asked])[1] == [SAID])
        for modality, found in sorted(by_modality.items()):
            print(f"MMAR, {modality}: {100 * np.mean(found):.1f} % of {len(found)} ask about what is said")
    write_head(model, TARGET)


if __name__ == "__main__":
    main()
