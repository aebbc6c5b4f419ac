"""The graph that answers, as a drawing: `python docs/tools/graph_drawing.py > docs/images/graph.svg`.

Nodes and edges come from the compiled graph; where each node stands is said here. A node without a place is a KeyError.
"""

import sys
from collections.abc import Iterator
from math import hypot

from agents.graph.graph import build_agent_graph

PLACES = {
    "__start__": (320, 28),
    "route": (320, 92),
    "cascade:__start__": (210, 172),
    "cascade:caption": (130, 236),
    "cascade:transcribe": (290, 236),
    "cascade:read": (210, 306),
    "cascade:listen_again": (290, 372),
    "cascade:__end__": (210, 432),
    "listen": (530, 300),
    "reconcile": (320, 506),
    "answer": (320, 576),
    "__end__": (320, 640),
}
BENDS: dict[tuple[str, str], tuple[tuple[int, int], ...]] = {  # control points of edges that are not straight
    ("reconcile", "cascade:__start__"): ((0, 500), (-90, 195)),
    ("reconcile", "listen"): ((600, 470),),
    ("cascade:read", "cascade:__end__"): ((150, 370),),
}
HALF_WIDTH, HALF_HEIGHT, DOT = 58, 17, 9  # pixels
STYLE = """
text { font: 15px system-ui, sans-serif; text-anchor: middle; dominant-baseline: central; fill: #17202a; }
rect { fill: #e0f2f1; stroke: #00796b; }
circle { fill: #00796b; }
path { fill: none; stroke: #455a64; stroke-width: 1.5; marker-end: url(#tip); }
.conditional { stroke-dasharray: 5 4; }
.group { fill: #f6faf9; stroke: #90a4ae; stroke-dasharray: 2 3; }
.page { fill: #ffffff; stroke: none; }
"""
TIP = (
    '<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    '<polygon points="0,1 10,5 0,9" fill="#455a64"/></marker>'
)


def is_end(name: str) -> bool:
    """Whether a node is where the graph or a part of it begins or ends."""
    return name.endswith("__")


def border(name: str, towards: tuple[float, float]) -> tuple[float, float]:
    """Return the point of a node's border that lies towards another point."""
    x, y = PLACES[name]
    dx, dy = towards[0] - x, towards[1] - y
    if is_end(name):
        scale = DOT / hypot(dx, dy)
    else:
        scale = min(HALF_WIDTH / abs(dx) if dx else 9e9, HALF_HEIGHT / abs(dy) if dy else 9e9)
    return x + dx * scale, y + dy * scale


def elements() -> Iterator[str]:
    """Yield the elements of the drawing: what lies below first."""
    graph = build_agent_graph().get_graph(xray=True)
    yield '<rect class="page" width="640" height="672" rx="8"/>'
    yield '<rect class="group" x="52" y="140" width="316" height="316" rx="10"/>'
    yield '<text x="95" y="160">cascade</text>'
    for edge in graph.edges:
        bends = BENDS.get((edge.source, edge.target), ())
        start = border(edge.source, bends[0] if bends else PLACES[edge.target])
        end = border(edge.target, bends[-1] if bends else PLACES[edge.source])
        curve = "LQC"[len(bends)] + " ".join(f"{x} {y}" for x, y in bends) + " "
        kind = ' class="conditional"' if edge.conditional else ""
        yield f'<path{kind} d="M{start[0]:.0f} {start[1]:.0f} {curve}{end[0]:.0f} {end[1]:.0f}"/>'
    for name in graph.nodes:
        x, y = PLACES[name]
        if is_end(name):
            yield f'<circle cx="{x}" cy="{y}" r="{DOT}"/>'
            continue
        left, top = x - HALF_WIDTH, y - HALF_HEIGHT
        yield f'<rect x="{left}" y="{top}" width="{2 * HALF_WIDTH}" height="{2 * HALF_HEIGHT}" rx="6"/>'
        yield f'<text x="{x}" y="{y}">{name.rpartition(":")[2].replace("_", " ")}</text>'


if __name__ == "__main__":
    title = "<title>The graph that answers a question</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 672" width="640" height="672" role="img">{title}'
    body = "\n".join((head, f"<style>{STYLE}</style>", f"<defs>{TIP}</defs>", *elements(), "</svg>"))
    sys.stdout.write(body + "\n")
