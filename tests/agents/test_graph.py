"""The graph as it is drawn."""

from pathlib import Path

from agents.graph import agent_graph, page
from agents.state import State
from services.types import AudioClip

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_documentation_is_the_graph_that_runs() -> None:
    written = (DOCS / "graph.md").read_text(encoding="utf-8")
    assert written == page(), "python -m agents.graph > docs/graph.md"


def test_every_step_leads_to_an_answer_or_to_the_other_arm() -> None:
    drawn = agent_graph().get_graph(xray=True)
    edges = {(edge.source.removeprefix("cascade:"), edge.target.removeprefix("cascade:")) for edge in drawn.edges}
    assert {("caption", "read"), ("transcribe", "read"), ("read", "listen_again"), ("listen", "reconcile")} <= edges
    assert {target for source, target in edges if source == "reconcile"} == {"answer", "listen", "__start__"}


def test_no_audio_is_in_the_state() -> None:
    assert not any(AudioClip.__name__ in str(kind) for kind in State.__annotations__.values())
    assert "clip_sha256" in State.__annotations__
