import re
from math import sqrt

import pytest
from rich.console import Console

from eval.analysis.claims import FILE, Claims, find_contradictions
from eval.analysis.reproduce import reproduce
from eval.display.reproduction import print_reproduction
from services.yaml_file import read_config

console = Console(width=400)


def test_values_of_one_model_on_one_benchmark_are_set_side_by_side_with_their_sources() -> None:
    found = {(one.model, one.benchmark): one for one in find_contradictions()}
    flamingo = found["Audio Flamingo 3", "MMAR"]
    assert [one.percent for one in flamingo.claims] == [58.6, 49.1]
    assert (flamingo.claims[0].source or "").startswith("Lu et al.")
    assert (flamingo.points, flamingo.is_within_chance) == (9.5, False)
    assert flamingo.by_chance == pytest.approx(1.96 * sqrt(58.6 * 41.4 / 1000 + 49.1 * 50.9 / 1000), abs=0.01)


def test_two_releases_of_a_benchmark_are_told_apart() -> None:
    (qwen,) = [one for one in find_contradictions() if one.model == "Qwen2-Audio-Instruct"]
    assert (qwen.points, qwen.points_one_release) == (10.4, 4.8)


def test_the_widest_comes_first_and_one_value_twice_is_none() -> None:
    found = find_contradictions()
    assert [one.points for one in found] == sorted((one.points for one in found), reverse=True)
    assert "DeSTA2.5-Audio" not in {one.model for one in found}  # 66.0 in the paper and in its authors' table
    assert any(one.is_within_chance for one in found)


def test_every_claim_has_a_source_but_one_of_which_the_output_says_so() -> None:
    claims = read_config(FILE, Claims).claims
    assert all("@" in one.source or "issue" in one.source for one in claims if one.source is not None)
    assert [(one.model, one.percent) for one in claims if one.source is None] == [("Audio Flamingo 3", 61.2)]
    with console.capture() as printed:
        print_reproduction(reproduce(), console)
    words = " ".join(printed.get().split())
    assert re.search(r"61\.2 .*quoted without a source.*; its source is not known to us", words)
    assert "12.1 points, beyond the 4.1 of chance; 1 of the 4 values without a known source" in words
    assert words.count("not known to us") == 1
