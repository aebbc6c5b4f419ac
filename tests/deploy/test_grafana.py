"""The dashboard asks for nothing that `/metrics` does not have."""

import asyncio
import json
import re
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from services.cache.perception import CachedCaptioner
from services.errors import ModelError
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.request_context import RequestContext
from services.scripted.ears import ScriptedEars
from services.scripted.service import ScriptedService
from services.telemetry.watched import observe_call
from services.types import AudioClip

DASHBOARD = json.loads((Path(__file__).parents[2] / "deploy/grafana/earwitness.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
SELECTOR = re.compile(r"(earwitness_\w+)(?:{([^}]*)})?")


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the labels of each sample that `/metrics` has after a question, a failure and a look into the cache."""
    client = TestClient(create_app(ScriptedService(), Limits()), "http://127.0.0.1")
    for question in ("What?", "degraded", "fail"):
        client.post("/v1/audio/questions", json={"question": question, "model": "text"})
    clip = AudioClip(np.zeros(160, np.float32))
    asyncio.run(CachedCaptioner(ScriptedEars(), tmp_path_factory.mktemp("perception")).caption(clip))
    with pytest.raises(ModelError), observe_call(RequestContext(), "silent", "caption"):
        raise ModelError("out of order")
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_of_the_dashboard_exists(expression: str, exposed: dict[str, set[str]]) -> None:
    found = SELECTOR.findall(expression)
    assert found
    grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    for name, matchers in found:
        assert name in exposed
        wanted = grouped | set(re.findall(r"(\w+)\s*=~?", matchers))
        assert wanted <= exposed[name]


def test_every_metric_is_on_the_dashboard(exposed: dict[str, set[str]]) -> None:
    def families(names: set[str]) -> set[str]:
        return {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in names}

    shown = {name for expression in EXPRESSIONS for name, _ in SELECTOR.findall(expression)}
    assert families(shown) == families(set(exposed))


def test_panels_have_ids_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({str(panel["gridPos"]) for panel in panels}) == len(panels)
