"""Fit `agents/listening/classifiers/relation.safetensors`, which estimates how what is asked for lies in time.

    python -m benchmarks.planner.fit_relations [held_out.json]

The questions are drawn from the templates of `relations.json`, one in two of them in a frame such as "Based on the
audio, …"; with them come the planner's questions that no tool for order answers, as `other`. Prints the share that is
right on templates that were held out, and of a file of `{"question": …, "relation": …}`. Half a minute of CPU.
"""

import json
import random
import sys

from agents.listening.classifiers.relation import FILE, OTHER
from benchmarks.planner.fit import (
    HERE,
    LabelledQuestion,
    fill_templates,
    fit,
    load_questions,
    print_held_out_shares,
    print_shares_on_files,
    write_head,
)

TARGET = HERE.parents[1] / "agents" / "listening" / "classifiers" / FILE
NUM_FILLED = 12  # questions that are drawn from a template
NUM_OTHER = 600  # of the planner's questions: as many as there are of the relations, or they are never chosen


def load_labelled() -> list[LabelledQuestion]:
    """Load the questions with one relation each."""
    data = json.loads((HERE / "relations.json").read_text(encoding="utf-8"))
    rng = random.Random(2)  # noqa: S311 - no secret
    drawn = fill_templates(data["relations"], data["slots"], rng, NUM_FILLED)
    others = rng.sample([one for one in load_questions() if "order" not in one.tools], NUM_OTHER)
    return [*drawn, *(one._replace(tools=(OTHER,), group=f"{OTHER} {one.group}") for one in others)]


def main() -> None:
    """Cross-validate, fit on all, write."""
    questions = load_labelled()
    print_held_out_shares(questions)
    model = fit(questions)
    print_shares_on_files(model, sys.argv[1:], text="question", label="relation")
    write_head(model, TARGET)


if __name__ == "__main__":
    main()
