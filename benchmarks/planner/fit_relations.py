"""Fit `agents/listening/ordering/relation.safetensors`, which estimates how what is asked for lies in time.

    python -m benchmarks.planner.fit_relations [held_out.json]

The questions are drawn from the templates of `relations.json`, one in two of them in a frame such as "Based on the
audio, …"; with them come the planner's questions that no tool for order answers, as `other`. Prints the share that is
right on templates that were held out, and of a file of `{"question": …, "relation": …}`. Half a minute of CPU.
"""

import json
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.listening.ordering.relation import FILE, OTHER
from agents.rows.wording import frame_question
from benchmarks.planner.fit import HERE, NUM_FOLDS, LabelledQuestion, encode, fit, load_questions, write_head

TARGET = HERE.parents[1] / "agents" / "listening" / "ordering" / FILE
NUM_FILLED = 12  # questions that are drawn from a template
NUM_OTHER = 600  # of the planner's questions: as many as there are of the relations, or they are never chosen


def load_labelled() -> list[LabelledQuestion]:
    """Load the questions with one relation each."""
    data = json.loads((HERE / "relations.json").read_text(encoding="utf-8"))
    rng = random.Random(2)  # noqa: S311 - no secret
    drawn: dict[str, LabelledQuestion] = {}
    for relation, templates in data["relations"].items():
        for template in templates:
            for number in range(NUM_FILLED):
                words = {slot: rng.choice(fillers) for slot, fillers in data["slots"].items()}
                text = template.format_map(words)
                text = frame_question(text, rng) if number % 2 else text
                drawn[text] = LabelledQuestion(text, (relation,), f"{relation} {template}")
    others = rng.sample([one for one in load_questions() if "order" not in one.tools], NUM_OTHER)
    return [*drawn.values(), *(one._replace(tools=(OTHER,), group=f"{OTHER} {one.group}") for one in others)]


def cross_validate(questions: Sequence[LabelledQuestion]) -> None:
    """Print the share of right relations on held-out templates."""
    groups = sorted({one.group for one in questions})
    random.Random(0).shuffle(groups)  # noqa: S311 - no secret
    folds = {group: number % NUM_FOLDS for number, group in enumerate(groups)}
    right: dict[str, list[bool]] = defaultdict(list)
    for fold in range(NUM_FOLDS):
        model = fit([one for one in questions if folds[one.group] != fold])
        held_out = [one for one in questions if folds[one.group] == fold]
        chosen = model.score(encode([one.text for one in held_out])).argmax(axis=1)
        for one, index in zip(held_out, chosen, strict=True):
            right[one.tools[0]].append(model.labels[index] == one.tools[0])
    for relation, found in sorted(right.items()):
        print(f"{relation}: {100 * np.mean(found):.1f} % of {len(found)}")


def main() -> None:
    """Cross-validate, fit on all, write."""
    questions = load_labelled()
    cross_validate(questions)
    model = fit(questions)
    for name in sys.argv[1:]:
        rows = json.loads(Path(name).read_text(encoding="utf-8"))
        chosen = model.score(encode([row["question"] for row in rows])).argmax(axis=1)
        found = [model.labels[index] == row["relation"] for row, index in zip(rows, chosen, strict=True)]
        print(f"{name}: {100 * np.mean(found):.1f} % of {len(found)}")
    write_head(model, TARGET)


if __name__ == "__main__":
    main()
