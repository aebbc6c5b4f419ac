"""Fit `agents/listening/classifiers/absent.safetensors`, which estimates whether a question asks for what is not there.

    python -m benchmarks.planner.fit_absent

The questions all hold a word that denies or leaves out. They are drawn from the templates of `absent.json`, one in two
of them in a frame such as "Based on the audio, …", and from its `groups` of the planner's. Prints the share that is
right on templates that were held out, and which of the planner's questions are taken to ask for what is not there.
"""

import json
import random

from agents.listening.classifiers.absent import ABSENT, DENIAL, FILE, PRESENT
from benchmarks.planner.fit import (
    HERE,
    LabelledQuestion,
    fill_templates,
    fit,
    load_questions,
    print_held_out_shares,
    write_head,
)

TARGET = HERE.parents[1] / "agents" / "listening" / "classifiers" / FILE
NUM_FILLED = 24  # questions that are drawn from a template


def load_labelled() -> list[LabelledQuestion]:
    """Load the questions with one label each."""
    data = json.loads((HERE / "absent.json").read_text(encoding="utf-8"))
    templates = {label: data[label] for label in (ABSENT, PRESENT)}
    drawn = fill_templates(templates, data["slots"], random.Random(3), NUM_FILLED)  # noqa: S311 - no secret
    planned = [one for one in load_questions() if not one.group.startswith("MMA")]
    same = [one for one in planned if one.group in data["groups"]]
    return [*drawn, *(one._replace(tools=(ABSENT,), group=f"{ABSENT} {one.group}") for one in same)]


def main() -> None:
    """Cross-validate, fit on all, write."""
    questions = load_labelled()
    print_held_out_shares(questions)
    model = fit(questions)
    denying = sorted({one.text for one in load_questions() if DENIAL.search(one.text)})
    for text, chosen in zip(denying, model.choose(denying), strict=True):
        if chosen == ABSENT:
            print(f"asks for what is not there: {text}")
    write_head(model, TARGET)


if __name__ == "__main__":
    main()
