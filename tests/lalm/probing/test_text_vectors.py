"""Vectors of texts in a bare causal LM."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from lalm.probing.text_vectors import TextReader
from services.errors import ModelError


def test_a_text_is_the_mean_over_its_tokens_of_each_layer(backbones: Callable[[str], Path]) -> None:
    folder = backbones("llama")
    reader = TextReader(str(folder))
    found = reader.read("A dog barks")
    assert found.shape == (3, 64)
    assert reader.num_layers == 2
    ids = AutoTokenizer.from_pretrained(folder)("A dog barks", return_tensors="pt").input_ids
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.inference_mode():
        states = model(ids, output_hidden_states=True).hidden_states
    assert found[0] == pytest.approx(model.get_input_embeddings()(ids)[0].mean(0).detach().numpy(), abs=1e-5)
    assert found[2] == pytest.approx(states[2][0].mean(0).numpy(), abs=1e-4)
    assert abs(found - reader.read("Rain falls")).max() > 1e-3


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        TextReader(str(tmp_path))
