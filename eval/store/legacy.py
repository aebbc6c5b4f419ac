"""Migration of answers of schema version 1, whose traces and labels were texts, so that old run folders still open.

Nothing else in the project reads facts out of texts: what is written today carries them as fields.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from services.types import SCHEMA_VERSION, EvidenceKind, Route, StepName

STEPS: tuple[StepName, ...] = get_args(StepName)
ROUTES: tuple[Route, ...] = get_args(Route)
LABEL = re.compile(r"(?:^|: |, or |, else |, most likely |most likely |, )((?:(?!, |: ).)+?) \((\d\.\d\d)\)")
HEARD_BY: Mapping[EvidenceKind, StepName] = {"transcript": "transcribe", "language": "transcribe", "reply": "listen"}
"""Kind -> the step that it is from; all other kinds are from the caption."""


def upgrade_answer(answer: Any) -> Any:  # noqa: ANN401 - whatever JSON holds; the model checks what comes out
    """Return a version 1 answer as one of today; anything else as it is."""
    if not isinstance(answer, dict) or "schema_version" in answer:
        return answer
    lines = [line for line in answer.get("trace", ()) if isinstance(line, str)]
    evidence = [_upgrade_statement(one, lines) for one in answer.get("evidence", ())]
    trace = list(_parse_steps(lines, dict(answer.get("timings_s", {}))))
    upgraded = {"schema_version": SCHEMA_VERSION, "route": _find_route(lines), "trace": trace, "evidence": evidence}
    return answer | upgraded


def _parse_steps(lines: list[str], timings_s: dict[str, float]) -> Iterator[dict[str, object]]:
    for line in lines:
        step, _, text = line.partition(": ")
        if step in STEPS:
            yield {"step": step, "text": text or line, "seconds": timings_s.pop(step, None)}


def _find_route(lines: list[str]) -> str | None:
    chosen = next((line.removeprefix("route: ").split()[0] for line in lines if line.startswith("route: ")), None)
    return chosen if chosen in ROUTES else None


def _upgrade_statement(statement: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    kind, text = statement["kind"], statement["text"]
    is_again = any(line.startswith("listen again: ") and text in line for line in lines)
    step = "listen again" if is_again else HEARD_BY.get(kind, "caption")
    found = [] if kind == "transcript" else LABEL.findall(text)
    labels = [{"text": name, "probability": float(share)} for name, share in found]
    return statement | {"labels": labels, "step": step}
