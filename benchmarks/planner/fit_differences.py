"""Fit `agents/listening/classifiers/difference.safetensors`, which estimates what difference an option names.

    python -m benchmarks.planner.fit_differences [held_out.json]

The options are drawn from the templates of `differences.json`; with them come names of AudioSet's classes, which name
no difference. Prints the share that is right on templates that were held out, and of a file of
`{"option": …, "difference": …}`. Half a minute of CPU.
"""

import json
import random
import sys

from agents.listening.classifiers.difference import FILE, OTHER
from benchmarks.planner.fit import (
    HERE,
    LabelledQuestion,
    fit,
    print_held_out_shares,
    print_shares_on_files,
    write_head,
)
from services.captioners.sounds.yamnet import read_class_names
from services.weights import store as weights

TARGET = HERE.parents[1] / "agents" / "listening" / "classifiers" / FILE
NUM_FILLED = 8  # options that are drawn from a template
NUM_SOUNDS = 200


def load_labelled() -> list[LabelledQuestion]:
    """Load the options with one difference each."""
    data = json.loads((HERE / "differences.json").read_text(encoding="utf-8"))
    rng = random.Random(3)  # noqa: S311 - no secret
    drawn: dict[str, LabelledQuestion] = {}
    for label, templates in data["differences"].items():
        for template in templates:
            for _ in range(NUM_FILLED):
                text = template.format_map({slot: rng.choice(fillers) for slot, fillers in data["slots"].items()})
                drawn[text] = LabelledQuestion(text, (label,), f"{label} {template}")
    sounds = rng.sample(read_class_names(weights.ensure_folder("yamnet")), NUM_SOUNDS)
    return [*drawn.values(), *(LabelledQuestion(name, (OTHER,), f"{OTHER} {name}") for name in sounds)]


def main() -> None:
    """Cross-validate, fit on all, write."""
    options = load_labelled()
    print_held_out_shares(options)
    model = fit(options)
    print_shares_on_files(model, sys.argv[1:], text="option", label="difference")
    write_head(model, TARGET)


if __name__ == "__main__":
    main()
