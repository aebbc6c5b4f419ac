"""Fit `agents/listening/classifiers/mention.safetensors`, which estimates whether the first word said is asked for.

    python -m benchmarks.planner.fit_mentions [held_out.json]

The questions are drawn from the templates of `mentions.json`, every other one in a frame. Prints the share that is
right on templates that were held out, and of a file of `{"question": …, "place": …}`. A minute of CPU.
"""

import json
import random
import sys

from agents.listening.classifiers.mention import FILE
from benchmarks.planner.fit import HERE, fill_templates, fit, print_held_out_shares, print_shares_on_files, write_head

TARGET = HERE.parents[1] / "agents" / "listening" / "classifiers" / FILE
NUM_FILLED = 12  # questions that are drawn from a template


def main() -> None:
    """Cross-validate, fit on all, write."""
    data = json.loads((HERE / "mentions.json").read_text(encoding="utf-8"))
    rng = random.Random(4)  # noqa: S311 - no secret
    questions = fill_templates(data["places"], data["slots"], rng, NUM_FILLED)
    print_held_out_shares(questions)
    model = fit(questions)
    print_shares_on_files(model, sys.argv[1:], text="question", label="place")
    write_head(model, TARGET)


if __name__ == "__main__":
    main()
