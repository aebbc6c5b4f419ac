"""The LangGraph graph: state, steps, edges, and what happens when a part is missing."""
