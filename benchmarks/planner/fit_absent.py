"""Fit `agents/listening/absent.safetensors`, which estimates whether a question asks for what is not there.

    python -m benchmarks.planner.fit_absent

The questions all hold a word that denies or leaves out. They are drawn from the templates of `absent.json`, one in two
of them in a frame such as "Based on the audio, …", and from its `groups` of the planner's. Prints the share that is
right on templates that were held out, and which of the planner's questions are taken to ask for what is not there.
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from agents.listening.findings import ABSENT, ABSENT_FILE, DENIAL, PRESENT
from agents.rows.wording import frame_question
from benchmarks.planner.fit import HERE, NUM_FOLDS, LabelledQuestion, fit, load_questions, write_head

TARGET = HERE.parents[1] / "agents" / "listening" / ABSENT_FILE
NUM_FILLED = 24  # questions that are drawn from a template


def load_labelled() -> list[LabelledQuestion]:
    """Load the questions with one label each."""
    data = json.loads((HERE / "absent.json").read_text(encoding="utf-8"))
    rng = random.Random(3)  # noqa: S311 - no secret
    drawn: dict[str, LabelledQuestion] = {}
    for label in (ABSENT, PRESENT):
        for template in data[label]:
            for number in range(NUM_FILLED):
                words = {slot: rng.choice(fillers) for slot, fillers in data["slots"].items()}
                text = template.format_map(words).format_map(words)
                text = frame_question(text, rng) if number % 2 else text
                drawn[text] = LabelledQuestion(text, (label,), f"{label} {template}")
    planned = [one for one in load_questions() if not one.group.startswith("MMA")]
    same = [one for one in planned if one.group in data["groups"]]
    return [*drawn.values(), *(one._replace(tools=(ABSENT,), group=f"{ABSENT} {one.group}") for one in same)]


def cross_validate(questions: Sequence[LabelledQuestion]) -> None:
    """Print the share of right labels on held-out templates."""
    groups = sorted({one.group for one in questions})
    random.Random(0).shuffle(groups)  # noqa: S311 - no secret
    folds = {group: number % NUM_FOLDS for number, group in enumerate(groups)}
    right: dict[str, list[bool]] = defaultdict(list)
    for fold in range(NUM_FOLDS):
        model = fit([one for one in questions if folds[one.group] != fold])
        held_out = [one for one in questions if folds[one.group] == fold]
        for one, chosen in zip(held_out, model.choose([one.text for one in held_out]), strict=True):
            right[one.tools[0]].append(chosen == one.tools[0])
    for label, found in sorted(right.items()):
        print(f"{label}: {100 * np.mean(found):.1f} % of {len(found)}")


def main() -> None:
    """Cross-validate, fit on all, write."""
    questions = load_labelled()
    cross_validate(questions)
    model = fit(questions)
    denying = sorted({one.text for one in load_questions() if DENIAL.search(one.text)})
    for text, chosen in zip(denying, model.choose(denying), strict=True):
        if chosen == ABSENT:
            print(f"asks for what is not there: {text}")
    write_head(model, TARGET)


if __name__ == "__main__":
    main()
