"""Errors cross process borders under Ray."""

import pickle

from services.errors import UnknownName


def test_an_unknown_name_survives_the_way_between_processes() -> None:
    error = UnknownName("LLM", "phi-5", ["phi-4"])
    assert str(pickle.loads(pickle.dumps(error))) == "No LLM named 'phi-5'. Known: phi-4."
