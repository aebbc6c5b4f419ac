"""Measure how often the planner calls a right tool on the 200 questions of MMAU and MMAR that were held out.

    python benchmarks/planner/measure.py mmau-test-mini.json MMAR-meta.jsonl

Both files are published by the benchmarks' authors; a right tool is one of the labels in `held_out.json`.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from agents.listening.classifiers.text_classifier import open_tool_classifier
from eval.scoring.intervals import compute_wilson_interval

LABELLED = Path(__file__).with_name("held_out.json")


def read_texts(files: Iterable[str]) -> dict[str, str]:
    """Read the questions of benchmark files, by the SHA-256 of their texts."""
    texts: list[str] = []
    for file in files:
        content = Path(file).read_text(encoding="utf-8")
        is_list = content.lstrip().startswith("[")
        rows = json.loads(content) if is_list else [json.loads(line) for line in content.splitlines() if line]
        texts += [row["question"].strip() for row in rows]
    return {sha256(text.encode()).hexdigest(): text for text in texts}


def main() -> None:
    """Print the share of right tools, in all, by source and by tool that was called."""
    texts = read_texts(sys.argv[1:])
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    labelled = json.loads(LABELLED.read_text(encoding="utf-8"))
    if missing := sum(row["sha256"] not in texts for row in labelled):
        sys.exit(f"{missing} of the {len(labelled)} questions are in none of these files: name both benchmarks' files.")
    for row in labelled:
        called = next(iter(open_tool_classifier().estimate(texts[row["sha256"]])))
        names = ("all", row["source"], f"called {called}")
        asked.update(names)
        right.update(names if called in row["tools"] else ())
    for name, count in asked.most_common():
        print(f"{name}: {right[name]} of {count}, {compute_wilson_interval(right[name], count)}")


if __name__ == "__main__":
    main()
